import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { DatabaseFault } from "../fault.ts";
import { type Account, identity, plainEnvironment, rootDirectory, runAs } from "./account.ts";
import type { Binaries } from "./binaries.ts";

const POLL_MS = 10;
const FAST_MS = 60_000;
const windows = process.platform === "win32";

/** A running PostgreSQL server. */
export interface Postmaster {
  readonly pid: number;
  /** Resolves when the process has ended, however it did. */
  readonly exited: Promise<void>;
  /** Ends sessions, writes a checkpoint and stops. Resolves when the process is gone. */
  stop(): Promise<void>;
  /** Asks for the same and does not wait: for the last moments of our own process. */
  stopNow(): void;
}

/**
 * Starts the server in a session of its own, so that a terminal's Ctrl-C reaches us alone and we decide when the
 * database stops. It is our child, not pg_ctl's: we hear of its end at once, and it leaves no zombie where we are pid 1.
 */
export function spawnPostmaster(
  binaries: Binaries,
  account: Account | undefined,
  cluster: string,
  logFd: number,
): Postmaster {
  const child = spawn(binaries.postgres, ["-D", cluster], {
    ...identity(account),
    cwd: rootDirectory(),
    detached: true,
    windowsHide: true,
    env: plainEnvironment(),
    stdio: ["ignore", logFd, logFd],
  });
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  child.unref();
  const pid = child.pid ?? -1;
  const stopNow = () => {
    if (isRunning(child)) interrupt(child, binaries, cluster);
  };
  return {
    pid,
    exited,
    stopNow,
    async stop() {
      child.ref();
      stopNow();
      const force = setTimeout(() => child.kill("SIGQUIT"), FAST_MS);
      await exited;
      clearTimeout(force);
    },
  };
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** SIGINT is PostgreSQL's fast shutdown. Windows has no signals, so pg_ctl brings it the message there. */
function interrupt(child: ChildProcess, binaries: Binaries, cluster: string): void {
  if (windows)
    spawnSync(binaries.pgCtl, ["stop", "-D", cluster, "-m", "fast", "-W"], { stdio: "ignore", windowsHide: true });
  else child.kill("SIGINT");
}

/** Waits until the server takes connections. Answers false if it ended instead. */
export async function becomesReady({ pid, exited }: Postmaster, cluster: string): Promise<boolean> {
  let ended = false;
  void exited.then(() => (ended = true));
  while (!ended) {
    const file = readPidFile(cluster);
    if (file?.status === "ready" && (file.pid === pid || windows)) return true;
    // no limit: after a crash it replays its log first, and nothing is gained by giving up on that
    await delay(POLL_MS);
  }
  return false;
}

/**
 * Deals with what an earlier threadmill left behind, once we hold the directory's lock: a server that outlived a
 * `kill -9` is stopped in order, a pid file whose number now belongs to another program is removed. (Any other stale
 * pid file PostgreSQL sees through by itself.)
 */
export async function stopLeftover(
  binaries: Binaries,
  account: Account | undefined,
  cluster: string,
): Promise<boolean> {
  if (windows) return (await runAs(account, binaries.pgCtl, ["stop", "-D", cluster, "-m", "fast"])).ok;
  const pid = readPidFile(cluster)?.pid;
  if (pid === undefined) return false;
  if (!serves(pid, cluster)) {
    if (exists(pid)) rmSync(join(cluster, "postmaster.pid"), { force: true });
    return false;
  }
  for (const [signal, ms] of [
    ["SIGINT", FAST_MS],
    ["SIGQUIT", FAST_MS],
  ] as const) {
    process.kill(pid, signal);
    for (const end = performance.now() + ms; performance.now() < end; await delay(POLL_MS)) {
      if (!serves(pid, cluster)) return true;
    }
  }
  throw new DatabaseFault("postgres_start_failed", `A PostgreSQL left over from before (pid ${pid}) does not stop.`);
}

/** Tells whether the process is a server of this cluster, by its command line, which (unlike its folder) every user may read. */
function serves(pid: number, cluster: string): boolean {
  try {
    if (process.platform === "linux") return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(cluster);
    return spawnSync("ps", ["-o", "command=", "-p", String(pid)])
      .stdout.toString()
      .includes(cluster);
  } catch {
    return false;
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Lines 1 and 8 of postmaster.pid: its process and how far it has come. */
function readPidFile(cluster: string): { pid: number; status: string | undefined } | undefined {
  try {
    const lines = readFileSync(join(cluster, "postmaster.pid"), "utf8").split("\n");
    const pid = Math.abs(Number(lines[0]));
    return Number.isSafeInteger(pid) && pid > 1 ? { pid, status: lines[7]?.trim() } : undefined;
  } catch {
    return undefined;
  }
}
