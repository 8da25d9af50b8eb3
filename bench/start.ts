import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { round } from "./figures.ts";
import { temporaryDataDir } from "./installation.ts";
import { childrenOf, fieldKb } from "./processes.ts";

const mib = 1024 * 1024;
const settleMs = 2000;

/**
 * From starting the server's process to the first `ready` of /readyz: on an empty data directory, where it makes the
 * database, and on the one that it left. Memory is taken two seconds after it is ready, before any work.
 */
export async function start(_argv: readonly string[], say: (text: string) => void): Promise<object> {
  const dir = await temporaryDataDir();
  try {
    const cold = await startOnce(dir.path);
    say(`cold ${round(cold.ms)} ms`);
    const warm = await startOnce(dir.path);
    say(
      `warm ${round(warm.ms)} ms, Node ${round(warm.rssMb)} MB, PostgreSQL ${warm.postgresMb === null ? "unknown" : round(warm.postgresMb)} MB`,
    );
    return {
      coldMs: round(cold.ms),
      warmMs: round(warm.ms),
      rssMb: round(warm.rssMb, 1),
      postgresMb: warm.postgresMb === null ? null : round(warm.postgresMb, 1),
    };
  } finally {
    await dir.remove();
  }
}

interface Started {
  readonly ms: number;
  readonly rssMb: number;
  readonly postgresMb: number | null;
}

async function startOnce(dataDir: string): Promise<Started> {
  const port = await freePort();
  const main = fileURLToPath(new URL("../packages/server/src/main.ts", import.meta.url));
  const started = performance.now();
  const child = spawn(process.execPath, [main], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { PATH: process.env["PATH"], PORT: String(port), THREADMILL_DATA_DIR: dataDir, THREADMILL_LOG_LEVEL: "error" },
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  try {
    while (!(await isReady(port))) {
      if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}`);
      await delay(5);
    }
    const ms = performance.now() - started;
    await delay(settleMs);
    return { ms, ...memoryOf(child.pid as number) };
  } finally {
    child.kill("SIGTERM");
    await ended;
  }
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://localhost:${port}/readyz`)).ok;
  } catch {
    return false;
  }
}

/** Resident memory of the process, and of its PostgreSQL; there shared pages are counted once. Linux only. */
function memoryOf(pid: number): { rssMb: number; postgresMb: number | null } {
  if (process.platform !== "linux") return { rssMb: Number.NaN, postgresMb: null };
  const rssMb = fieldKb(`/proc/${pid}/status`, "VmRSS") / 1024;
  const [postmaster] = childrenOf(pid);
  if (postmaster === undefined) return { rssMb, postgresMb: null };
  const postgres = [postmaster, ...childrenOf(postmaster)];
  return {
    rssMb,
    postgresMb: postgres.reduce((sum, each) => sum + fieldKb(`/proc/${each}/smaps_rollup`, "Pss") * 1024, 0) / mib,
  };
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
