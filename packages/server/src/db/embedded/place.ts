import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, realpath, stat, writeFile, rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseFault, systemCode } from "../fault.ts";
import { type Account, canTraverse, chooseAccount, isRoot } from "./account.ts";

const POINTER = "postgres-location.json";

/** What the pointer file in a data directory says about a cluster kept elsewhere. */
export interface Pointer {
  readonly why: string;
  /** The folder that holds the cluster `postgres`. */
  readonly home: string;
  /** The data directory this pointer was written for: tells a moved one from a copied one. */
  readonly data_dir: string;
  /** True once the cluster has existed: from then on its absence is a loss, not a beginning. */
  readonly initialized: boolean;
}

/** Where a data directory's cluster lives, and who runs it. */
export interface Place {
  /** The data directory, links resolved. */
  readonly dataDir: string;
  /** The folder of the cluster: the data directory itself, or a system folder that PostgreSQL's account can reach. */
  readonly home: string;
  readonly account: Account | undefined;
  /** Folders for a copy of the programs, best first. */
  readonly copyTo: readonly string[];
}

interface PlaceOptions {
  readonly dataDir: string;
  readonly log: { info(text: string): void; warn(text: string): void };
  /** Folders for clusters that cannot live in their data directory, best first. */
  readonly systemDirs?: readonly string[];
}

/** /var/tmp outlives a reboot, unlike the temporary folder proper, which is only better than not starting. */
const systemPlaces = () => ["/var/lib/threadmill", "/var/tmp/threadmill", join(tmpdir(), "threadmill")];

/** Where the cluster of a data directory lies, as far as its files tell: for `backup` and `doctor`. Starts and makes nothing. */
export async function findCluster(dataDir: string): Promise<string> {
  const pointer = await readPointer(dataDir);
  return join(pointer?.home ?? dataDir, "postgres");
}

/**
 * Decides where the cluster lives. In the data directory, unless PostgreSQL's account cannot get there (we are root and
 * the directory lies below a private folder): then in a system folder, with a pointer file left in the data directory.
 * Throws `data_dir_not_yours`, `data_dir_copied` or `cluster_missing` where the files on disk forbid to go on.
 */
export async function choosePlace(options: PlaceOptions): Promise<Place> {
  const { log } = options;
  const systemDirs = options.systemDirs ?? systemPlaces();
  const dataDir = await realpath(options.dataDir);
  const pointer = await readPointer(dataDir);
  const home = pointer === undefined ? dataDir : await followPointer(pointer, dataDir);
  const cluster = join(home, "postgres");
  if (pointer?.initialized === true && !existsSync(cluster)) {
    throw new DatabaseFault(
      "cluster_missing",
      `${join(dataDir, POINTER)} says that the database is in ${cluster}, but it is not there. Bring it back (is a disk ` +
        "not mounted?), or delete that file to begin with an empty database.",
    );
  }
  // the data directory's parent is the checkout: under sudo its owner can reach it where `postgres` could not
  const account = chooseAccount([cluster, dataDir, dirname(dataDir)]);
  const copyTo = [join(home, "bin"), ...(isRoot() ? systemDirs.map((dir) => join(dir, "bin")) : [])];
  if (await reachable(account, home)) {
    if (pointer === undefined || !isRoot()) await refuseForeignCluster(cluster);
    return { dataDir, home, account, copyTo };
  }
  if (existsSync(cluster)) {
    throw new DatabaseFault(
      "data_dir_not_yours",
      `The user ${account?.name}, who owns the database ${cluster}, cannot get there.`,
    );
  }
  const elsewhere = await makeSystemHome(dataDir, systemDirs, account, log);
  const why = `PostgreSQL runs as the user ${account?.name}, who cannot reach ${dataDir}. The database is in "home" instead.`;
  await writePointer({ why, home: elsewhere, data_dir: dataDir, initialized: false });
  log.info(`${why.replace('"home"', elsewhere)} ${join(dataDir, POINTER)} says so too.`);
  return { dataDir, home: elsewhere, account, copyTo };
}

/** Records that the cluster now exists, so that a later start never takes its absence for a first start. */
export async function confirmPlace({ dataDir }: Place): Promise<void> {
  const pointer = await readPointer(dataDir);
  if (pointer?.initialized === false) await writePointer({ ...pointer, initialized: true });
}

async function followPointer(pointer: Pointer, dataDir: string): Promise<string> {
  if (pointer.data_dir === dataDir) return pointer.home;
  const original = await readPointer(pointer.data_dir);
  if (original?.home === pointer.home) {
    throw new DatabaseFault(
      "data_dir_copied",
      `${dataDir} is a copy of ${pointer.data_dir}, and both point to the database in ${pointer.home}. ` +
        "To copy a database use `threadmill backup` and `restore`.",
    );
  }
  await writePointer({ ...pointer, data_dir: dataDir });
  return pointer.home;
}

/** Our own directory may be opened for passing through (its files keep their modes); folders above it are not ours to change. */
async function reachable(account: Account | undefined, home: string): Promise<boolean> {
  if (canTraverse(account, home)) return true;
  if (!canTraverse(account, dirname(home))) return false;
  await chmod(home, ((await stat(home)).mode & 0o7777) | 0o001);
  return canTraverse(account, home);
}

/** An ordinary user cannot serve a cluster that root's start gave to another account. */
async function refuseForeignCluster(cluster: string): Promise<void> {
  const owner = (await stat(cluster).catch(() => undefined))?.uid;
  if (owner === undefined || isRoot() || process.getuid === undefined || owner === process.getuid()) return;
  throw new DatabaseFault(
    "data_dir_not_yours",
    `The database ${cluster} belongs to user ${owner}. Start threadmill as root or as that user, as it was started before.`,
  );
}

async function makeSystemHome(
  dataDir: string,
  systemDirs: readonly string[],
  account: Account | undefined,
  log: PlaceOptions["log"],
): Promise<string> {
  const name = createHash("sha256").update(dataDir).digest("hex").slice(0, 12);
  for (const dir of systemDirs) {
    try {
      await mkdir(dir, { recursive: true, mode: 0o755 });
      if ((await stat(dir)).uid !== 0 || !canTraverse(account, dir)) continue;
      return await makeFreshDir(join(dir, name), log);
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
    }
  }
  throw new DatabaseFault(
    "data_dir_not_yours",
    `The user ${account?.name} can reach neither ${dataDir} nor any of ${systemDirs.join(", ")}.`,
  );
}

/** A database that an earlier, since deleted data directory left under this name is neither used nor deleted. */
async function makeFreshDir(path: string, log: PlaceOptions["log"]): Promise<string> {
  for (let n = 1; ; n++) {
    const dir = n === 1 ? path : `${path}-${n}`;
    if (existsSync(join(dir, "postgres"))) {
      log.warn(`${dir} holds a database that no data directory points to; it is left alone.`);
      continue;
    }
    await mkdir(dir, { recursive: true });
    await chmod(dir, 0o711);
    return dir;
  }
}

async function readPointer(dataDir: string): Promise<Pointer | undefined> {
  try {
    return JSON.parse(await readFile(join(dataDir, POINTER), "utf8")) as Pointer;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function writePointer(pointer: Pointer): Promise<void> {
  const path = join(pointer.data_dir, POINTER);
  await writeFile(`${path}.new`, `${JSON.stringify(pointer, null, 2)}\n`, { flush: true });
  await rename(`${path}.new`, path);
}
