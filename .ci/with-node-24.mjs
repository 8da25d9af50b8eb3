// Runs a TypeScript entry on Node 24: `node .ci/with-node-24.mjs .ci/test.ts [arguments]`. It is plain JavaScript because
// an older Node cannot even load a .ts file, and would complain about its extension instead of its own age.
//
// `npm run` puts the Node 24 of the optional package node-<system>-<processor> first on the path, but not with every
// npm: up to version 10 it removes the link again when it leaves out the packages of the other systems. So an older
// Node looks for that package itself and hands over to it.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const [script, ...rest] = process.argv.slice(2);
if (script === undefined) throw new Error("with-node-24.mjs expects the path of a script");

if (Number.parseInt(process.versions.node, 10) >= 24) {
  const path = resolve(script);
  process.argv = [process.execPath, path, ...rest];
  await import(pathToFileURL(path).href);
} else {
  const system = process.platform === "win32" ? "win" : process.platform;
  const file = process.platform === "win32" ? "node.exe" : "node";
  const root = join(dirname(fileURLToPath(import.meta.url)), "..");
  const installed = join(root, "node_modules", `node-${system}-${process.arch}`, "bin", file);
  if (existsSync(installed)) handOver(installed);
  else {
    process.stderr.write(
      `Threadmill needs Node >= 24, and this is Node ${process.versions.node}: run \`npm ci\` first, which brings one ` +
        "for Linux, Windows and Intel Macs, or install Node 24.\n",
    );
    process.exitCode = 1;
  }
}

/** Runs the same command with another Node, and ends as it ends. */
function handOver(node) {
  const path = [dirname(node), process.env.PATH].join(delimiter);
  const child = spawn(node, [script, ...rest], { stdio: "inherit", env: { ...process.env, PATH: path } });
  // A Ctrl-C reaches the child from the terminal already; what is sent to this process alone is passed on.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("error", (error) => {
    throw error;
  });
  child.on("exit", (code) => {
    process.exitCode = code ?? 1;
  });
}
