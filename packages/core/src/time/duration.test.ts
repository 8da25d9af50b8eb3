import fc from "fast-check";
import { expect, test } from "vitest";
import { formatDuration, parseDuration, plainSeconds } from "./duration.ts";

test.each([
  ["90s", 0, 90],
  ["30m", 0, 1800],
  ["2h", 0, 7200],
  ["1d", 1, 0],
  ["1w", 7, 0],
  ["1h30m", 0, 5400],
  ["1w 2d 3h 4m 5s", 9, 11_045],
  [" 1d12h ", 1, 43_200],
  ["36h", 0, 129_600],
  ["PT2H", 0, 7200],
  ["P1D", 1, 0],
  ["P1W", 7, 0],
  ["P1DT1H1M1S", 1, 3661],
  ["366d", 366, 0],
  ["1s", 0, 1],
])("%s", (text, days, seconds) => {
  expect(parseDuration(text)).toEqual({ ok: true, duration: { days, seconds } });
});

test.each([
  "",
  " ",
  "2",
  "h",
  "2x",
  "-2h",
  "1.5h",
  "2H",
  "1h1d",
  "1h 1h",
  "P",
  "PT",
  "P1M",
  "P1Y",
  "P1DT",
  "pt2h",
  "2 h",
  "9999999999s",
])("%s is none", (text) => {
  expect(parseDuration(text)).toMatchObject({ ok: false, code: "duration_invalid", message: expect.any(String) });
});

test("has bounds", () => {
  expect(parseDuration("0s")).toMatchObject({ ok: false, code: "duration_too_short" });
  expect(parseDuration("PT0M")).toMatchObject({ ok: false, code: "duration_too_short" });
  expect(parseDuration("367d")).toMatchObject({ ok: false, code: "duration_too_long" });
  expect(parseDuration("366d1s")).toMatchObject({ ok: false, code: "duration_too_long" });
  expect(parseDuration("53w")).toMatchObject({ ok: false, code: "duration_too_long" });
});

test("is written as it is read", () => {
  const duration = fc.record({
    days: fc.integer({ min: 0, max: 300 }),
    seconds: fc.integer({ min: 0, max: 5_000_000 }),
  });
  fc.assert(
    fc.property(duration, (d) => {
      fc.pre(plainSeconds(d) > 0);
      expect(parseDuration(formatDuration(d))).toEqual({ ok: true, duration: d });
    }),
  );
  expect(formatDuration({ days: 1, seconds: 9000 })).toBe("1d2h30m");
  expect(formatDuration({ days: 0, seconds: 90_000 })).toBe("25h");
  expect(formatDuration({ days: 0, seconds: 0 })).toBe("0s");
  expect(plainSeconds({ days: 2, seconds: 5 })).toBe(172_805);
});
