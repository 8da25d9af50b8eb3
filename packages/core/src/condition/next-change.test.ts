import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json } from "../model/common.ts";
import { scopeOf } from "../testing/scope.ts";
import { addMs } from "../time/instant.ts";
import { compileCondition } from "./compile.ts";

const at = "2026-11-20T17:00:00.000Z";
const hourMs = 3_600_000;
const zone = "America/New_York";

function conditionOf(json: Json) {
  const result = compileCondition(json);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.condition;
}
const scopeAt = (value: unknown, now = at) => scopeOf({ customer: { since: value, for: "2h" } }, { at: now, zone });
const field = "customer.since";

describe("when the clock alone may change a condition", () => {
  test.each<[string, Json, unknown, string | null]>([
    [
      "an instant comes into the last two hours",
      { field, op: "in_last", value: "2h" },
      addMs(at, hourMs),
      addMs(at, hourMs),
    ],
    ["an instant drops out of them", { field, op: "in_last", value: "2h" }, addMs(at, -hourMs), addMs(at, hourMs + 1)],
    ["an instant has long dropped out", { field, op: "in_last", value: "2h" }, addMs(at, -3 * hourMs), null],
    ["so for the negation", { field, op: "not_in_last", value: "2h" }, addMs(at, -hourMs), addMs(at, hourMs + 1)],
    [
      "an instant comes into the next two hours",
      { field, op: "in_next", value: "2h" },
      addMs(at, 3 * hourMs),
      addMs(at, hourMs),
    ],
    [
      "the length may be read",
      { field, op: "in_last", value: { ref: "customer.for" } },
      addMs(at, -hourMs),
      addMs(at, hourMs + 1),
    ],
    ["where it can be read", { field, op: "in_last", value: { ref: "customer.nothing" } }, addMs(at, -hourMs), null],
    [
      "the earliest of a list counts",
      { field, op: "in_last", value: "2h" },
      [addMs(at, -hourMs), addMs(at, 60_000)],
      addMs(at, 60_000),
    ],
    ["what is missing stays missing", { field, op: "in_last", value: "2h" }, null, null],
    ["other operators mind no clock", { field, op: "is_set" }, at, null],
    [
      "groups ask all of theirs",
      {
        all: [
          { field, op: "is_set" },
          { any: [{ not: { field, op: "in_last", value: "2h" } }, { field, op: "in_next", value: "30m" }] },
        ],
      },
      addMs(at, hourMs),
      addMs(at, hourMs / 2),
    ],
    ["a day that has passed comes no more", { field, op: "in_last", value: "1d" }, "2026-11-18", null],
    ["a day may come with the next day", { field, op: "in_next", value: "1d" }, "2026-11-25", addMs(at, 11 * hourMs)],
    [
      "beyond the year 9999 is never",
      { field, op: "in_last", value: "366d" },
      "9999-12-31T00:00:00.000Z",
      "9999-12-31T00:00:00.000Z",
    ],
  ])("%s", (_name, json, value, expected) => {
    expect(conditionOf(json).nextChange(scopeAt(value))).toBe(expected);
  });

  test("a change beyond the last instant is none", () => {
    const late = "9999-12-31T23:00:00.000Z";
    expect(conditionOf({ field, op: "in_last", value: "2h" }).nextChange(scopeAt(late, late))).toBeNull();
  });

  test("nothing changes before it says so", () => {
    const values = fc.oneof(
      fc.integer({ min: -300, max: 300 }).map((minutes) => addMs(at, minutes * 600_000)),
      fc.constantFrom("2026-11-19", "2026-11-20", "2026-11-21", "2026-03-07", "2026-03-08"),
    );
    const ops = fc.constantFrom("in_last", "not_in_last", "in_next");
    const starts = fc.constantFrom(at, "2026-03-07T17:00:00.000Z", "2026-11-01T03:30:00.000Z");
    fc.assert(
      fc.property(
        values,
        ops,
        fc.constantFrom("30m", "5h", "1d"),
        starts,
        fc.integer({ min: 1, max: 2880 }),
        (value, op, length, start, minutes) => {
          const condition = conditionOf({ field, op, value: length });
          const later = addMs(start, minutes * 60_000);
          const next = condition.nextChange(scopeAt(value, start));
          if (next !== null) expect(next > start).toBe(true);
          if (next === null || later < next)
            expect(condition.test(scopeAt(value, later))).toBe(condition.test(scopeAt(value, start)));
        },
      ),
      { numRuns: 1000 },
    );
  });
});
