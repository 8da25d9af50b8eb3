// A server in a process of its own, for measurements through HTTP. Prints one line of JSON, `{url, tenants}`, when it can
// be asked, and ends at SIGTERM.
import { makeTenants, startWhole, temporaryDataDir } from "./installation.ts";

const lanes = Number(process.argv[2] ?? 16);
const dir = await temporaryDataDir();
const server = await startWhole(dir.path);
const tenants = await makeTenants(server, lanes, "assign");
process.once("SIGTERM", () => {
  void (async () => {
    await server.stop();
    await dir.remove();
    process.exit(0);
  })();
});
process.stdout.write(`${JSON.stringify({ url: server.url, tenants })}\n`);
