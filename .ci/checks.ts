import { readHouse, readText, sourceFiles } from "./files.ts";
import { importProblems, isTest } from "./imports.ts";
import { lockProblems } from "./lock-file.ts";
import { purityProblems } from "./purity.ts";
import { maxFileLines } from "./settings.ts";
import type { Tally } from "./tally.ts";
import { runTool } from "./tool.ts";

/** A rule that a machine watches. `run` returns what is wrong, line by line; nothing means that it holds. */
export type Check = { readonly name: string; readonly run: () => Promise<readonly string[]> };

/** Every check, the quick ones first. */
export const checks: readonly Check[] = [
  { name: "import directions", run: async () => imports() },
  { name: "core is pure", run: async () => purity() },
  { name: "lock file", run: async () => lockProblems(readText("package-lock.json")) },
  { name: `no file over ${maxFileLines} lines`, run: async () => lengths() },
  { name: "formatting", run: () => tool("oxfmt", ["--check", "."]) },
  { name: "types", run: () => tool("typescript", ["--noEmit", "-p", "tsconfig.json"]) },
  { name: "lint", run: () => tool("oxlint", ["--type-aware", "--deny-warnings", "."]) },
];

/** Runs every check, prints a line for each and the details of those that fail, and counts them. */
export async function runChecks(): Promise<Tally> {
  let failed = 0;
  for (const check of checks) {
    const started = performance.now();
    // One after the other: their lines come in order, and two cores have enough to do with one of them.
    const problems = await check.run();
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${problems.length === 0 ? "ok    " : "failed"}  ${check.name} (${seconds} s)`);
    for (const problem of problems) console.log(`        ${problem}`);
    if (problems.length > 0) failed += 1;
  }
  return { passed: checks.length - failed, failed };
}

function imports(): string[] {
  const house = readHouse();
  return sourceFiles()
    .filter(({ path }) => /\.(?:tsx?|mts|mjs|js)$/.test(path))
    .flatMap((file) => importProblems(file, house));
}

function purity(): string[] {
  return sourceFiles()
    .filter(({ path }) => path.startsWith("packages/core/src/") && !isTest(path))
    .flatMap(purityProblems);
}

function lengths(): string[] {
  return sourceFiles()
    .filter(({ path }) => !isTest(path) && !path.includes("/testing/"))
    .map(({ path, text }) => ({ path, lines: text.split("\n").length - 1 }))
    .filter(({ lines }) => lines > maxFileLines)
    .map(({ path, lines }) => `${path}: ${lines} lines`);
}

async function tool(name: string, args: readonly string[]): Promise<string[]> {
  const { ok, output } = await runTool(name, args);
  if (ok) return [];
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  return lines.length > 0 ? lines : [`${name} failed without a word`];
}
