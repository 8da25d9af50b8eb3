import type { Instant } from "../model/common.ts";
import { dateText, dayMs, dayNumber, daysInMonth, timeText } from "./civil.ts";

export type { Instant };

/** The first of year 1 and the last of 9999: what an instant of fixed width can say. */
const firstMs = -62_135_596_800_000;
export const lastMs = 253_402_300_799_999;

/**
 * Milliseconds since 1970 of an instant. Other ISO 8601 texts are understood when they name their offset from UTC, for
 * without one the answer would depend on where the program runs. Throws RangeError on anything else: whoever reads
 * instants from outside asks `isInstant` first.
 */
export function toMs(instant: Instant): number {
  const fast = fixedMs(instant);
  if (fast === fast) return fast;
  const slow = /T.*(?:Z|[+-]\d\d:\d\d)$/.test(instant) && realDay(instant) ? Date.parse(instant) : NaN;
  if (slow !== slow) throw new RangeError(`not an instant: ${JSON.stringify(instant)}`);
  return slow;
}

/** The instant of a number of milliseconds since 1970; a fraction is cut off. Throws RangeError outside years 1 to 9999. */
export function fromMs(ms: number): Instant {
  if (!(ms >= firstMs && ms < lastMs + 1)) throw new RangeError(`no instant has ${ms} ms`);
  const day = Math.floor(ms / dayMs);
  return `${dateText(day)}T${timeText(Math.floor(ms - day * dayMs))}Z`;
}

/** The instant some milliseconds later, or earlier when they are negative. */
export const addMs = (instant: Instant, ms: number): Instant => fromMs(toMs(instant) + ms);

/** The later of two instants. */
export const later = (a: Instant, b: Instant): Instant => (a < b ? b : a);

/** Whether something is an instant in its one form, and one that exists. */
export function isInstant(text: unknown): text is Instant {
  if (typeof text !== "string") return false;
  const ms = fixedMs(text);
  return ms === ms;
}

/** The two digits at a place, or NaN. */
function pair(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens < 10 && ones >= 0 && ones < 10 ? tens * 10 + ones : NaN;
}

/**
 * Reads the one fixed form by hand: about a fifth of what Date.parse takes, and every comparison of a condition with a
 * clock starts here. NaN when the text has another form or names no real instant; NaN fails every comparison, so digits
 * need no tests of their own.
 */
function fixedMs(text: string): number {
  if (text.length !== 24) return NaN;
  const marks =
    text.charCodeAt(4) === 45 &&
    text.charCodeAt(7) === 45 &&
    text.charCodeAt(10) === 84 &&
    text.charCodeAt(13) === 58 &&
    text.charCodeAt(16) === 58 &&
    text.charCodeAt(19) === 46 &&
    text.charCodeAt(23) === 90;
  if (!marks) return NaN;
  const year = pair(text, 0) * 100 + pair(text, 2);
  const month = pair(text, 5);
  const day = pair(text, 8);
  const hour = pair(text, 11);
  const minute = pair(text, 14);
  const second = pair(text, 17);
  const tenths = text.charCodeAt(20) - 48;
  const ms = tenths * 100 + pair(text, 21);
  const real =
    year > 0 &&
    month > 0 &&
    month < 13 &&
    day > 0 &&
    (day < 29 || day <= daysInMonth(year, month)) &&
    hour < 24 &&
    minute < 60 &&
    second < 60 &&
    tenths >= 0 &&
    ms < 1000;
  return real ? dayNumber(year, month, day) * dayMs + hour * 3_600_000 + minute * 60_000 + second * 1000 + ms : NaN;
}

/** Date.parse takes February 30 for March 2; we do not. */
function realDay(text: string): boolean {
  const match = /^(\d{4})-(\d\d)-(\d\d)T/.exec(text);
  return match !== null && Number(match[3]) <= daysInMonth(Number(match[1]), Number(match[2]));
}
