import fc from "fast-check";
import { Temporal } from "temporal-polyfill";
import { describe, expect, test } from "vitest";
import { addOpenTime, isOpen, nextChange, openSecondsBetween } from "./calendar.ts";
import { type BusinessCalendar, weekdays } from "./calendar-shape.ts";
import { validateCalendar } from "./calendar-check.ts";
import { fromMs, toMs } from "./instant.ts";

const office: BusinessCalendar = {
  zone: "America/New_York",
  hours: {
    mon: [["09:00", "17:00"]],
    tue: [
      ["09:00", "12:00"],
      ["13:00", "17:00"],
    ],
    wed: [["09:00", "17:00"]],
    thu: [["09:00", "17:00"]],
    fri: [["09:00", "17:00"]],
  },
  holidays: [{ date: "2026-11-26", name: "Thanksgiving" }],
};
const always = (zone: string): BusinessCalendar => ({
  zone,
  hours: Object.fromEntries(weekdays.map((day) => [day, [["00:00", "24:00"]]])),
  holidays: [],
});
const only = (hours: BusinessCalendar["hours"], zone = "UTC"): BusinessCalendar => ({ zone, hours, holidays: [] });
const never = only({});

/** An instant by New York's winter clock. */
const ny = (text: string) => fromMs(toMs(`${text}:00.000Z`) + 5 * 3_600_000);
const utc = (text: string) => `${text}:00.000Z`;
const hours = (n: number) => ({ days: 0, seconds: n * 3600 });
const days = (n: number, seconds = 0) => ({ days: n, seconds });

