import type { SettingsIndex } from "../domain/settings-index.ts";
import type { Instant } from "../model/common.ts";
import type { Reason } from "../model/run.ts";
import type { Scope } from "../template/scope.ts";
import { addOpenTime, type BusinessCalendar } from "../time/calendar.ts";
import { type Duration, plainSeconds } from "../time/duration.ts";
import { fromMs, toMs } from "../time/instant.ts";
import type { WaitStep } from "../workflow/compiled.ts";

/** A wait lasts at least this long, so that splitting a batch changes nothing (MILL law 1). */
const shortestMs = 1000;

/** When a wait ends: an instant, null when only an event ends it, or why that cannot be told. */
export type DueAt = { readonly ok: true; readonly at: Instant | null } | { readonly ok: false; readonly reason: Reason };

/** The instant at which a wait step that begins now falls due. */
export function dueAt(step: WaitStep, scope: Scope, settings: SettingsIndex): DueAt {
  if (step.until !== null) return untilInstant(step.until.resolve(scope), scope.at);
  if (step.for === null) return { ok: true, at: null };
  return afterDuration(scope.at, step.for, step.calendar, settings);
}

/** An instant plus a duration, in plain time or in a calendar's open time. */
export function afterDuration(from: Instant, duration: Duration, calendar: string | null, settings: SettingsIndex): DueAt {
  if (calendar === null) return { ok: true, at: fromMs(toMs(from) + Math.max(plainSeconds(duration) * 1000, shortestMs)) };
  const found = calendarNamed(calendar, settings);
  if (found === null) return { ok: false, reason: { code: "calendar_not_found", message: `There is no calendar ${calendar}` } };
  const at = addOpenTime(found, from, duration);
  if (at === null) return { ok: false, reason: { code: "calendar_never_open", message: `The calendar ${calendar} does not open within a year` } };
  return { ok: true, at: atLeast(at, from) };
}

function untilInstant(value: unknown, now: Instant): DueAt {
  // a text without an offset would be read in the machine's own zone, and two machines would differ
  const ms = typeof value === "string" && /(?:Z|[+-]\d\d:?\d\d)$/i.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms)) {
    return { ok: false, reason: { code: "instant_invalid", message: `A wait until needs an instant with its offset, not ${JSON.stringify(value)}` } };
  }
  return { ok: true, at: atLeast(fromMs(ms), now) };
}

function atLeast(at: Instant, from: Instant): Instant {
  return fromMs(Math.max(toMs(at), toMs(from) + shortestMs));
}

/** The calendar of that name; `business_hours` also means the only one there is. */
function calendarNamed(name: string, settings: SettingsIndex): BusinessCalendar | null {
  const found = settings.calendar(name);
  if (found !== null) return found.calendar;
  const live = settings.all.calendars.filter((row) => row.archived_at === null);
  return name === "business_hours" && live.length === 1 ? (live[0]?.calendar ?? null) : null;
}
