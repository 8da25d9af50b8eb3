import { readdirSync, readFileSync } from "node:fs";

/** What /proc tells of a process: after the name in brackets, which may hold anything, its fields from the state on. */
function statOf(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
}

/** The processes that another one started. Linux only. */
export function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return statOf(pid)[1] === String(parent);
      } catch {
        return false;
      }
    });
}

/** A field of a file under /proc, in kB. */
export function fieldKb(file: string, name: string): number {
  const [, kb] = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(readFileSync(file, "utf8")) ?? [];
  return Number(kb);
}

/** The kernel counts processor time in ticks of this many seconds, on every Linux that Node runs on. */
const tickSeconds = 0.01;

/** Processor seconds that a PostgreSQL started by this process has used so far, all its processes together; null off Linux. */
export function postgresSeconds(): number | null {
  if (process.platform !== "linux") return null;
  const [postmaster] = childrenOf(process.pid);
  if (postmaster === undefined) return null;
  // the postmaster also counts what its ended children used
  const own = statOf(postmaster).slice(11, 15);
  const living = childrenOf(postmaster).flatMap((pid) => statOf(pid).slice(11, 13));
  return [...own, ...living].reduce((sum, ticks) => sum + Number(ticks), 0) * tickSeconds;
}

/** Processor seconds that a process has used so far. Linux only. */
export function processSeconds(pid: number): number {
  const [user, system] = statOf(pid).slice(11, 13);
  return (Number(user) + Number(system)) * tickSeconds;
}

/** Processor seconds of this process so far. */
export function nodeSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