describe("examples", () => {
  test("open from opening on, closed from closing on", () => {
    expect(isOpen(office, ny("2026-11-20T09:00"))).toBe(true);
    expect(isOpen(office, fromMs(toMs(ny("2026-11-20T09:00")) - 1))).toBe(false);
    expect(isOpen(office, fromMs(toMs(ny("2026-11-20T17:00")) - 1))).toBe(true);
    expect(isOpen(office, ny("2026-11-20T17:00"))).toBe(false);
    expect(isOpen(office, ny("2026-11-26T12:00"))).toBe(false);
    expect(isOpen(office, ny("2026-11-21T12:00"))).toBe(false);
    expect(isOpen(never, ny("2026-11-21T12:00"))).toBe(false);
  });

  test("hours pass while it is open", () => {
    expect(addOpenTime(office, ny("2026-11-20T16:00"), hours(2))).toBe(ny("2026-11-23T10:00"));
    expect(addOpenTime(office, ny("2026-11-20T16:00"), hours(1))).toBe(ny("2026-11-20T17:00"));
    expect(addOpenTime(office, ny("2026-11-24T11:00"), hours(2))).toBe(ny("2026-11-24T14:00"));
    expect(addOpenTime(office, ny("2026-11-25T16:00"), hours(2))).toBe(ny("2026-11-27T10:00"));
    expect(addOpenTime(office, ny("2026-11-20T16:00"), { days: 0, seconds: 0 })).toBe(ny("2026-11-20T16:00"));
  });

  test("days keep the local time, moved into the hours", () => {
    expect(addOpenTime(office, ny("2026-11-20T10:30"), days(1))).toBe(ny("2026-11-23T10:30"));
    expect(addOpenTime(office, ny("2026-11-20T08:00"), days(1))).toBe(ny("2026-11-23T09:00"));
    expect(addOpenTime(office, ny("2026-11-20T20:00"), days(1))).toBe(ny("2026-11-23T17:00"));
    expect(addOpenTime(office, ny("2026-11-23T12:15"), days(1))).toBe(ny("2026-11-24T13:00"));
    expect(addOpenTime(office, ny("2026-11-21T12:00"), days(1))).toBe(ny("2026-11-23T12:00"));
    expect(addOpenTime(office, ny("2026-11-25T12:00"), days(1))).toBe(ny("2026-11-27T12:00"));
    expect(addOpenTime(office, ny("2026-11-20T16:00"), days(1, 7200))).toBe(ny("2026-11-24T10:00"));
    expect(addOpenTime(office, "2026-10-30T14:00:00.000Z", days(1))).toBe("2026-11-02T15:00:00.000Z");
  });

  test("a shift that crosses midnight belongs to the day it started on", () => {
    const night = only({ mon: [["22:00", "06:00"]], tue: [["22:00", "06:00"]] });
    expect(isOpen(night, utc("2026-11-24T05:59"))).toBe(true);
    expect(isOpen(night, utc("2026-11-23T05:59"))).toBe(false);
    expect(addOpenTime(night, utc("2026-11-24T02:00"), days(1))).toBe(utc("2026-11-25T02:00"));
    expect(addOpenTime(night, utc("2026-11-24T12:00"), days(1))).toBe(utc("2026-11-30T22:00"));
    const holiday = { ...night, holidays: [{ date: "2026-11-24", name: "x" }] };
    expect(isOpen(holiday, utc("2026-11-24T02:00"))).toBe(true);
    expect(isOpen(holiday, utc("2026-11-24T23:00"))).toBe(false);
  });

  test("seconds between", () => {
    expect(openSecondsBetween(office, ny("2026-11-20T16:00"), ny("2026-11-23T10:00"))).toBe(7200);
    expect(openSecondsBetween(office, ny("2026-11-23T10:00"), ny("2026-11-20T16:00"))).toBe(0);
    expect(openSecondsBetween(office, ny("2026-11-20T16:00"), ny("2026-11-20T16:00"))).toBe(0);
    expect(openSecondsBetween(office, fromMs(toMs(ny("2026-11-20T16:00")) + 1), ny("2026-11-20T16:01"))).toBe(59);
    expect(openSecondsBetween(never, ny("2025-11-20T16:00"), ny("2026-11-20T16:00"))).toBe(0);
    const year = 365 * 86_400;
    expect(openSecondsBetween(always("Europe/Berlin"), utc("2025-05-01T00:00"), utc("2026-05-01T00:00"))).toBe(year);
  });

  test("the next change", () => {
    expect(nextChange(office, ny("2026-11-20T16:00"))).toBe(ny("2026-11-20T17:00"));
    expect(nextChange(office, ny("2026-11-20T17:00"))).toBe(ny("2026-11-23T09:00"));
    expect(nextChange(always("UTC"), utc("2026-11-20T16:00"))).toBe(null);
    expect(nextChange(never, utc("2026-11-20T16:00"))).toBe(null);
    const touching = only({
      mon: [
        ["00:00", "12:00"],
        ["12:00", "24:00"],
      ],
      tue: [["00:00", "01:00"]],
    });
    expect(nextChange(touching, utc("2026-11-23T06:00"))).toBe(utc("2026-11-24T01:00"));
  });

  test("what is never reached is null", () => {
    expect(addOpenTime(never, utc("2026-11-20T16:00"), hours(1))).toBe(null);
    expect(addOpenTime(never, utc("2026-11-20T16:00"), days(1))).toBe(null);
    // a minute a week: 30 hours of it take longer than ten years
    const rare = only({ mon: [["09:00", "09:01"]] });
    expect(addOpenTime(rare, utc("2026-11-20T16:00"), hours(1))).not.toBe(null);
    expect(addOpenTime(rare, utc("2026-11-20T16:00"), hours(30))).toBe(null);
    expect(addOpenTime(rare, utc("2026-11-20T16:00"), days(366))).not.toBe(null);
    const mondays = (n: number) => new Date(Date.UTC(2026, 10, 23) + n * 7 * 86_400_000).toISOString().slice(0, 10);
    const closed = (from: number, count: number) => ({
      ...rare,
      holidays: Array.from({ length: count }, (_, n) => ({ date: mondays(from + n), name: "closed" })),
    });
    expect(addOpenTime(closed(1, 54), utc("2026-11-20T16:00"), { days: 0, seconds: 61 })).toBe(null);
    expect(addOpenTime(closed(1, 50), utc("2026-11-20T16:00"), { days: 0, seconds: 61 })).not.toBe(null);
    expect(addOpenTime(closed(1, 54), utc("2026-11-20T16:00"), days(2))).toBe(null);
    // opens again and again, but the end is out of reach
    const sparse = {
      ...rare,
      holidays: Array.from({ length: 700 }, (_, n) => n)
        .filter((n) => n % 2)
        .map((n) => ({ date: mondays(n), name: "x" })),
    };
    expect(addOpenTime(sparse, utc("2026-11-20T16:00"), days(366))).toBe(null);
  });

  test("a calendar that was not validated is a bug", () => {
    expect(() => isOpen(only({ mon: [["9", "17:00"]] }), utc("2026-11-20T16:00"))).toThrow(TypeError);
    expect(() => isOpen({ ...never, holidays: [{ date: "x", name: "" }] }, utc("2026-11-20T16:00"))).toThrow(TypeError);
  });

  test("hours that a change of clocks swallows are not there", () => {
    const early = only({ sun: [["02:10", "02:50"]] }, "America/New_York");
    expect(openSecondsBetween(early, utc("2026-03-07T00:00"), utc("2026-03-10T00:00"))).toBe(0);
    expect(addOpenTime(early, utc("2026-03-02T06:00"), days(1))).toBe(utc("2026-03-15T06:10"));
    // and an hour that autumn repeats opens once, for longer
    const late = only({ sun: [["01:00", "02:00"]] }, "America/New_York");
    expect(openSecondsBetween(late, utc("2026-10-31T00:00"), utc("2026-11-03T00:00"))).toBe(7200);
  });
});

