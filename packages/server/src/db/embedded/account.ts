import { spawn, spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { DatabaseFault } from "../fault.ts";

/** The account PostgreSQL runs under; undefined where it is simply our own. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL's own account where its package is installed, else the one that owns nothing. `nobody` may be shared with
 * other services, so it comes last.
 */
const PREFERRED_NAMES = ["postgres", "_postgres", "nobody"];

/** Tells whether this process is root, whom PostgreSQL refuses to serve. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * Chooses the account for PostgreSQL. An ordinary user runs it as himself. Root gives it to the owner of the first
 * path that exists and is not root's (an existing cluster, then the data directory), else to a preferred account of
 * the machine. Creates nothing. Throws `postgres_account_missing` where root finds none.
 */
export function chooseAccount(ownedPaths: readonly string[], passwd = readPasswd()): Account | undefined {
  if (!isRoot()) return undefined;
  const accounts = parsePasswd(passwd);
  for (const path of ownedPaths) {
    const stat = statSync(path, { throwIfNoEntry: false });
    // initdb asks for the account's name, so an owner unknown to this machine is of no use
    const owner = accounts.find((account) => account.uid === stat?.uid);
    if (owner !== undefined) return owner;
  }
  for (const name of PREFERRED_NAMES) {
    const account = accounts.find((candidate) => candidate.name === name);
    if (account !== undefined) return account;
  }
  throw new DatabaseFault(
    "postgres_account_missing",
    "PostgreSQL does not run as root and this machine has no user `postgres` or `nobody`. Start threadmill as an " +
      "ordinary user, let one own the data directory, or set DATABASE_URL.",
  );
}

/** The unprivileged accounts of a passwd file. */
export function parsePasswd(text: string): Account[] {
  const accounts: Account[] = [];
  for (const line of text.split("\n")) {
    const [name, , uid, gid] = line.split(":");
    if (name === undefined || name.startsWith("#") || uid === undefined || gid === undefined) continue;
    // some systems write nobody as -2
    if (Number(uid) !== 0) accounts.push({ name, uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 });
  }
  return accounts;
}

function readPasswd(): string {
  try {
    return readFileSync("/etc/passwd", "utf8");
  } catch {
    return "";
  }
}

/** The options that make a child process run under the account. */
export function identity(account: Account | undefined): { uid?: number; gid?: number } {
  return account === undefined ? {} : { uid: account.uid, gid: account.gid };
}

/** Tells whether the account can reach a directory and what is in it by name. Asks the kernel, since mode bits are not the whole truth. */
export function canTraverse(account: Account | undefined, dir: string): boolean {
  if (account === undefined) return true;
  const { status } = spawnSync("/bin/sh", ["-c", 'test -x "$0"', dir], {
    ...identity(account),
    cwd: "/",
    stdio: "ignore",
  });
  return status === 0;
}

/** How a finished program ended, and what it printed on both streams. */
export interface Finished {
  readonly ok: boolean;
  readonly output: string;
}

/** Runs a program under the account until it ends, with `input` typed in. Never throws: a program that cannot be started is not `ok`. */
export function runAs(
  account: Account | undefined,
  program: string,
  args: readonly string[],
  input = "",
): Promise<Finished> {
  return new Promise((resolve) => {
    let output = "";
    // cwd "/" because the account may not be allowed into ours
    const child = spawn(program, args, {
      ...identity(account),
      cwd: rootDirectory(),
      env: plainEnvironment(),
      stdio: "pipe",
    });
    const collect = (chunk: Buffer) => (output += chunk.toString());
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    // a program that ends without reading its input is no fault of ours
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.on("error", (error) => resolve({ ok: false, output: error.message }));
    child.on("close", (code) => resolve({ ok: code === 0, output }));
  });
}

/** A working directory that every account can enter. */
export function rootDirectory(): string | undefined {
  return process.platform === "win32" ? undefined : "/";
}

/** What PostgreSQL's programs need of our environment, and no more: another account can read theirs, and ours holds secrets. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  // "C" keeps messages readable to us
  const env = { PATH: process.env.PATH, LC_ALL: "C" };
  return process.platform === "win32" ? { ...env, SystemRoot: process.env.SystemRoot, TEMP: process.env.TEMP } : env;
}
