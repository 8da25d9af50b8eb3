import { describe, expect, test } from "vitest";
import { closingLine, coverageGaps, sum, tallyOf } from "./tally.ts";
import type { Report } from "./tally.ts";

function report(passed: number, failed: number, testResults: Report["testResults"] = []): Report {
  return { numPassedTests: passed, numFailedTests: failed, testResults };
}

describe("counting a run", () => {
  test("tests count as Vitest counted them", () => {
    expect(tallyOf(report(3, 0), true)).toEqual({ passed: 3, failed: 0 });
    expect(tallyOf(report(3, 2), false)).toEqual({ passed: 3, failed: 2 });
  });

  test("a file that failed before its tests counts once; one whose tests failed does not count again", () => {
    const files = [
      { status: "failed", assertionResults: [] },
      { status: "failed", assertionResults: [{}] },
      { status: "passed", assertionResults: [] },
    ];
    expect(tallyOf(report(0, 1, files), false)).toEqual({ passed: 0, failed: 2 });
  });

  test("a bad end without a failed test, or without a report, is a failure", () => {
    expect(tallyOf(report(5, 0), false)).toEqual({ passed: 5, failed: 1 });
    expect(tallyOf(undefined, true)).toEqual({ passed: 0, failed: 1 });
  });
});

test("tallies add up to the closing line", () => {
  const tally = sum([
    { passed: 2, failed: 0 },
    { passed: 1, failed: 3 },
  ]);
  expect(closingLine(tally)).toBe("3 passed, 3 failed");
  expect(closingLine(sum([]))).toBe("0 passed, 0 failed");
});

describe("coverage", () => {
  const wanted = { lines: 95, branches: 100 };

  test("is enough at the number wanted", () => {
    expect(coverageGaps({ total: { lines: { pct: 95 }, branches: { pct: 100 } } }, wanted)).toEqual([]);
  });

  test("names what is below", () => {
    expect(coverageGaps({ total: { lines: { pct: 99 }, branches: { pct: 99.9 } } }, wanted)).toEqual([
      "branches 99.9 % of 100 %",
    ]);
  });

  test("of nothing is enough, but no measurement is not", () => {
    expect(coverageGaps({ total: { lines: { pct: "Unknown" }, branches: { pct: "Unknown" } } }, wanted)).toEqual([]);
    expect(coverageGaps(undefined, wanted)).toEqual(["not measured"]);
  });
});
