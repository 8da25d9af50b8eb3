import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chown, mkdir, open, readFile, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseFault, systemCode } from "../fault.ts";
import { type Account, runAs } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import type { Place } from "./place.ts";

/** The role that owns everything in an embedded server. */
export const ROLE = "threadmill";

/** A cluster on disk that the binaries at hand can serve. */
export interface Cluster {
  readonly path: string;
  readonly password: string;
}

/**
 * Gives the place's cluster, made by initdb where there is none yet. A crash on the way leaves no half cluster: it is
 * built beside its name and renamed. Throws `postgres_major_mismatch` for a cluster of another major version.
 */
export async function ensureCluster(place: Place, binaries: Binaries): Promise<Cluster> {
  const path = join(place.home, "postgres");
  const passwordFile = join(place.dataDir, "postgres.password");
  const known = await readPassword(passwordFile);
  const password = known ?? randomBytes(24).toString("base64url");
  if (known === undefined) await writeFile(passwordFile, `${password}\n`, { mode: 0o600, flush: true });
  if (!existsSync(path)) {
    await initialize(place, binaries, path, password);
    return { path, password };
  }
  await checkMajor(path, binaries.major);
  if (place.account !== undefined && (await stat(path)).uid === 0) await giveTo(place.account, path);
  if (known === undefined) await setPassword(place.account, binaries, path, password);
  return { path, password };
}

async function initialize({ home, account }: Place, binaries: Binaries, path: string, password: string): Promise<void> {
  const unfinished = join(home, ".postgres.new");
  const passwordFile = join(home, ".postgres.new.password");
  await rm(unfinished, { recursive: true, force: true });
  await rm(passwordFile, { force: true });
  await mkdir(unfinished, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (account !== undefined) {
    await chown(unfinished, account.uid, account.gid);
    await chown(passwordFile, account.uid, account.gid);
  }
  // The built-in C.UTF-8 compares bytes, which is fast, and never changes under an index as the collations of an
  // operating system or of ICU do when they are updated.
  const locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"];
  const access = ["-U", ROLE, `--pwfile=${passwordFile}`, "--auth=scram-sha-256"];
  const args = ["-D", unfinished, ...access, ...locale, "--data-checksums", "--no-instructions"];
  const { ok, output } = await runAs(account, binaries.initdb, args);
  await rm(passwordFile, { force: true });
  if (!ok) throw new DatabaseFault("postgres_start_failed", `initdb failed:\n${output}`);
  await appendInclude(join(unfinished, "postgresql.conf"));
  await rename(unfinished, path);
  await syncDirectory(home);
}

/** initdb's own file stays (it probed the machine for it); ours comes after it and is written at each start. */
async function appendInclude(path: string): Promise<void> {
  await writeFile(path, "\ninclude_if_exists = 'threadmill.conf'\n", { flag: "a", flush: true });
}

async function checkMajor(path: string, major: string): Promise<void> {
  const found = (await readFile(join(path, "PG_VERSION"), "utf8")).trim();
  if (found === major) return;
  throw new DatabaseFault(
    "postgres_major_mismatch",
    `The database in ${path} was made by PostgreSQL ${found}; this threadmill brings ${major}, which cannot read it. ` +
      "Make a backup with the threadmill that made it (`threadmill backup`), move the data directory aside, and " +
      "restore it with this one (`threadmill restore`).",
  );
}

/** Copying a data directory as root makes the cluster root's, for whom PostgreSQL does not run. */
async function giveTo(account: Account, path: string): Promise<void> {
  await chown(path, account.uid, account.gid);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) await giveTo(account, child);
    else if (entry.isFile()) await chown(child, account.uid, account.gid);
  }
}

/** A lost password file costs nothing: whoever may write the cluster's files may set a new one without the server. */
async function setPassword(
  account: Account | undefined,
  binaries: Binaries,
  path: string,
  password: string,
): Promise<void> {
  const { ok, output } = await runAs(
    account,
    binaries.postgres,
    ["--single", "-D", path, "postgres"],
    `alter role ${ROLE} password '${password}'\n`,
  );
  if (!ok)
    throw new DatabaseFault("postgres_start_failed", `The database's password could not be set anew:\n${output}`);
}

async function readPassword(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, "utf8")).trim() || undefined;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(path, "r");
  await handle.sync();
  await handle.close();
}
