import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Config, createLog, loadConfig, type Server, startServer } from "@threadmill/server";
import type { Context } from "../command.ts";

/** The token of the first organization of every test installation. */
export const testToken = "tm_0123456789abcdef0123456789abcdef";

/** A configuration as the program would read it. */
export function configOf(env: Record<string, string>): Config {
  const loaded = loadConfig(env, []);
  if (loaded.kind !== "config") throw new Error(`The test's configuration is wrong: ${JSON.stringify(loaded)}`);
  return loaded.config;
}

/** A context for an action, which keeps what is said. */
export function contextOf(env: Record<string, string>): Context & { readonly said: string[] } {
  const said: string[] = [];
  return {
    config: configOf(env),
    said,
    say: (text) => void said.push(text),
    interactive: false,
    fetch: globalThis.fetch,
    now: () => new Date().toISOString(),
  };
}

/** A data directory of its own; `remove` also removes a database that had to be kept elsewhere. */
export async function newDataDir(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "threadmill-cli-"));
  const remove = async (): Promise<void> => {
    const pointer = await readFile(join(path, "postgres-location.json"), "utf8").catch(() => null);
    if (pointer !== null) await rm((JSON.parse(pointer) as { home: string }).home, { recursive: true, force: true });
    await rm(path, { recursive: true, force: true });
  };
  return { path, remove };
}

/** A server with its embedded database, as a user would start it. */
export interface Installation {
  readonly server: Server;
  readonly dataDir: string;
  /** for commands that ask the server, or its database */
  readonly env: Record<string, string>;
  close(): Promise<void>;
}

/** Starts a server on a data directory, a new one unless given. */
export async function startInstallation(given?: string): Promise<Installation> {
  const dir = given === undefined ? await newDataDir() : { path: given, remove: async () => {} };
  const env = { THREADMILL_DATA_DIR: dir.path, THREADMILL_TOKEN: testToken };
  const server = await startServer(configOf({ ...env, PORT: "0" }), createLog({ level: "silent" }));
  const close = async (): Promise<void> => {
    await server.stop();
    await dir.remove();
  };
  return { server, dataDir: dir.path, env: { ...env, THREADMILL_URL: server.url }, close };
}
