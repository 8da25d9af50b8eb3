import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseInstant, parseInt8 } from "./value-parsers.ts";

describe("parseInstant", () => {
  test.each([
    ["2026-11-20 17:00:00+00", "2026-11-20T17:00:00.000Z"],
    ["2026-11-20 17:00:00.5+00", "2026-11-20T17:00:00.500Z"],
    ["2026-11-20 17:00:00.12+00", "2026-11-20T17:00:00.120Z"],
    ["2026-11-20 17:00:00.123+00", "2026-11-20T17:00:00.123Z"],
    ["2026-11-20 17:00:00.123987+00", "2026-11-20T17:00:00.123Z"],
    ["2026-11-20 18:00:00+01", "2026-11-20T17:00:00.000Z"],
    ["2026-11-20 22:30:00.25+05:30", "2026-11-20T17:00:00.250Z"],
    ["2026-11-20 07:00:00-10", "2026-11-20T17:00:00.000Z"],
    ["infinity", "infinity"],
    ["-infinity", "-infinity"],
  ])("%s", (text, instant) => {
    expect(parseInstant(text)).toBe(instant);
  });

  test("agrees with Date for every millisecond that PostgreSQL can print", () => {
    const max = Date.UTC(9999, 11, 31);
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(1, 0, 1) + 6e13, max }), (ms) => {
        const iso = new Date(ms).toISOString();
        const printed = `${iso.slice(0, 19).replace("T", " ")}${iso.slice(19, 23).replace(/\.?0+$/, "")}+00`;
        expect(parseInstant(printed)).toBe(iso);
      }),
    );
  });

  test("refuses what is no timestamp", () => {
    expect(() => parseInstant("yesterday")).toThrow(RangeError);
  });
});

test("parseInt8 refuses what a number cannot hold", () => {
  expect(parseInt8("-9007199254740991")).toBe(-9007199254740991);
  expect(() => parseInt8("9007199254740993")).toThrow(RangeError);
});
