import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { Client } from "pg";

/** The program's own migrations. */
export const MIGRATIONS_FOLDER = fileURLToPath(new URL("../db/migrations", import.meta.url));

/** Names the server that tests use; set by the global setup, or beforehand to test on a server of one's own. */
export const TEST_SERVER_VARIABLE = "THREADMILL_TEST_DATABASE_URL";

/** The database that test databases are copies of. */
export const TEMPLATE = "threadmill_template";

/** A database of a test file's own. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  readonly name: string;
  /** Removes it, whoever is still connected. */
  drop(): Promise<void>;
}

/**
 * Makes a database for one test file (or one test), with all migrations done, or empty if asked. Drop it afterwards:
 *
 *     const database = await createTestDatabase();
 *     afterAll(() => database.drop());
 */
export async function createTestDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const server = process.env[TEST_SERVER_VARIABLE];
  if (server === undefined) {
    throw new Error(
      `${TEST_SERVER_VARIABLE} is not set: run the vitest project "server", whose global setup starts one`,
    );
  }
  const name = `threadmill_test_${randomBytes(6).toString("hex")}`;
  const template = options.empty === true ? "template0" : TEMPLATE;
  await onServer(server, (client) => client.query(`create database ${name} template ${template}`));
  const url = new URL(server);
  url.pathname = `/${name}`;
  const drop = async () => {
    await onServer(server, (client) => client.query(`drop database if exists ${name} with (force)`));
  };
  return { url: url.href, name, drop, [Symbol.asyncDispose]: drop };
}

/** Runs something on a short connection to the server's default database. */
export async function onServer<T>(url: string, fn: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await fn(client);
  } finally {
    await client.end();
  }
}
