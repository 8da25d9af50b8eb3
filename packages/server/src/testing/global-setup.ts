import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbedded } from "../db/embedded/start.ts";
import { migrate } from "../db/migrate.ts";
import { openPool } from "../db/pool.ts";
import { MIGRATIONS_FOLDER, TEMPLATE, TEST_SERVER_VARIABLE, onServer } from "./test-database.ts";

/**
 * Vitest's global setup of the project `server`: one embedded PostgreSQL for all its test files, with a template
 * database that all migrations have run in. Where the environment names a server already, that one is used.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const given = process.env[TEST_SERVER_VARIABLE];
  const server = given === undefined ? await startOwn() : { url: given, stop: async () => {} };
  try {
    await makeTemplate(server.url);
  } catch (error) {
    await server.stop();
    throw error;
  }
  // the workers that vitest starts afterwards inherit it
  process.env[TEST_SERVER_VARIABLE] = server.url;
  return async () => {
    if (given !== undefined) await dropTemplate(given);
    await server.stop();
  };
}

async function startOwn(): Promise<{ url: string; stop(): Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), "threadmill-test-"));
  const log = { info() {}, warn: (text: string) => process.stderr.write(`${text}\n`) };
  const server = await startEmbedded({ dataDir, log });
  // if vitest ends without calling us
  process.once("exit", () => server.stopNow());
  // these databases need not survive the machine, and a test file makes several; durability has tests of its own
  await onServer(server.url, async (client) => {
    await client.query("alter system set fsync = off");
    await client.query("select pg_reload_conf()");
  });
  return {
    url: server.url,
    async stop() {
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function makeTemplate(url: string): Promise<void> {
  await dropTemplate(url);
  await onServer(url, (client) => client.query(`create database ${TEMPLATE}`));
  if (!existsSync(MIGRATIONS_FOLDER)) return;
  const template = new URL(url);
  template.pathname = `/${TEMPLATE}`;
  const pool = openPool({ url: template.href, max: 1 });
  try {
    await migrate(pool, MIGRATIONS_FOLDER);
  } finally {
    await pool.end();
  }
}

function dropTemplate(url: string): Promise<unknown> {
  return onServer(url, (client) => client.query(`drop database if exists ${TEMPLATE} with (force)`));
}
