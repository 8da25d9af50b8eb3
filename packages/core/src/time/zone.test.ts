import fc from "fast-check";
import { expect, test } from "vitest";
import { fromMs, toMs } from "./instant.ts";
import { localDay } from "./local.ts";
import { firstInstant, isZone, localMs, zoneSteps, zoneWindow } from "./zone.ts";

const zones = [
  "America/New_York",
  "Europe/Berlin",
  "Australia/Lord_Howe",
  "Africa/Cairo",
  "Africa/Casablanca",
  "Pacific/Apia",
  "America/St_Johns",
  "Asia/Kathmandu",
  "Asia/Tokyo",
  "America/Havana",
  "UTC",
];
const anyInstant = fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2045, 0) });
const anyZone = fc.constantFrom(...zones);

/** What the zone's clock shows, by Intl alone. */
function shown(zone: string): (ms: number) => string {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
  return (ms) => format.format(ms).replace(" ", "T");
}
const clocks = new Map(zones.map((zone) => [zone, shown(zone)]));

test("shows the local time that Intl shows", () => {
  fc.assert(
    fc.property(anyZone, anyInstant, (zone, ms) => {
      expect(fromMs(localMs(zone, ms)).slice(0, 19)).toBe(clocks.get(zone)!(ms));
      expect(localDay(fromMs(ms), zone)).toBe(clocks.get(zone)!(ms).slice(0, 10));
    }),
    { numRuns: 3000 },
  );
});

test("windows change exactly where the clocks do", () => {
  fc.assert(
    fc.property(anyZone, anyInstant, (zone, ms) => {
      const window = zoneWindow(zone, ms);
      expect(window.from <= ms && ms < window.to).toBe(true);
      for (const edge of [window.from, window.to]) {
        if (Math.abs(edge) === Infinity || edge < Date.UTC(1975, 0)) continue;
        expect(fromMs(localMs(zone, edge)).slice(0, 19)).toBe(clocks.get(zone)!(edge));
        expect(fromMs(localMs(zone, edge - 1)).slice(0, 19)).toBe(clocks.get(zone)!(edge - 1));
        expect(localMs(zone, edge) - localMs(zone, edge - 1)).not.toBe(1);
      }
    }),
    { numRuns: 500 },
  );
});

test("the first instant of a local time is the first that shows as much", () => {
  fc.assert(
    fc.property(anyZone, anyInstant, (zone, local) => {
      const at = firstInstant(zone, local);
      expect(localMs(zone, at)).toBeGreaterThanOrEqual(local);
      expect(localMs(zone, at - 1)).toBeLessThan(local);
    }),
    { numRuns: 2000 },
  );
});

test("skipped and repeated local times", () => {
  const local = (text: string) => toMs(`${text}:00.000Z`);
  expect(fromMs(firstInstant("America/New_York", local("2026-03-08T02:30")))).toBe("2026-03-08T07:00:00.000Z");
  expect(fromMs(firstInstant("America/New_York", local("2026-11-01T01:30")))).toBe("2026-11-01T05:30:00.000Z");
  expect(fromMs(firstInstant("Australia/Lord_Howe", local("2026-10-04T02:15")))).toBe("2026-10-03T15:30:00.000Z");
  expect(fromMs(firstInstant("Pacific/Apia", local("2011-12-30T12:00")))).toBe("2011-12-30T10:00:00.000Z");
});

test("remembers what it found out of a zone, whatever else is asked, without changing an answer", () => {
  const before = zoneWindow("America/New_York", Date.UTC(2020, 6));
  for (let minute = 0; minute < 80; minute++) zoneWindow(`+01:${String(minute % 60).padStart(2, "0")}`, 0);
  for (let year = 1890; year < 2110; year += 1) zoneWindow("AMERICA/new_york", Date.UTC(year, 6));
  for (let year = 2109; year >= 1890; year -= 1) {
    for (const month of [0, 6]) {
      const ms = Date.UTC(year, month);
      const window = zoneWindow("America/New_York", ms);
      expect([window.from <= ms, ms < window.to]).toEqual([true, true]);
    }
  }
  // the same object: it was not looked for again, not even by another spelling
  expect(zoneWindow("america/new_york", Date.UTC(2020, 6))).toBe(before);
  expect(zoneWindow("America/New_York", Date.UTC(2120, 6))).toEqual(zoneWindow("America/New_York", Date.UTC(2120, 6)));
  expect(zoneSteps(Date.UTC(2026, 0))).toBeLessThan(zoneSteps(Date.UTC(2126, 0)));
});

test("knows what a zone is", () => {
  for (const zone of [...zones, "+05:30"]) expect([zone, isZone(zone)]).toEqual([zone, true]);
  for (const text of ["", "Mars/Olympus", "America", "2026-01-01T00:00Z[UTC]", "05:30", "local", "+99:00"]) {
    expect([text, isZone(text)]).toEqual([text, false]);
  }
  expect(() => zoneWindow("Mars/Olympus", 0)).toThrow(RangeError);
});

test("the local day", () => {
  expect(localDay("2026-11-20T04:59:59.999Z", "America/New_York")).toBe("2026-11-19");
  expect(localDay("2026-11-20T05:00:00.000Z", "America/New_York")).toBe("2026-11-20");
  expect(localDay("2026-11-20T05:00:00.000Z", "UTC")).toBe("2026-11-20");
});
