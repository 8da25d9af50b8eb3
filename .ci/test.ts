// `npm test`: the checks, then every test. `npm test -- core` or `npm test -- packages/core/src/condition` runs a part;
// what begins with a dash goes to Vitest, so `npm test -- core -t "splitting"` works too.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runChecks } from "./checks.ts";
import { root } from "./files.ts";
import { coreCoverage, projects } from "./settings.ts";
import { closingLine, coverageGaps, sum, tallyOf } from "./tally.ts";
import type { Report, Tally } from "./tally.ts";
import { runTool } from "./tool.ts";

const scratch = mkdtempSync(join(tmpdir(), "threadmill-test-"));
try {
  const tally = await run(process.argv.slice(2));
  console.log(closingLine(tally));
  process.exitCode = tally.failed === 0 ? 0 : 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function run(args: readonly string[]): Promise<Tally> {
  if (args.length > 0) {
    const names: readonly string[] = projects;
    const part = await vitest(args.map((arg) => (names.includes(arg) ? `--project=${arg}` : arg)));
    return tallyOf(part.report, part.ok);
  }
  const checked = await runChecks();
  const others = await vitest(["--project=!core", "--passWithNoTests"]);
  // Core runs by itself, so that its coverage is the work of its own tests. Vitest also fails a run whose coverage is
  // too low; that is counted once, as the coverage.
  rmSync(join(root, "coverage"), { recursive: true, force: true });
  const core = await vitest(["--project=core", "--passWithNoTests", "--coverage"]);
  const gaps = coverageGaps(readJson(join(root, "coverage/coverage-summary.json")), coreCoverage);
  console.log(gaps.length === 0 ? "ok      coverage of core" : `failed  coverage of core: ${gaps.join(", ")}`);
  const covered = { passed: gaps.length === 0 ? 1 : 0, failed: gaps.length === 0 ? 0 : 1 };
  return sum([checked, tallyOf(others.report, others.ok), tallyOf(core.report, core.ok || gaps.length > 0), covered]);
}

/** Runs Vitest, its output on the terminal, and reads back what it counted. */
async function vitest(args: readonly string[]): Promise<{ readonly report: Report | undefined; readonly ok: boolean }> {
  const file = join(scratch, "report.json");
  rmSync(file, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const { ok } = await runTool("vitest", ["run", ...reporters, ...args], true);
  return { report: readJson(file) as Report | undefined, ok };
}

/** A JSON file's content, or undefined where there is no such file: the tool that should have written it died. */
function readJson(path: string): unknown {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}
