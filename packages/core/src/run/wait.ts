import type { SettingsIndex } from "../domain/settings-index.ts";
import type { Instant } from "../model/common.ts";
import type { Reason } from "../model/run.ts";
import type { Scope } from "../template/scope.ts";
import { brief } from "../text/characters.ts";
import { addOpenTime } from "../time/calendar.ts";
import type { BusinessCalendar } from "../time/calendar-shape.ts";
import { type Duration, plainSeconds } from "../time/duration.ts";
import { fromMs, lastMs, toMs } from "../time/instant.ts";
import type { WaitStep } from "../workflow/compiled.ts";

/** A wait lasts at least this long, so that splitting a batch changes nothing (MILL law 1). */
const shortestMs = 1000;

/** A calendar is asked for ten years at most; none is asked later than this. */
const latestStart = "9989-01-01T00:00:00.000Z";

/** When a wait ends: an instant, null when only an event ends it, or why that cannot be told. */
export type DueAt =
  | { readonly ok: true; readonly at: Instant | null }
  | { readonly ok: false; readonly reason: Reason };

const outOfRange: DueAt = {
  ok: false,
  reason: { code: "instant_out_of_range", message: "No instant lies beyond the year 9999" },
};

/** The instant at which a wait step that begins now falls due. */
export function dueAt(step: WaitStep, scope: Scope, settings: SettingsIndex): DueAt {
  if (step.until !== null) return untilInstant(step.until.resolve(scope), scope.at);
  if (step.for === null) return { ok: true, at: null };
  return afterDuration(scope.at, step.for, step.calendar, settings);
}

/** An instant plus a duration, in plain time or in a calendar's open time. */
export function afterDuration(
  from: Instant,
  duration: Duration,
  calendar: string | null,
  settings: SettingsIndex,
): DueAt {
  if (calendar === null) return instantAt(toMs(from) + plainSeconds(duration) * 1000, from);
  const found = calendarNamed(calendar, settings);
  if (found === null)
    return { ok: false, reason: { code: "calendar_not_found", message: `There is no calendar ${calendar}` } };
  if (from > latestStart) return outOfRange;
  const at = addOpenTime(found, from, duration);
  if (at === null)
    return {
      ok: false,
      reason: { code: "calendar_never_open", message: `The calendar ${calendar} does not open within a year` },
    };
  return instantAt(toMs(at), from);
}

function untilInstant(value: unknown, now: Instant): DueAt {
  const ms = typeof value === "string" ? readInstant(value) : null;
  if (ms !== null) return instantAt(ms, now);
  return {
    ok: false,
    reason: {
      code: "instant_invalid",
      message: `A wait until needs an instant with its offset, not ${brief(value)}`,
    },
  };
}

function readInstant(text: string): number | null {
  try {
    return toMs(text);
  } catch {
    return null;
  }
}

/** The instant of some milliseconds, at least a second after another; none beyond the year 9999. */
function instantAt(ms: number, from: Instant): DueAt {
  const least = Math.max(ms, toMs(from) + shortestMs);
  if (least <= lastMs) return { ok: true, at: fromMs(least) };
  return outOfRange;
}

/** The calendar of that name; `business_hours` also means the only one there is. */
function calendarNamed(name: string, settings: SettingsIndex): BusinessCalendar | null {
  const found = settings.calendar(name);
  if (found !== null) return found.calendar;
  const [only, ...others] = settings.all.calendars.filter((row) => row.archived_at === null);
  return name === "business_hours" && only !== undefined && others.length === 0 ? only.calendar : null;
}
