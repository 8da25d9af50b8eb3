/** How many tests and checks passed and failed. */
export type Tally = { readonly passed: number; readonly failed: number };

/** The part of Vitest's JSON report that is counted. */
export type Report = {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
};

/** Adds tallies up. */
export function sum(tallies: readonly Tally[]): Tally {
  return tallies.reduce((a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed }), {
    passed: 0,
    failed: 0,
  });
}

/**
 * Counts one Vitest run: its tests, and each file that failed before it had any. A run without a report, or one that
 * ended badly with nothing to show for it (an error outside the tests), counts as one failure.
 */
export function tallyOf(report: Report | undefined, exitedWell: boolean): Tally {
  if (report === undefined) return { passed: 0, failed: 1 };
  const unloaded = report.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0);
  const failed = report.numFailedTests + unloaded.length;
  return { passed: report.numPassedTests, failed: failed === 0 && !exitedWell ? 1 : failed };
}

/** The line that closes every run; continuous integration reads it. */
export function closingLine({ passed, failed }: Tally): string {
  return `${passed} passed, ${failed} failed`;
}

/**
 * Which coverage totals of an Istanbul summary are below what is wanted. No summary is a gap; a total without a number
 * (nothing to cover yet) is not.
 */
export function coverageGaps(summary: unknown, wanted: Readonly<Record<string, number>>): string[] {
  const { total } = (summary ?? {}) as { total?: Readonly<Record<string, { readonly pct: number | string }>> };
  if (total === undefined) return ["not measured"];
  return Object.entries(wanted).flatMap(([kind, percent]) => {
    const actual = total[kind]?.pct;
    return typeof actual === "number" && actual < percent ? [`${kind} ${actual} % of ${percent} %`] : [];
  });
}
