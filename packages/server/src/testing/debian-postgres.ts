import { spawn, spawnSync } from "node:child_process";
import { chownSync, existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { chooseAccount } from "../db/embedded/account.ts";

/** The PostgreSQL versions below that of the embedded server that are supported, where Debian's packages put them. */
const packaged = [15, 16].map((major) => ({ major, bin: `/usr/lib/postgresql/${major}/bin` }));

/** A PostgreSQL of the distribution that this machine has, or null. */
export function findPackagedPostgres(): { readonly major: number; readonly bin: string } | null {
  return packaged.find(({ bin }) => existsSync(join(bin, "postgres"))) ?? null;
}

/** Starts a cluster of its own with those binaries; stop it afterwards. Nothing of it survives. */
export async function startPackagedPostgres(bin: string): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const account = chooseAccount([]);
  const owner = account === undefined ? {} : { uid: account.uid, gid: account.gid };
  const dir = await mkdtemp(join(tmpdir(), "threadmill-packaged-"));
  if (account !== undefined) chownSync(dir, account.uid, account.gid);
  const data = join(dir, "data");
  const made = spawnSync(join(bin, "initdb"), ["-D", data, "-U", "threadmill", "-A", "trust", "-E", "UTF8", "-N"], {
    ...owner,
    cwd: dir,
  });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr.toString()}`);
  const port = await freePort();
  const settings = { port, listen_addresses: "127.0.0.1", unix_socket_directories: "", fsync: "off" };
  const words = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const child = spawn(join(bin, "postgres"), ["-D", data, ...words], { ...owner, cwd: dir, stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const url = `postgres://threadmill@127.0.0.1:${port}/postgres`;
  const stop = async (): Promise<void> => {
    child.kill("SIGINT");
    await ended;
    await rm(dir, { recursive: true, force: true });
  };
  for (let tries = 0; ; tries += 1) {
    const client = new Client({ connectionString: url });
    try {
      await client.connect();
      return { url, stop };
    } catch (error) {
      if (tries > 200 || child.exitCode !== null) {
        await stop();
        throw error;
      }
      await delay(100);
    } finally {
      await client.end();
    }
  }
}

async function freePort(): Promise<number> {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
  const { port } = holder.address() as AddressInfo;
  await new Promise((resolve) => holder.close(resolve));
  return port;
}
