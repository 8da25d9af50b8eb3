import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../id/canonical.ts";
import { anySetting, moves, playHistory } from "../testing/histories.ts";
import { millShell, type MillShell } from "../testing/mill.ts";
import type { Item } from "./types.ts";

const numRuns = Number(process.env["FC_RUNS"] ?? 100);
const seed = process.env["FC_SEED"] === undefined ? {} : { seed: Number(process.env["FC_SEED"]) };

/** Everything that a history leaves, in one text. */
function whole(shell: MillShell): Record<string, unknown> {
  const rows = [...shell.world.rows].filter(([name]) => !name.startsWith("version/")).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.parse(canonicalJson({
    rows: Object.fromEntries(rows),
    runs: shell.runs(),
    log: shell.log,
    replies: shell.replies,
    receipts: shell.receipts,
    dropped: shell.dropped,
    poisoned: shell.poisoned,
    leftover: shell.leftover,
  }));
}

/** Cuts at will: `sizes` items a call, of `slices` operations each; what is left over goes first. */
function feedSplit(shell: MillShell, items: readonly Item[], cuts: readonly (readonly [number, number])[]): void {
  let rest: readonly Item[] = [];
  let coming = items;
  for (let n = 0; rest.length > 0 || coming.length > 0 || shell.leftover !== null; n += 1) {
    const [size, slice] = cuts[n % cuts.length] as readonly [number, number];
    rest = [...rest, ...coming.slice(0, size)];
    coming = coming.slice(size);
    const output = shell.call(rest, slice);
    expect(output.done > 0 || rest.length === 0 || shell.leftover !== null || output.operations > 0).toBe(true);
    rest = rest.slice(output.done);
  }
}
const cuts = fc.array(fc.tuple(fc.constantFrom(0, 1, 2, 3, 7), fc.constantFrom(1, 1, 2, 3, 5, 1000)), { minLength: 1, maxLength: 8 }).filter((list) => list.some(([size]) => size > 0));

describe("laws", { timeout: 600_000 }, () => {
  test("one call gives what one item a call gives", () => {
    fc.assert(
      fc.property(anySetting, moves(25), (setting, list) => {
        const one = millShell(setting);
        const items = playHistory(one, list);
        expect(one.poisoned).toEqual([]);
        const other = millShell(setting);
        other.feed(items);
        expect(whole(other)).toEqual(whole(one));
      }),
      { numRuns, ...seed },
    );
  });
  test("split", () => {
    fc.assert(
      fc.property(anySetting, moves(25), cuts, (setting, list, parts) => {
        const one = millShell(setting);
        const items = playHistory(one, list);
        const other = millShell(setting);
        feedSplit(other, items, parts);
        expect(whole(other)).toEqual(whole(one));
      }),
      { numRuns, ...seed },
    );
  });
  test("needs", () => {
    fc.assert(
      fc.property(anySetting, moves(20), cuts, fc.constantFrom("rows" as const, "bundles" as const), fc.boolean(), (setting, list, parts, loading, eager) => {
        const one = millShell(setting);
        const items = playHistory(one, list);
        const other = millShell({ ...setting, loading, eager });
        feedSplit(other, items, parts);
        expect(whole(other)).toEqual(whole(one));
      }),
      { numRuns, ...seed },
    );
  });
});
