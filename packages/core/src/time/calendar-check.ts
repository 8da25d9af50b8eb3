import { Check, Errors } from "typebox/value";
import { type BusinessCalendar, BusinessCalendarSchema, weekdays } from "./calendar-shape.ts";
import { parseDate } from "./civil.ts";
import { intervalMinutes } from "./schedule.ts";
import { isZone } from "./zone.ts";

/** What is wrong with a calendar, and where: `path` is a JSON pointer into it. */
export interface CalendarProblem {
  readonly code:
    | "calendar_shape"
    | "zone_unknown"
    | "time_invalid"
    | "interval_empty"
    | "interval_overlap"
    | "date_invalid";
  readonly path: string;
  readonly message: string;
}

const weekMinutes = 7 * 1440;

/** All that is wrong with what claims to be a business calendar; an empty list when the functions of time may use it. */
export function validateCalendar(value: unknown): CalendarProblem[] {
  if (!Check(BusinessCalendarSchema, value)) {
    return Errors(BusinessCalendarSchema, value).map(({ instancePath, message }) => ({
      code: "calendar_shape" as const,
      path: instancePath,
      message,
    }));
  }
  const problems: CalendarProblem[] = [];
  if (!isZone(value.zone)) {
    problems.push({ code: "zone_unknown", path: "/zone", message: `there is no time zone "${value.zone}"` });
  }
  problems.push(...hoursProblems(value.hours));
  value.holidays.forEach(({ date }, n) => {
    if (parseDate(date) !== null) return;
    problems.push({
      code: "date_invalid",
      path: `/holidays/${n}/date`,
      message: `"${date}" is no date; write 2026-12-25`,
    });
  });
  return problems;
}

function hoursProblems(hours: BusinessCalendar["hours"]): CalendarProblem[] {
  const problems: CalendarProblem[] = [];
  const placed: { readonly from: number; readonly to: number; readonly path: string }[] = [];
  weekdays.forEach((weekday, day) => {
    (hours[weekday] ?? []).forEach((interval, n) => {
      const path = `/hours/${weekday}/${n}`;
      const minutes = intervalMinutes(interval);
      if (minutes === null) {
        problems.push({ code: "time_invalid", path, message: 'write times as "09:00"; only a closing may be "24:00"' });
      } else if (interval[0] === interval[1]) {
        problems.push({
          code: "interval_empty",
          path,
          message: 'it closes when it opens; for a whole day write "00:00" to "24:00"',
        });
      } else {
        placed.push({ from: day * 1440 + minutes[0], to: day * 1440 + minutes[1], path });
      }
    });
  });
  placed.sort((a, b) => a.from - b.from);
  placed.forEach((interval, n) => {
    // the week is a circle: Sunday's last shift may reach into Monday
    const before = placed[n - 1] ?? { ...placed.at(-1)!, to: placed.at(-1)!.to - weekMinutes };
    if (before.to > interval.from) {
      problems.push({ code: "interval_overlap", path: interval.path, message: `it overlaps with ${before.path}` });
    }
  });
  return problems;
}
