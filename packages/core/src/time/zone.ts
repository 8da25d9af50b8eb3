import { Temporal } from "temporal-polyfill";
import { dayMs } from "./civil.ts";

/**
 * A stretch of time in which a zone's clocks differ from UTC by the same amount. All in milliseconds; `from` counts in,
 * `to` does not, and both may be infinite.
 */
export interface ZoneWindow {
  readonly from: number;
  readonly to: number;
  readonly offset: number;
}

/** What was found out about a zone: the window asked for last, and all so far, by their beginnings. */
interface ZoneMemory {
  last: ZoneWindow;
  readonly windows: ZoneWindow[];
}

/**
 * What was found out about zones, so that hot paths do arithmetic: the first look at a zone takes milliseconds, and each
 * window half a one. Windows are facts of the time-zone data, so what is remembered never changes an answer. Nothing is
 * ever forgotten for something else, or one organization could slow the others: there are only so many zones, whatever
 * their capitals, and so many changes of clocks in the years that are remembered.
 */
const memory = new Map<string, ZoneMemory>();
const rememberedFrom = Date.UTC(1900, 0);
const rememberedTo = Date.UTC(2100, 0);

const isRemembered = (ms: number): boolean => ms >= rememberedFrom && ms < rememberedTo;

/** Steps of work that looking up an instant (ms) in a zone counts as, whatever is remembered of it. */
export const zoneSteps = (ms: number): number => (isRemembered(ms) ? 4 : 4096);

/** Whether a text names a time zone: "America/New_York", "UTC" or a fixed "+05:30". */
export function isZone(text: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(text);
    // a whole ISO text with a zone in brackets is taken too, but it is not a zone's name
    return /^[A-Za-z]|^[+-]\d\d:\d\d$/.test(text);
  } catch {
    return false;
  }
}

/** The window of a zone that holds an instant (ms). Throws RangeError for an unknown zone. */
export function zoneWindow(zone: string, ms: number): ZoneWindow {
  const known = memory.get(zone) ?? memory.get(zone.toLowerCase());
  if (known === undefined) {
    const window = findWindow(zone, ms);
    if (isRemembered(ms)) memory.set(zone.toLowerCase(), { last: window, windows: [window] });
    return window;
  }
  if (ms >= known.last.from && ms < known.last.to) return known.last;
  const next = known.windows.findIndex((each) => each.from > ms);
  const before = known.windows.at(next === -1 ? -1 : next - 1);
  if (next !== 0 && before !== undefined && ms < before.to) return (known.last = before);
  const window = findWindow(zone, ms);
  if (!isRemembered(ms)) return window;
  known.windows.splice(next === -1 ? known.windows.length : next, 0, window);
  return (known.last = window);
}

/** What the zone's clock shows at an instant: milliseconds as if the shown time were UTC. */
export const localMs = (zone: string, ms: number): number => ms + zoneWindow(zone, ms).offset;

/**
 * The first instant (ms) at which the zone's clock shows a local time or a later one. So a time skipped in spring means
 * the moment of the change, and a time that autumn repeats means its first occurrence.
 */
export function firstInstant(zone: string, local: number): number {
  // offsets are less than a day, so at this instant the clock still shows less than `local`
  let window = zoneWindow(zone, local - dayMs);
  while (local - window.offset >= window.to) window = zoneWindow(zone, window.to);
  return Math.max(local - window.offset, window.from);
}

function findWindow(zone: string, ms: number): ZoneWindow {
  const at = Temporal.Instant.fromEpochMilliseconds(Math.floor(ms)).toZonedDateTimeISO(zone);
  // "previous" means strictly before, and a change at this very instant counts in
  const from = at.add({ milliseconds: 1 }).getTimeZoneTransition("previous");
  const to = at.getTimeZoneTransition("next");
  return {
    from: from?.epochMilliseconds ?? -Infinity,
    to: to?.epochMilliseconds ?? Infinity,
    offset: at.offsetNanoseconds / 1e6,
  };
}