/**
 * The oracle: walks minute by minute and looks at the clock. Intervals are compared with the highest local time that the
 * clock has shown so far, which is what "from the first moment at which the clock shows ..." means.
 */
interface Minute {
  readonly at: number;
  readonly high: string;
  readonly date: string;
  readonly clock: string;
  /** the date whose interval is open, or null */
  readonly shift: string | null;
}
function walk(calendar: BusinessCalendar, fromMsUtc: number, minutes: number): Minute[] {
  const walked: Minute[] = [];
  const closed = new Set(calendar.holidays.map(({ date }) => date));
  for (const { at, local, high } of clockOf(calendar.zone, fromMsUtc).slice(0, minutes)) {
    const today = high.slice(0, 10);
    const shift =
      [plusDays(today, -1), today].find((date) => !closed.has(date) && openBy(calendar, date, high)) ?? null;
    walked.push({ at, high, date: local.slice(0, 10), clock: local.slice(11), shift });
  }
  return walked;
}
/** What a zone's clock shows by the minute for eight days, by Intl alone, and the highest it has shown. */
const clocks = new Map<string, { readonly at: number; readonly local: string; readonly high: string }[]>();
function clockOf(zone: string, start: number) {
  const name = `${zone} ${start}`;
  let shown = clocks.get(name);
  if (shown) return shown;
  clocks.set(name, (shown = []));
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" });
  let high = "";
  for (let n = -1440; n < 8 * 1440; n++) {
    const at = start + n * 60_000;
    const local = format.format(at).replace(" ", "T");
    if (local > high) high = local;
    if (n >= 0) shown.push({ at, local, high });
  }
  return shown;
}
const dayNames = new Map<string, (typeof weekdays)[number]>();
function openBy(calendar: BusinessCalendar, date: string, high: string): boolean {
  let name = dayNames.get(date);
  if (name === undefined) dayNames.set(date, (name = weekdays[Temporal.PlainDate.from(date).dayOfWeek - 1]!));
  return (calendar.hours[name] ?? []).some(([opening, closing]) => {
    const end =
      closing === "24:00" ? `${plusDays(date, 1)}T00:00` : `${closing > opening ? date : plusDays(date, 1)}T${closing}`;
    return `${date}T${opening}` <= high && high < end;
  });
}
const shifted = new Map<string, string>();
function plusDays(date: string, n: number): string {
  const key = `${date}${n}`;
  let found = shifted.get(key);
  if (found === undefined) shifted.set(key, (found = Temporal.PlainDate.from(date).add({ days: n }).toString()));
  return found;
}

/** A day and a half before a change of clocks. */
const changes = [
  ["America/New_York", "2026-03-08T07:00:00.000Z"],
  ["America/New_York", "2026-11-01T06:00:00.000Z"],
  ["Europe/Berlin", "2026-03-29T01:00:00.000Z"],
  ["Europe/Berlin", "2026-10-25T01:00:00.000Z"],
  ["Australia/Lord_Howe", "2026-04-04T15:00:00.000Z"],
  ["Australia/Lord_Howe", "2026-10-03T15:30:00.000Z"],
  ["Africa/Cairo", "2026-04-23T22:00:00.000Z"],
  ["Africa/Cairo", "2026-10-29T21:00:00.000Z"],
] as const;
const spanDays = 6;

