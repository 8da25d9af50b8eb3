import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { Pool } from "pg";
import type { Config } from "../config/options.ts";
import { type Connections, shareConnections } from "./connections.ts";
import { type Embedded, startEmbedded } from "./embedded/start.ts";
import { maintain } from "./maintenance.ts";
import { migrate } from "./migrate.ts";
import { breakPool, openPool } from "./pool.ts";
import { readServerVersion, type ServerVersion } from "./server-version.ts";

export const migrationsFolder = fileURLToPath(new URL("./migrations", import.meta.url));

/** The database as the server uses it. Every connection that a process opens, but for the one of the hints, is of one of these pools. */
export interface Database {
  readonly url: string;
  readonly version: ServerVersion;
  readonly connections: Connections;
  /** for reads and what requests write; every statement has a time limit */
  readonly pool: Pool;
  /** for the lanes: statements are sent without waiting for the answers of those before */
  readonly lanes: Pool;
  /** for waiting for a lane that another process holds */
  readonly waiters: Pool;
  /** for long work behind the scenes */
  readonly background: Pool;
  /** the server that came with npm; null for a PostgreSQL of one's own */
  readonly embedded: Embedded | null;
  /** Waits until every connection was given back, and closes them. */
  close(): Promise<void>;
  /** Closes every connection at once, in use or not, and stops the embedded server. */
  cutOff(): Promise<void>;
}

interface Log {
  info(text: string): void;
  warn(text: string): void;
}

/** A statement of a request takes longer only if something is wrong: nobody waits any more. */
const requestMs = 30_000;
/** Within a lane the server's own limits are shorter; this is for a server that is gone without a word. */
const laneMs = 90_000;
const backgroundMs = 300_000;

/**
 * Opens the database that the configuration names: the embedded server in the data directory, or `DATABASE_URL`. Brings
 * the schema and its partitions up to date. Throws faults whose sentence is fit for the terminal.
 */
export async function openDatabase(
  config: Pick<
    Config,
    "databaseUrl" | "databaseDirectUrl" | "dataDir" | "databasePoolSize" | "eventsDays" | "runsDays"
  >,
  log: Log,
): Promise<Database> {
  const embedded = config.databaseUrl === undefined ? await startEmbedded({ dataDir: config.dataDir, log }) : null;
  const url = config.databaseUrl ?? (embedded as Embedded).url;
  const connections = shareConnections(config.databasePoolSize, availableParallelism());
  let closing = false;
  // while we close, the server that we end says goodbye to connections that the pools let go of
  const onIdleError = (error: Error): void => {
    if (!closing) log.warn(`an idle database connection broke: ${error.message}`);
  };
  const pooled = config.databaseDirectUrl !== undefined;
  const open = (max: number, name: string, statementTimeoutMs: number, pipeline = false): Pool =>
    openPool({ url, max, pooled, pipeline, statementTimeoutMs, applicationName: `threadmill${name}`, onIdleError });
  const pools = {
    pool: open(connections.general, "", requestMs),
    lanes: open(connections.lanes, " lanes", laneMs, true),
    waiters: open(connections.waiters, " waiters", laneMs, true),
    background: open(connections.background, " background", backgroundMs),
  };
  const close = async (): Promise<void> => {
    closing = true;
    await Promise.all(Object.values(pools).map((pool) => pool.end()));
    await embedded?.stop();
  };
  try {
    const version = await prepare(url, config, log);
    return {
      url,
      version,
      connections,
      ...pools,
      embedded,
      close,
      async cutOff() {
        closing = true;
        for (const pool of Object.values(pools)) breakPool(pool);
        await embedded?.stop();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Looks at the server and brings schema and partitions up to date, on a connection of its own that may take its time. */
async function prepare(url: string, config: Pick<Config, "eventsDays" | "runsDays">, log: Log): Promise<ServerVersion> {
  const pool = openPool({ url, max: 2, applicationName: "threadmill start" });
  try {
    const version = await readServerVersion(pool);
    await migrate(pool, migrationsFolder, (text) => log.info(text));
    await maintain(pool, config, new Date().toISOString());
    return version;
  } finally {
    await pool.end();
  }
}
