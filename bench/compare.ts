import { execFile, spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { median, numberArgument, round } from "./figures.ts";
import type { LatencyRound } from "./latency.ts";
import { type Measured, processorOf } from "./throughput.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));
const here = fileURLToPath(new URL(".", import.meta.url));

/** The measurements in the order in which each round takes them; each starts from a fresh database in a fresh process. */
const measurements = ["many", "one", "reply", "http"] as const;

/** What the measurements of one round came to, by name, higher and lower as they are. */
interface Side {
  readonly threadmill: number;
  readonly oneLane: number;
  readonly withReply: number;
  readonly httpPerSecond: number;
  readonly p99At100: number;
  readonly p99At1000: number;
  readonly walBytesPerRun: number;
}

/**
 * This tree beside another commit: the same measurements, by this folder's own method, in alternating rounds of one run,
 * so that whatever else the machine does falls on both. Each ratio is the new median over the old one: above one is better for
 * what is counted a second, below one for milliseconds and bytes.
 */
export async function compare(argv: readonly string[], say: (text: string) => void): Promise<object> {
  const [name] = argv.filter((word, at) => !word.startsWith("--") && argv[at - 1] !== "--rounds");
  if (name === undefined) throw new Error("compare needs the commit to compare with");
  const rounds = numberArgument(argv, "rounds") ?? 3;
  const { stdout } = await run("git", ["rev-parse", "--verify", `${name}^{commit}`], { cwd: root });
  const commit = stdout.trim();
  const scratch = mkdtempSync(join(tmpdir(), "threadmill-compare-"));
  const other = join(scratch, "tree");
  try {
    say(`bringing ${commit.slice(0, 12)} and its packages`);
    await run("git", ["worktree", "add", "--detach", other, commit], { cwd: root });
    await run("npm", ["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"], { cwd: other });
    // both sides are measured the same way, by this folder
    rmSync(join(other, "bench"), { recursive: true, force: true });
    cpSync(here, join(other, "bench"), { recursive: true });
    const sides: { readonly old: Side[]; readonly new: Side[] } = { old: [], new: [] };
    for (let n = 1; n <= rounds; n += 1) {
      const found = { old: {}, new: {} } as Record<"old" | "new", Record<string, unknown>>;
      for (const measurement of measurements) {
        // whoever comes first in one round comes second in the next
        for (const side of n % 2 === 1 ? (["old", "new"] as const) : (["new", "old"] as const)) {
          const figures = await measure(side === "old" ? other : root, measurement);
          found[side][measurement] = figures;
          say(`round ${n}, ${side}: ${inWords(measurement, figures)}`);
        }
      }
      sides.old.push(sideOf(found.old));
      sides.new.push(sideOf(found.new));
    }
    const names = Object.keys(sides.new[0] as Side) as (keyof Side)[];
    const table = names.map((each) => {
      const before = median(sides.old.map((side) => side[each]));
      const after = median(sides.new.map((side) => side[each]));
      return { each, before, after, ratio: round(after / before, 3) };
    });
    say(`${"".padEnd(16)}${"old".padStart(10)}${"new".padStart(10)}${"new/old".padStart(10)}`);
    for (const { each, before, after, ratio } of table) {
      const figure = (value: number): string => String(round(value, value < 1000 ? 1 : 0)).padStart(10);
      say(`${each.padEnd(16)}${figure(before)}${figure(after)}${ratio.toFixed(3).padStart(10)}`);
    }
    return { commit, ratios: Object.fromEntries(table.map(({ each, ratio }) => [each, ratio])) };
  } finally {
    await run("git", ["worktree", "remove", "--force", other], { cwd: root }).catch(() => {});
    rmSync(scratch, { recursive: true, force: true });
    await run("git", ["worktree", "prune"], { cwd: root });
  }
}

/** One measurement in a process of its own; its last line is what it found. */
async function measure(tree: string, measurement: (typeof measurements)[number]): Promise<unknown> {
  const child = spawn(process.execPath, [join(tree, "bench/round.ts"), measurement], {
    cwd: tree,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  let last = "";
  for await (const line of createInterface({ input: child.stdout })) last = line;
  const code = await ended;
  if (code !== 0) throw new Error(`${measurement} in ${tree} ended with ${code}`);
  return JSON.parse(last);
}

function sideOf(found: Readonly<Record<string, unknown>>): Side {
  const [many, one, reply] = ["many", "one", "reply"].map((each) => found[each] as Measured) as [
    Measured,
    Measured,
    Measured,
  ];
  const http = found["http"] as LatencyRound;
  return {
    threadmill: median(many.runsPerSecond),
    oneLane: median(one.runsPerSecond),
    withReply: median(reply.runsPerSecond),
    httpPerSecond: http.httpPerSecond,
    p99At100: http.p99Ms[0] as number,
    p99At1000: http.p99Ms[1] as number,
    walBytesPerRun: many.walBytesPerRun,
  };
}

function inWords(measurement: (typeof measurements)[number], figures: unknown): string {
  if (measurement === "http") {
    const { p99Ms, httpPerSecond } = figures as LatencyRound;
    return `p99 ${p99Ms.map((each) => round(each, 1)).join(" ms at 100/s and ")} ms at 1,000/s, ${round(httpPerSecond)}/s over HTTP`;
  }
  const measured = figures as Measured;
  return `${measurement} ${round(median(measured.runsPerSecond))} runs/s, ${round(measured.walBytesPerRun)} bytes of WAL a run, ${processorOf(measured)}`;
}