/** A week's hours in half and quarter hours, most of them around the time at which clocks change. */
const clockTime = fc
  .oneof(fc.integer({ min: 0, max: 16 }), fc.integer({ min: 0, max: 95 }))
  .map(
    (quarter) => `${String(Math.floor(quarter / 4)).padStart(2, "0")}:${String((quarter % 4) * 15).padStart(2, "0")}`,
  );
const anyInterval = fc.tuple(clockTime, fc.oneof(clockTime, fc.constant("24:00")));
const anyHours = fc.record(
  Object.fromEntries(weekdays.map((day) => [day, fc.array(anyInterval, { maxLength: 3 })])) as Record<
    (typeof weekdays)[number],
    fc.Arbitrary<[string, string][]>
  >,
);
/** Leaves out what would make a calendar invalid, interval by interval. */
function repaired(calendar: BusinessCalendar): BusinessCalendar {
  let kept: BusinessCalendar = { ...calendar, hours: {} };
  for (const day of weekdays) {
    for (const interval of calendar.hours[day] ?? []) {
      const tried = { ...kept, hours: { ...kept.hours, [day]: [...(kept.hours[day] ?? []), interval] } };
      if (validateCalendar(tried).length === 0) kept = tried;
    }
  }
  return kept;
}
const scene = fc
  .record({ change: fc.constantFrom(...changes), hours: anyHours, holiday: fc.integer({ min: -1, max: spanDays }) })
  .map(({ change: [zone, at], hours: week, holiday }) => {
    const start = toMs(at) - 36 * 3_600_000;
    const date = fromMs(start + holiday * 86_400_000).slice(0, 10);
    return { start, calendar: repaired({ zone, hours: week, holidays: [{ date, name: "off" }] }) };
  });

describe("against a walk by minutes over changes of clocks", () => {
  const minutes = spanDays * 1440;

  test("open, next change, seconds between", () => {
    fc.assert(
      fc.property(scene, fc.nat(minutes - 1), fc.nat(minutes - 1), ({ start, calendar }, i, j) => {
        const walked = walk(calendar, start, minutes);
        for (let n = 0; n < minutes; n += 5) {
          const { at, shift } = walked[n]!;
          if (isOpen(calendar, fromMs(at)) !== (shift !== null))
            expect.fail(`${fromMs(at)} ${JSON.stringify(calendar)}`);
        }
        const [a, b] = [Math.min(i, j), Math.max(i, j)];
        const open = walked.slice(a, b).filter(({ shift }) => shift !== null).length;
        expect(openSecondsBetween(calendar, fromMs(walked[a]!.at), fromMs(walked[b]!.at))).toBe(open * 60);
        const now = walked[a]!.shift !== null;
        const change = walked.slice(a).find(({ shift }) => (shift !== null) !== now);
        const found = nextChange(calendar, fromMs(walked[a]!.at));
        if (change) expect(found).toBe(fromMs(change.at));
        else expect(found === null || toMs(found) >= start + minutes * 60_000).toBe(true);
      }),
      { numRuns: 80 },
    );
  }, 60_000);

  test("adding open seconds", () => {
    let reached = 0;
    fc.assert(
      fc.property(scene, fc.nat(minutes - 1), fc.integer({ min: 1, max: 1500 }), ({ start, calendar }, i, amount) => {
        const walked = walk(calendar, start, minutes);
        let left = amount;
        let n = i;
        for (; n < minutes && left > 0; n++) if (walked[n]!.shift !== null) left -= 1;
        const found = addOpenTime(calendar, fromMs(walked[i]!.at), { days: 0, seconds: amount * 60 });
        if (left > 0) {
          expect(found === null || toMs(found) > start + minutes * 60_000).toBe(true);
          return;
        }
        reached += 1;
        expect(found).toBe(fromMs(start + n * 60_000));
      }),
      { numRuns: 80 },
    );
    expect(reached).toBeGreaterThan(10);
  }, 60_000);

  test("what was added is what lies between, to the second", () => {
    fc.assert(
      fc.property(
        scene,
        fc.nat(minutes * 60_000),
        fc.integer({ min: 1, max: 500_000 }),
        ({ start, calendar }, offset, seconds) => {
          const at = fromMs(start + offset);
          const end = addOpenTime(calendar, at, { days: 0, seconds });
          if (end === null) return;
          expect(openSecondsBetween(calendar, at, end)).toBe(seconds);
          expect(openSecondsBetween(calendar, at, fromMs(toMs(end) - 1))).toBe(seconds - 1);
        },
      ),
      { numRuns: 300 },
    );
  }, 60_000);

  test("adding days", () => {
    let reached = 0;
    fc.assert(
      fc.property(scene, fc.nat(3 * 1440), fc.integer({ min: 1, max: 3 }), ({ start, calendar }, i, count) => {
        // a day more, so that the last target's shift is seen whole
        const walked = walk(calendar, start, minutes + 2880);
        const from = walked[i]!;
        const home = from.shift !== null && from.shift < from.date ? from.shift : from.date;
        const open = [...new Set(walked.map(({ shift }) => shift ?? ""))].filter((date) => date > home);
        const target = open[count - 1];
        const found = addOpenTime(calendar, fromMs(from.at), { days: count, seconds: 0 });
        if (target === undefined || target > plusDays(walked[0]!.date, spanDays)) return;
        reached += 1;
        const wanted = `${home === from.date ? target : plusDays(target, 1)}T${from.clock}`;
        const shift = walked.filter(({ shift: s }) => s === target);
        const hit = shift.find(({ high }) => high >= wanted)?.at ?? shift.at(-1)!.at + 60_000;
        expect(found).toBe(fromMs(hit));
      }),
      { numRuns: 120 },
    );
    expect(reached).toBeGreaterThan(20);
  }, 60_000);
});

