import { chown, mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { DatabaseFault, systemCode } from "../fault.ts";
import { isRoot } from "./account.ts";
import { type Binaries, prepareBinaries } from "./binaries.ts";
import { type Cluster, ROLE, ensureCluster } from "./cluster.ts";
import { type DirectoryLock, lockDirectory } from "./lock.ts";
import { type LogFile, openLogFile } from "./log-file.ts";
import { type Place, choosePlace, confirmPlace } from "./place.ts";
import { becomesReady, spawnPostmaster, stopLeftover } from "./postmaster.ts";
import { inspectMachine, serverSettings } from "./settings.ts";

const ATTEMPTS = 20;

/** How to start an embedded server. */
export interface EmbeddedOptions {
  /** Where everything of this installation lives; made where missing. */
  readonly dataDir: string;
  readonly log: { info(text: string): void; warn(text: string): void };
  /** A fixed port on 127.0.0.1; any free one where not given. */
  readonly port?: number;
  /** Where clusters and programs go that cannot be in the data directory, best first. For tests. */
  readonly systemDirs?: readonly string[];
}

/** A running embedded server, which this process alone uses. */
export interface Embedded {
  /** For `openPool`; contains the password. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** The cluster's folder, in the data directory or elsewhere. */
  readonly cluster: string;
  /** Resolves when the server has ended; if nobody asked for it, the process had better end too. */
  readonly exited: Promise<void>;
  /** Stops the server in order and lets go of the data directory. Close the pools first. */
  stop(): Promise<void>;
  /** Tells the server to stop and does not wait for it: for an `exit` handler. */
  stopNow(): void;
}

/**
 * Starts the PostgreSQL that came with npm on a data directory: finds programs that can run here, makes the cluster at
 * the first start, stops what a killed predecessor left running. Throws a `DatabaseFault` (`data_dir_in_use`,
 * `postgres_major_mismatch`, `postgres_start_failed` ...) whose sentence is fit for the terminal.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  await mkdir(options.dataDir, { recursive: true, mode: isRoot() ? 0o711 : 0o700 });
  const held = [lockDirectory(options.dataDir)];
  try {
    return await startLocked(options, held);
  } catch (error) {
    for (const lock of held) lock.release();
    throw error;
  }
}

async function startLocked(options: EmbeddedOptions, held: DirectoryLock[]): Promise<Embedded> {
  const place = await choosePlace(options);
  // two data directories may point to one home (one was copied): the cluster needs a lock of its own
  if (place.home !== place.dataDir) held.push(lockDirectory(place.home));
  const binaries = await prepareBinaries(place.account, place.copyTo);
  const cluster = await ensureCluster(place, binaries);
  await confirmPlace(place);
  if (await stopLeftover(binaries, place.account, cluster.path)) {
    options.log.warn("A PostgreSQL left over from a killed threadmill was stopped.");
  }
  const logFile = openLogFile(join(place.dataDir, "postgres.log"));
  try {
    const { postmaster, port } = await launch(options, place, binaries, cluster, logFile);
    const base = `postgres://${ROLE}:${cluster.password}@127.0.0.1:${port}`;
    await ensureDatabase(base).catch(async (error: unknown) => {
      await postmaster.stop();
      throw error;
    });
    return {
      url: `${base}/${ROLE}`,
      port,
      pid: postmaster.pid,
      cluster: cluster.path,
      exited: postmaster.exited,
      stopNow: () => postmaster.stopNow(),
      async stop() {
        await postmaster.stop();
        logFile.close();
        for (const lock of held) lock.release();
      },
    };
  } catch (error) {
    logFile.close();
    throw error;
  }
}

async function launch(options: EmbeddedOptions, place: Place, binaries: Binaries, cluster: Cluster, logFile: LogFile) {
  let said = "";
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = options.port ?? (await freePort());
    await writeSettings(place, cluster, port);
    const from = logFile.size();
    const postmaster = spawnPostmaster(binaries, place.account, cluster.path, logFile.fd);
    if (await becomesReady(postmaster, cluster.path)) return { postmaster, port };
    said = logFile.since(from);
    // someone took the port after we had found it free
    if (/could not (bind|create any TCP)/.test(said) && options.port === undefined) continue;
    // the last sessions of a killed server are still on their way out
    if (!/still in use/.test(said)) break;
    await delay(250);
  }
  const where = join(place.dataDir, "postgres.log");
  throw new DatabaseFault(
    "postgres_start_failed",
    `PostgreSQL did not start. Its log ${where} ends with:\n${said.trim()}`,
  );
}

async function writeSettings({ account }: Place, cluster: Cluster, port: number): Promise<void> {
  const files = [
    {
      path: join(cluster.path, "threadmill.conf"),
      text: serverSettings(inspectMachine(cluster.path), port),
      flag: "w",
    },
    {
      path: join(cluster.path, "local.conf"),
      text: "# Your own PostgreSQL settings; they win over all others.\n",
      flag: "wx",
    },
  ];
  for (const { path, text, flag } of files) {
    await writeFile(path, text, { flag }).catch((error: unknown) => {
      if (systemCode(error) !== "EEXIST") throw error;
    });
    if (account !== undefined) await chown(path, account.uid, account.gid);
  }
}

async function ensureDatabase(base: string): Promise<void> {
  const client = new Client({ connectionString: `${base}/postgres` });
  await client.connect();
  try {
    const { rowCount } = await client.query("select 1 from pg_database where datname = $1", [ROLE]);
    if (rowCount === 0) await client.query(`create database ${ROLE}`);
  } finally {
    await client.end();
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
