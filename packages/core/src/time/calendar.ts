import type { BusinessCalendar } from "./calendar-shape.ts";
import { dayMs } from "./civil.ts";
import type { Duration } from "./duration.ts";
import { fromMs, type Instant, toMs } from "./instant.ts";
import { eachStretch, openDayOf, nextOpenDay, type Schedule, scheduleOf, stretchesOf } from "./schedule.ts";
import { firstInstant, localMs } from "./zone.ts";

/** How far ahead an opening is looked for, and how far a duration may reach in all: 366 days, ten years. */
const searchMs = 366 * dayMs;
const reachMs = 3653 * dayMs;

/** Whether it is open at an instant; opening counts in, closing does not. Expects a valid calendar, as all here do. */
export function isOpen(calendar: BusinessCalendar, at: Instant): boolean {
  const ms = toMs(at);
  let open = false;
  eachStretch(scheduleOf(calendar), ms, ms, (from) => {
    open = from <= ms;
    return true;
  });
  return open;
}

/**
 * The instant at which a duration of open time has passed since `at`. Days come first: each goes on to the next date
 * that opens at all, keeping the local time; then that time is moved into the date's hours: to the opening where it
 * lies before or between them, to the last closing where it lies after. In a shift that crossed midnight the day is
 * the one it started on. Seconds then pass only while it is open; a duration used up exactly at closing time ends there.
 * Null when it does not open for 366 days in a row on the way, or the end is more than ten years off.
 */
export function addOpenTime(calendar: BusinessCalendar, at: Instant, duration: Duration): Instant | null {
  const schedule = scheduleOf(calendar);
  const start = toMs(at);
  const moved = duration.days === 0 ? start : addOpenDays(schedule, start, duration.days);
  if (moved === null || moved - start > reachMs) return null;
  let left = duration.seconds * 1000;
  if (left === 0) return fromMs(moved);
  let cursor = moved;
  let end: number | null = null;
  eachStretch(schedule, moved, start + reachMs, (from, to) => {
    if (from - cursor > searchMs) return true;
    const open = to - Math.max(from, moved);
    if (open >= left) end = Math.max(from, moved) + left;
    left -= open;
    cursor = to;
    return end !== null;
  });
  return end === null ? null : fromMs(end);
}

/** Whole seconds of open time from `a` to `b`; 0 when `b` is not later. */
export function openSecondsBetween(calendar: BusinessCalendar, a: Instant, b: Instant): number {
  const start = toMs(a);
  const stop = toMs(b);
  let open = 0;
  eachStretch(scheduleOf(calendar), start, stop, (from, to) => {
    open += Math.max(0, Math.min(to, stop) - Math.max(from, start));
    return to >= stop;
  });
  return Math.floor(open / 1000);
}

/** The next instant after `at` at which it opens or closes; null when that is more than 366 days off. */
export function nextChange(calendar: BusinessCalendar, at: Instant): Instant | null {
  const ms = toMs(at);
  let change = Infinity;
  eachStretch(scheduleOf(calendar), ms, ms + searchMs, (from, to) => {
    if (change === Infinity && from > ms) {
      change = from;
      return true;
    }
    // open now: intervals that touch are one opening
    if (from > change) return true;
    change = to;
    return false;
  });
  return change > ms + searchMs ? null : fromMs(change);
}

function addOpenDays(schedule: Schedule, ms: number, days: number): number | null {
  let day = openDayOf(schedule, ms);
  const clock = localMs(schedule.zone, ms) - day * dayMs;
  for (let n = 0; n < days; n++) {
    const next = nextOpenDay(schedule, day, searchMs / dayMs);
    if (next === null) return null;
    day = next;
  }
  const target = firstInstant(schedule.zone, day * dayMs + clock);
  const stretches = stretchesOf(schedule, day);
  const stretch = stretches.find(([, to]) => target < to);
  return stretch === undefined ? stretches.at(-1)![1] : Math.max(target, stretch[0]);
}
