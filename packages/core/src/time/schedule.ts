import type { BusinessCalendar, Weekday } from "./calendar-shape.ts";
import { dayMs, parseDate } from "./civil.ts";
import { firstInstant, localMs } from "./zone.ts";

/** A calendar made ready for reckoning. Times are milliseconds since the local midnight of the day they belong to. */
export interface Schedule {
  readonly zone: string;
  /** by weekday, Sunday first: opening and closing in turn, in order of time; a closing may exceed a day */
  readonly week: readonly (readonly number[])[];
  /** numbers of the days on which nothing opens */
  readonly closed: ReadonlySet<number>;
}

const order: readonly Weekday[] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const schedules = new WeakMap<BusinessCalendar, Schedule>();

/** Minutes since midnight of "HH:MM", "24:00" included; null when the text is no such time. */
export function clockMinutes(text: string): number | null {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (match) return Number(match[1]) * 60 + Number(match[2]);
  return text === "24:00" ? 1440 : null;
}

/** An interval in minutes since the midnight it starts after; the closing exceeds 1440 where it is on the next day. */
export function intervalMinutes([opening, closing]: readonly [string, string]): readonly [number, number] | null {
  const from = clockMinutes(opening);
  const to = clockMinutes(closing);
  if (from === null || from === 1440 || to === null) return null;
  return [from, to > from ? to : to + 1440];
}

/** The schedule of a calendar, worked out once per calendar. Throws TypeError for a calendar that was not validated. */
export function scheduleOf(calendar: BusinessCalendar): Schedule {
  const known = schedules.get(calendar);
  if (known) return known;
  const schedule: Schedule = {
    zone: calendar.zone,
    week: order.map((weekday) =>
      (calendar.hours[weekday] ?? [])
        .map((interval) => must(intervalMinutes(interval)))
        .sort((a, b) => a[0] - b[0])
        .flatMap(([from, to]) => [from * 60_000, to * 60_000]),
    ),
    closed: new Set(calendar.holidays.map(({ date }) => must(parseDate(date)))),
  };
  schedules.set(calendar, schedule);
  return schedule;
}

/**
 * Visits the stretches of open time, in order, from the first that ends after `from` up to those of the last date that
 * may begin by `until` (all in ms), until the visitor answers true. Stretches may touch but never overlap: local times
 * that follow each other have first instants that do.
 */
export function eachStretch(
  schedule: Schedule,
  from: number,
  until: number,
  visit: (from: number, to: number) => boolean,
): void {
  // local dates are at most one off from those of UTC, and a shift may have begun the evening before
  const last = Math.floor(until / dayMs) + 1;
  for (let day = Math.floor(from / dayMs) - 2; day <= last; day++) {
    const times = timesOf(schedule, day);
    for (let i = 0; i < times.length; i += 2) {
      const end = firstInstant(schedule.zone, day * dayMs + times[i + 1]!);
      if (end <= from) continue;
      const start = firstInstant(schedule.zone, day * dayMs + times[i]!);
      if (start < end && visit(start, end)) return;
    }
  }
}

/** The stretches of one date, as instants in ms; those that a change of clocks swallowed are left out. */
export function stretchesOf(schedule: Schedule, day: number): (readonly [number, number])[] {
  const times = timesOf(schedule, day);
  const stretches: (readonly [number, number])[] = [];
  for (let i = 0; i < times.length; i += 2) {
    const start = firstInstant(schedule.zone, day * dayMs + times[i]!);
    const end = firstInstant(schedule.zone, day * dayMs + times[i + 1]!);
    if (start < end) stretches.push([start, end]);
  }
  return stretches;
}

/** The day to which an instant (ms) counts: that of the shift it lies in, else its local date. */
export function openDayOf(schedule: Schedule, ms: number): number {
  const date = Math.floor(localMs(schedule.zone, ms) / dayMs);
  return stretchesOf(schedule, date - 1).some(([from, to]) => from <= ms && ms < to) ? date - 1 : date;
}

/** The first day after `day` that opens at all, at most `most` days on; null when none does. */
export function nextOpenDay(schedule: Schedule, day: number, most: number): number | null {
  for (let next = day + 1; next <= day + most; next++) {
    if (stretchesOf(schedule, next).length > 0) return next;
  }
  return null;
}

function timesOf(schedule: Schedule, day: number): readonly number[] {
  if (schedule.closed.has(day)) return [];
  // day 0, 1970-01-01, was a Thursday
  return schedule.week[(((day + 4) % 7) + 7) % 7]!;
}

function must<T>(value: T | null): T {
  if (value === null) throw new TypeError("the calendar was not validated");
  return value;
}
