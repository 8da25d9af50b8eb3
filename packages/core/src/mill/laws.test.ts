import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../id/canonical.ts";
import { anySetting, moves, playHistory } from "../testing/histories.ts";
import { millShell, type MillShell } from "../testing/mill.ts";

const numRuns = 100;

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

describe("law 1", () => {
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
      { numRuns },
    );
  });
});
