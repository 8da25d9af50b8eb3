import type { Socket } from "node:net";
import { Kysely, PostgresDialect } from "kysely";
import { type ClientBase, Pool, type PoolClient } from "pg";
import { valueTypes } from "./value-parsers.ts";
import { writeTogether } from "./write-together.ts";

/** How to open a pool. */
export interface PoolOptions {
  readonly url: string;
  /** Connections at most; default 10. */
  readonly max?: number;
  /** Shown in pg_stat_activity; default "threadmill". */
  readonly applicationName?: string;
  /** How long a caller waits for a connection; default 10 000 ms. */
  readonly connectTimeoutMs?: number;
  /**
   * How long a statement may take, in ms; default: for ever. Our side gives up and closes the connection; the server is
   * told as well, so that it does not go on for nobody.
   */
  readonly statementTimeoutMs?: number;
  /** Whether a pooler stands before the server: it takes no settings of ours at the start of a session. */
  readonly pooled?: boolean;
  /** Sends statements without waiting for the answers of those before; for code that awaits them together. */
  readonly pipeline?: boolean;
  /** Told of connections that broke while nobody used them; their next user gets a fresh one. */
  readonly onIdleError?: (error: Error) => void;
}

/**
 * Opens a pool whose sessions speak UTC and whose values read as DESIGN has them: instants as ISO strings with
 * milliseconds, int8 as number, json parsed, arrays of text and uuid as string arrays. Connects lazily; `end()` it.
 */
export function openPool(options: PoolOptions): Pool {
  const { statementTimeoutMs: limit } = options;
  // part of the start of a session, so it costs no round trip, and poolers that track TimeZone understand it
  const settings = ["-c TimeZone=UTC"];
  if (limit !== undefined && options.pooled !== true) settings.push(`-c statement_timeout=${limit}`);
  const pool = new Pool({
    connectionString: options.url,
    max: options.max ?? 10,
    application_name: options.applicationName ?? "threadmill",
    connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    options: settings.join(" "),
    // the server's own limit comes first, so that its sentence is heard; ours is for a server that says nothing any more
    ...(limit !== undefined && { query_timeout: limit + 2000 }),
    types: valueTypes,
    ...(options.pipeline === true && { pipeline: true }),
  });
  pool.on("error", (error) => options.onIdleError?.(error));
  // A connection that breaks while it is checked out but between two statements says so by an event too. Without a
  // listener that ends the process; the holder's next statement fails anyhow.
  pool.on("connect", (client) => client.on("error", () => {}));
  if (options.pipeline === true) pool.on("connect", (client) => writeTogether(socketOf(client)));
  const clients = new Set<PoolClient>();
  connected.set(pool, clients);
  pool.on("connect", (client) => clients.add(client));
  pool.on("remove", (client) => clients.delete(client));
  return pool;
}

/** The connections of each pool that are open or being used; a pool tells only how many. */
const connected = new WeakMap<Pool, Set<PoolClient>>();

/** Breaks every connection of a pool, whoever uses it, and lets it open no more. What ran on them is rolled back by the server. */
export function breakPool(pool: Pool): void {
  void pool.end().catch(() => {});
  for (const client of connected.get(pool) ?? []) breakConnection(client);
}

/** Breaks a connection, whatever it waits for. */
export function breakConnection(client: ClientBase): void {
  socketOf(client).destroy();
}

/** The socket of a connection; the driver has no word for it. */
function socketOf(client: ClientBase): Socket {
  const { connection } = client as unknown as { readonly connection: { readonly stream: Socket } };
  return connection.stream;
}

/**
 * Kysely over the same pool, for ordinary reads. Changes that belong together go through `transaction` and `kyselyOn`,
 * since Kysely's own transactions do not notice a COMMIT that was answered with ROLLBACK. Do not `destroy()` it: end the pool.
 */
export function openKysely<Database>(pool: Pool): Kysely<Database> {
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
}

/** Kysely on one connection, so that its statements are part of the transaction open there. Lives as long as `client` is yours. */
export function kyselyOn<Database>(client: PoolClient): Kysely<Database> {
  const lent = { query: client.query.bind(client), release() {} };
  return new Kysely<Database>({
    dialect: new PostgresDialect({ pool: { connect: async () => lent, end: async () => {} } as never }),
  });
}
