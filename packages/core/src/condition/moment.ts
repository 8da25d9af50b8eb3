import type { Scope } from "../template/scope.ts";
import { dateText, dayMs, parseDate } from "../time/civil.ts";
import { toMs } from "../time/instant.ts";
import { localMs, zoneSteps } from "../time/zone.ts";
import { brief } from "../text/characters.ts";
import { OperandFault } from "./fault.ts";
import { numberOf } from "./operand.ts";

/** A number, a calendar day ("2026-11-20") or an instant, made ready to be compared by order. */
export type Ordered =
  | { readonly type: "number"; readonly number: number }
  | { readonly type: "day"; readonly day: string }
  | { readonly type: "instant"; readonly ms: number };

/** Milliseconds of an ISO instant with its offset from UTC; NaN for what is none. */
function instantMs(text: string): number {
  // Looking at one letter first keeps ordinary texts away from a thrown error.
  if (text.charAt(10) !== "T") return NaN;
  try {
    return toMs(text);
  } catch {
    return NaN;
  }
}

/** Reads a day or an instant; null for what is neither. */
export function readMoment(value: unknown): Exclude<Ordered, { type: "number" }> | null {
  if (typeof value !== "string") return null;
  if (value.length === 10) return parseDate(value) === null ? null : { type: "day", day: value };
  const ms = instantMs(value);
  return Number.isNaN(ms) ? null : { type: "instant", ms };
}

/** Reads a number, day or instant. Throws OperandFault for all else. */
export function readOrdered(value: unknown): Ordered {
  const number = numberOf(value);
  if (!Number.isNaN(number)) return { type: "number", number };
  const moment = readMoment(value);
  if (moment === null) throw new OperandFault(`${brief(value)} is neither a number nor a date`);
  return moment;
}

/** Reads a day or instant. Throws OperandFault for all else. */
export function readDate(value: unknown): Ordered {
  const moment = readMoment(value);
  if (moment === null)
    throw new OperandFault(`${brief(value)} is no date: write "2026-11-20" or "2026-11-20T17:00:00Z"`);
  return moment;
}

/** The calendar day that the organization's clocks show at an instant. */
export function dayOf(ms: number, scope: Scope): string {
  return dateText(Math.floor(local(ms, scope) / dayMs));
}

/** What the organization's clocks show; looking it up is counted. */
function local(ms: number, { zone, meter }: Scope): number {
  meter.take(zoneSteps(ms));
  return localMs(zone, ms);
}

/**
 * Order of a value and a ready one: negative, 0 or positive. Numbers as numbers, instants as instants; if one side is a
 * day, both are compared as calendar days of the organization's zone. Throws OperandFault for other pairs.
 */
export function compare(left: unknown, right: Ordered, scope: Scope): number {
  if (right.type === "number") {
    const number = numberOf(left);
    if (Number.isNaN(number)) throw new OperandFault(`${brief(left)} is no number`);
    return number - right.number;
  }
  if (right.type === "instant" && typeof left === "string") {
    const ms = instantMs(left);
    if (!Number.isNaN(ms)) return ms - right.ms;
  }
  const moment = readMoment(left);
  if (moment === null) throw new OperandFault(`${brief(left)} is no date`);
  const a = asDay(moment, scope);
  const b = asDay(right, scope);
  return a < b ? -1 : Number(a > b);
}

function asDay(moment: Exclude<Ordered, { type: "number" }>, scope: Scope): string {
  return moment.type === "day" ? moment.day : dayOf(moment.ms, scope);
}

const hourMs = 3_600_000;

/**
 * The next instant (ms) after the scope's at which something may come into, or drop out of, a window that moves with
 * the clock and reaches from `from` to `to` ms after it. A lower bound: nothing changes before. Null for never.
 */
export function nextWithin(left: unknown, from: number, to: number, scope: Scope): number | null {
  const at = toMs(scope.at);
  const moment = readMoment(left);
  if (moment === null) return null;
  if (moment.type === "instant") return [moment.ms - to, moment.ms - from + 1].find((change) => change > at) ?? null;
  // what the window's end has passed by, it never reaches again
  if (moment.day < dayOf(at + from, scope)) return null;
  return at + Math.min(untilNextDay(at + from, scope), untilNextDay(at + to, scope));
}

/** Milliseconds that a zone's clocks still show the same day; an hour less where they might be put forward meanwhile. */
function untilNextDay(ms: number, scope: Scope): number {
  const left = dayMs - (((local(ms, scope) % dayMs) + dayMs) % dayMs);
  return left > hourMs ? left - hourMs : left;
}

/**
 * Whether a day or instant lies between two instants, both counted in; a day counts where the days of the two instants
 * enclose it. Throws OperandFault for what is no date.
 */
export function within(left: unknown, from: number, to: number, scope: Scope): boolean {
  const moment = readMoment(left);
  if (moment === null) throw new OperandFault(`${brief(left)} is no date`);
  if (moment.type === "instant") return moment.ms >= from && moment.ms <= to;
  return moment.day >= dayOf(from, scope) && moment.day <= dayOf(to, scope);
}
