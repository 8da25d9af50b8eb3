import { fileURLToPath } from "node:url";
import type { Pool } from "pg";
import type { Config } from "../config/options.ts";
import { type Embedded, startEmbedded } from "./embedded/start.ts";
import { maintain } from "./maintenance.ts";
import { migrate } from "./migrate.ts";
import { openPool } from "./pool.ts";

export const migrationsFolder = fileURLToPath(new URL("./migrations", import.meta.url));

/** The database as the server uses it. */
export interface Database {
  readonly url: string;
  /** for reads and settings */
  readonly pool: Pool;
  /** for the lanes: statements are sent without waiting for the answers of those before */
  readonly lanes: Pool;
  /** the server that came with npm; null for a PostgreSQL of one's own */
  readonly embedded: Embedded | null;
  close(): Promise<void>;
}

interface Log {
  info(text: string): void;
  warn(text: string): void;
}

/**
 * Opens the database that the configuration names: the embedded server in the data directory, or `DATABASE_URL`. Brings
 * the schema and its partitions up to date. Throws faults whose sentence is fit for the terminal.
 */
export async function openDatabase(
  config: Pick<Config, "databaseUrl" | "dataDir" | "databasePoolSize" | "eventsDays" | "stepsDays">,
  log: Log,
): Promise<Database> {
  const embedded = config.databaseUrl === undefined ? await startEmbedded({ dataDir: config.dataDir, log }) : null;
  const url = config.databaseUrl ?? (embedded as Embedded).url;
  let closing = false;
  // while we close, the server that we end says goodbye to connections that the pools let go of
  const onIdleError = (error: Error): void => {
    if (!closing) log.warn(`an idle database connection broke: ${error.message}`);
  };
  const pool = openPool({ url, max: config.databasePoolSize, onIdleError });
  const lanes = openPool({ url, max: 8, pipeline: true, applicationName: "threadmill lanes", onIdleError });
  const close = async (): Promise<void> => {
    closing = true;
    await Promise.all([pool.end(), lanes.end()]);
    await embedded?.stop();
  };
  try {
    await migrate(pool, migrationsFolder);
    await maintain(pool, config, new Date().toISOString());
  } catch (error) {
    await close();
    throw error;
  }
  return { url, pool, lanes, embedded, close };
}
