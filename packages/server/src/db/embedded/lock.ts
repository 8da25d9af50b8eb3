import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DatabaseFault } from "../fault.ts";

const SQLITE_BUSY = 5;

/** A held lock on a directory. */
export interface DirectoryLock {
  /** Lets go of the lock. Calling it again does nothing. */
  release(): void;
}

/**
 * Takes the one lock on a directory for as long as this process lives, or throws `data_dir_in_use` naming the holder.
 *
 * Node has no flock, but its SQLite takes a real lock of the operating system. The kernel drops that when the process
 * dies, however it dies, so there are no stale locks and no process ids to second-guess; the id is only written beside
 * it for the message. Never open `threadmill.lock` for anything else in this process: closing any descriptor of that
 * file would drop the lock (POSIX).
 */
export function lockDirectory(dir: string): DirectoryLock {
  const pidFile = join(dir, "threadmill.pid");
  const database = openLockFile(join(dir, "threadmill.lock"), dir);
  try {
    database.exec("begin exclusive");
    // this also tells whether the directory is ours: SQLite takes a file it may not write for a read-only database
    writeFileSync(pidFile, `${process.pid}\n`);
  } catch (error) {
    database.close();
    throw isBusy(error) ? inUse(dir, readPid(pidFile)) : notOurs(dir, error);
  }
  return {
    release() {
      if (!database.isOpen) return;
      rmSync(pidFile, { force: true });
      database.close();
    },
  };
}

function openLockFile(path: string, dir: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { timeout: 0 });
  } catch (error) {
    throw notOurs(dir, error);
  }
}

function inUse(dir: string, pid: number | undefined): DatabaseFault {
  return new DatabaseFault(
    "data_dir_in_use",
    `The data directory ${dir} is in use by another threadmill process` +
      `${pid === undefined ? "" : ` (pid ${pid})`}. Stop that one first, or give this one a directory of its own.`,
  );
}

function notOurs(dir: string, cause: unknown): DatabaseFault {
  return new DatabaseFault(
    "data_dir_not_yours",
    `The data directory ${dir} cannot be locked: this user may not write in it, or its file system has no locks.`,
    cause,
  );
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY;
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(path, "utf8"), 10);
    return Number.isSafeInteger(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
}