describe("validation", () => {
  const codes = (value: unknown) => validateCalendar(value).map(({ code, path }) => `${code} ${path}`);
  test("takes what is right", () => {
    expect(validateCalendar(office)).toEqual([]);
    expect(validateCalendar(always("UTC"))).toEqual([]);
    expect(validateCalendar(never)).toEqual([]);
    expect(codes(only({ mon: [["22:00", "06:00"]], tue: [["06:00", "24:00"]], sun: [["22:00", "24:00"]] }))).toEqual(
      [],
    );
  });
  test("names what is wrong, and where", () => {
    expect(codes({ ...office, zone: "Mars/Olympus" })).toEqual(["zone_unknown /zone"]);
    expect(codes(only({ mon: [["9:00", "17:00"]] }))).toEqual(["time_invalid /hours/mon/0"]);
    expect(codes(only({ mon: [["09:00", "25:00"]] }))).toEqual(["time_invalid /hours/mon/0"]);
    expect(codes(only({ mon: [["24:00", "06:00"]] }))).toEqual(["time_invalid /hours/mon/0"]);
    expect(codes(only({ fri: [["09:00", "09:00"]] }))).toEqual(["interval_empty /hours/fri/0"]);
    expect(
      codes(
        only({
          mon: [
            ["09:00", "12:00"],
            ["11:59", "13:00"],
          ],
        }),
      ),
    ).toEqual(["interval_overlap /hours/mon/1"]);
    expect(codes(only({ mon: [["22:00", "06:00"]], tue: [["05:00", "07:00"]] }))).toEqual([
      "interval_overlap /hours/tue/0",
    ]);
    expect(codes(only({ mon: [["05:00", "07:00"]], sun: [["22:00", "06:00"]] }))).toEqual([
      "interval_overlap /hours/mon/0",
    ]);
    expect(codes({ ...office, holidays: [{ date: "2026-02-30", name: "x" }] })).toEqual([
      "date_invalid /holidays/0/date",
    ]);
  });
  test("names what has the wrong shape", () => {
    expect(codes(null)).toEqual(["calendar_shape "]);
    expect(codes({ ...office, hours: { mon: [["09:00"]] } })).toEqual(["calendar_shape /hours/mon/0"]);
    expect(codes({ ...office, hours: { monday: [] } })).toContain("calendar_shape /hours");
    expect(codes({ ...office, hours: { mon: [[9, 17]] } })).toContain("calendar_shape /hours/mon/0/1");
  });
});
