import { dateText, dayMs, parseDate, timeText, two } from "../time/civil.ts";
import { isZone, firstInstant, localMs, zoneSteps } from "../time/zone.ts";
import { cut } from "../text/characters.ts";
import { toMs } from "../time/instant.ts";
import type { Filter } from "./filter.ts";
import { limits } from "./limits.ts";
import { checkLength, type Frame, spend, toText } from "./liquid-value.ts";
import { TemplateFault } from "./problem.ts";

const months = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const firstMs = -62_135_596_800_000;
const endMs = 253_402_300_800_000;
/** the longest names of zones have some thirty characters */
const longestZone = 60;

/** A moment as a zone's clocks show it. */
interface Moment {
  /** the instant, in milliseconds */
  readonly ms: number;
  readonly zone: string;
  readonly offset: number;
  readonly year: number;
  readonly month: number;
  readonly day: number;
  /** 0 is Sunday */
  readonly weekday: number;
  readonly dayOfYear: number;
  readonly hour: number;
  /** "17:00:00.000" */
  readonly time: string;
}

/** One directive of a date format: a text, or a number with its width and what fills it. */
const directives: Readonly<
  Record<string, (t: Moment) => string | readonly [value: number, width: number, fill?: " "]>
> = {
  Y: (t) => [t.year, 4],
  y: (t) => [t.year % 100, 2],
  m: (t) => [t.month, 2],
  d: (t) => [t.day, 2],
  e: (t) => [t.day, 2, " "],
  j: (t) => [t.dayOfYear, 3],
  H: (t) => [t.hour, 2],
  I: (t) => [t.hour % 12 || 12, 2],
  l: (t) => [t.hour % 12 || 12, 2, " "],
  M: (t) => [Number(t.time.slice(3, 5)), 2],
  S: (t) => [Number(t.time.slice(6, 8)), 2],
  L: (t) => [Number(t.time.slice(9, 12)), 3],
  u: (t) => [t.weekday || 7, 1],
  w: (t) => [t.weekday, 1],
  s: (t) => [Math.floor(t.ms / 1000), 1],
  B: (t) => months[t.month - 1]!,
  b: (t) => months[t.month - 1]!.slice(0, 3),
  A: (t) => weekdays[t.weekday]!,
  a: (t) => weekdays[t.weekday]!.slice(0, 3),
  p: (t) => (t.hour < 12 ? "AM" : "PM"),
  P: (t) => (t.hour < 12 ? "am" : "pm"),
  z: (t) => offsetText(t).replace(":", ""),
  Z: (t) => t.zone,
  F: (t) => format(t, "%Y-%m-%d"),
  D: (t) => format(t, "%m/%d/%y"),
  T: (t) => t.time.slice(0, 8),
  R: (t) => t.time.slice(0, 5),
  "%": () => "%",
};

/**
 * `date: format, zone`: writes an instant, a day, a number of seconds, "now" or "today" (both the item's instant) in the
 * organization's zone or the one named. Names of months and days are English: the host's language must not show.
 * What is no date comes back unchanged; an unknown zone is a fault `template_value`.
 */
export const dateFilter: Filter = {
  takes: [0, 2],
  run: (input, [pattern, zone], frame) => {
    const text = pattern === undefined ? "%Y-%m-%d %H:%M" : toText(pattern, frame);
    checkLength(text.length);
    // a directive takes about as long as eight steps, and is two characters at least
    spend(frame, text.length * 4);
    const name = zone === undefined ? frame.scope.zone : toText(zone, frame);
    if (name !== frame.scope.zone) enter(name, frame);
    const ms = read(input === "now" || input === "today" ? frame.scope.at : input, name, frame);
    if (!(ms >= firstMs + dayMs && ms < endMs - dayMs)) return input;
    spend(frame, zoneSteps(ms));
    const written = format(moment(ms, name), text);
    checkLength(written.length);
    return written;
  },
};

/** The first look at a zone takes this many steps, whether or not the process has looked at it before. */
const stepsOfZone = 16_384;

/** Lets a text name a time zone, one of a few; faults where there is none of that name. */
function enter(zone: string, frame: Frame): void {
  const zones = (frame.zones ??= new Set());
  if (zones.has(zone)) return;
  if (zones.size === limits.zones)
    throw new TemplateFault("template_runaway", `a text names at most ${limits.zones} time zones`);
  spend(frame, stepsOfZone);
  if (zone.length > longestZone || !isZone(zone))
    throw new TemplateFault("template_value", `"${cut(zone, 60)}" is no time zone`);
  zones.add(zone);
}

/** Milliseconds of what may be a date; NaN for what is none. */
function read(input: unknown, zone: string, frame: Frame): number {
  if (typeof input === "number") return Math.round(input * 1000);
  if (typeof input !== "string") return NaN;
  if (/^\d{9,11}$/.test(input)) return Number(input) * 1000;
  const day = parseDate(input);
  if (day !== null) {
    spend(frame, zoneSteps(day * dayMs));
    return firstInstant(zone, day * dayMs);
  }
  try {
    return toMs(input);
  } catch {
    return NaN;
  }
}

function moment(ms: number, zone: string): Moment {
  const local = localMs(zone, ms);
  const number = Math.floor(local / dayMs);
  const date = dateText(number);
  const time = timeText(local - number * dayMs);
  return {
    ms,
    zone,
    offset: local - ms,
    year: Number(date.slice(0, 4)),
    month: Number(date.slice(5, 7)),
    day: Number(date.slice(8)),
    weekday: (((number + 4) % 7) + 7) % 7,
    dayOfYear: number - parseDate(`${date.slice(0, 4)}-01-01`)! + 1,
    hour: Number(time.slice(0, 2)),
    time,
  };
}

function offsetText(t: Moment): string {
  const minutes = Math.abs(Math.round(t.offset / 60_000));
  return `${t.offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** Flags: `-` no padding, `_` spaces, `0` zeros, `^` capitals, `:` a colon in the offset. An unknown directive stays as written. */
function format(t: Moment, pattern: string): string {
  return pattern.replaceAll(/%([-_0^:]?)([A-Za-z%])/g, (whole, flag: string, letter: string) => {
    if (!Object.hasOwn(directives, letter)) return whole;
    if (flag === ":" && letter === "z") return offsetText(t);
    const value = directives[letter]!(t);
    if (typeof value === "string") return flag === "^" ? value.toUpperCase() : value;
    const [number, width, fill = "0"] = value;
    return flag === "-"
      ? String(number)
      : String(number).padStart(width, flag === "_" ? " " : flag === "0" ? "0" : fill);
  });
}
