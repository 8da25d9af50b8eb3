import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  checkHistory,
  type Config,
  embeddedRole,
  exitCode,
  findCluster,
  isDatabaseFault,
  migrationsFolder,
  openPool,
  readMigrations,
  startEmbedded,
} from "@threadmill/server";
import { UserError } from "./user-error.ts";

export type Pool = ReturnType<typeof openPool>;

/** The database that the options name, reached past any server that serves it. */
export interface Reached {
  readonly pool: Pool;
  /** `given`: DATABASE_URL; `running`: that of a running server; `started`: for the duration of this command */
  readonly how: "given" | "running" | "started";
}

type Where = Pick<Config, "databaseUrl" | "databaseDirectUrl" | "dataDir">;

/** How to reach it. */
interface Reaching {
  readonly say: (text: string) => void;
  /** makes a database where the data directory has none yet */
  readonly create?: boolean;
  /** only when nobody else uses the data directory */
  readonly alone?: boolean;
}

/**
 * Runs something on the installation's database: on `DATABASE_URL`, or on the embedded database in the data directory,
 * which is started for the duration unless a server runs it already. Throws a `UserError` where there is none.
 */
export async function withDatabase<T>(
  config: Where,
  reaching: Reaching,
  fn: (reached: Reached) => Promise<T>,
): Promise<T> {
  const given = config.databaseDirectUrl ?? config.databaseUrl;
  if (given !== undefined) return withPool(given, "given", fn);
  const { dataDir } = config;
  if (reaching.create !== true && !existsSync(await findCluster(dataDir))) {
    throw new UserError("database_missing", `There is no database in ${dataDir}.`, {
      hint: "Say where it is with --data-dir or THREADMILL_DATA_DIR, or set DATABASE_URL.",
    });
  }
  const log = { info() {}, warn: reaching.say };
  const embedded = await startEmbedded({ dataDir, log }).catch((error: unknown) => {
    if (reaching.alone !== true && isDatabaseFault(error, "data_dir_in_use")) return null;
    throw error;
  });
  if (embedded === null) return withPool(await runningUrl(dataDir), "running", fn);
  const forget = stopWithUs(embedded);
  try {
    return await withPool(embedded.url, "started", fn);
  } finally {
    await embedded.stop();
    forget();
  }
}

/** Whoever interrupts the command does not want its database to go on. Returns how to forget that. */
function stopWithUs(embedded: { stopNow(): void }): () => void {
  const stop = (exit: "interrupted" | "terminated") => () => {
    embedded.stopNow();
    process.exit(exitCode(exit));
  };
  const signals = { SIGINT: stop("interrupted"), SIGTERM: stop("terminated") };
  for (const [signal, listener] of Object.entries(signals)) process.once(signal, listener);
  return () => {
    for (const [signal, listener] of Object.entries(signals)) process.off(signal, listener);
  };
}

async function withPool<T>(url: string, how: Reached["how"], fn: (reached: Reached) => Promise<T>): Promise<T> {
  const pool = openPool({ url, max: 4, applicationName: "threadmill command line" });
  try {
    await refuseNewer(pool);
    return await fn({ pool, how });
  } finally {
    await pool.end();
  }
}

/** Whether the database holds nothing yet. */
async function isEmpty(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query("select to_regclass('schema_migrations') as found");
  return rows[0]?.found === null;
}

/** Throws `schema_newer` where a newer threadmill has been: this one does not know what it would write or leave out. */
async function refuseNewer(pool: Pool): Promise<void> {
  if (await isEmpty(pool)) return;
  const { rows } = await pool.query<{ name: string; checksum: string }>(
    "select name, checksum from schema_migrations order by name",
  );
  const own = await readMigrations(migrationsFolder);
  const newer = rows.filter(({ name }) => name > (own.at(-1)?.name ?? ""));
  checkHistory(newer, own);
}

const pollMs = 100;
const mostPolls = 100;

/** The address of the database that a running server keeps in its data directory. */
async function runningUrl(dataDir: string): Promise<string> {
  for (let poll = 0; poll < mostPolls; poll += 1) {
    const url = await findRunning(dataDir);
    if (url !== null) return url;
    // the server that holds the directory is starting or stopping
    await delay(pollMs);
  }
  throw new UserError("database_starting", `The database in ${dataDir} is in use by a server, but does not run.`, {
    exit: "unreachable",
    hint: "If the server is still starting, try again when it answers.",
  });
}

/** The address of the embedded database of a data directory, if its files say that it is running; else null. */
export async function findRunning(dataDir: string): Promise<string | null> {
  const [state, password] = await Promise.all([
    readIfThere(join(await findCluster(dataDir), "postmaster.pid")),
    readIfThere(join(dataDir, "postgres.password")),
  ]);
  // PostgreSQL's own file: the fourth line is the port, the eighth how far it has come
  const [, , , port, , , , status] = state?.split("\n") ?? [];
  if (password === null || port === undefined || status?.trim() !== "ready") return null;
  return `postgres://${embeddedRole}:${encodeURIComponent(password.trim())}@127.0.0.1:${port.trim()}/${embeddedRole}`;
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "ENOENT") return null;
    if (code !== "EACCES") throw error;
    throw new UserError("not_permitted", `${path} may not be read by this user.`, {
      hint: "Use the account that the server runs as.",
      cause: error,
    });
  }
}
