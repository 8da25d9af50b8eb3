import { countOf, jsonText, sameJson } from "../model/json.ts";
import { limits } from "./limits.ts";
import { stepsPerMember, weigh } from "./meter.ts";
import { TemplateFault } from "./problem.ts";
import type { Scope } from "./scope.ts";

/** What one rendering carries: its scope, assigned variables, output so far and remaining operations. */
export interface Frame {
  readonly scope: Scope;
  readonly slots: unknown[];
  out: string;
  /** steps that are left */
  left: number;
  /** the time zones named so far */
  zones: Set<string> | null;
}

/** An expression, compiled. */
export type Read = (frame: Frame) => unknown;
/** A piece of text, compiled: appends to the frame's output. */
export type Write = (frame: Frame) => void;

/** Takes steps from the frame; faults when none are left. */
export function spend(frame: Frame, count: number): void {
  frame.left -= count;
  if (frame.left < 0) throw new TemplateFault("template_runaway", `the text needs more than ${limits.steps} steps`);
}

/** Faults where a text of this length would pass the limit; asked before it is made. */
export function checkLength(length: number): void {
  if (length > limits.outputLength) {
    throw new TemplateFault("template_runaway", `the text grows beyond ${limits.outputLength} characters`);
  }
}

/** Appends to the output, within its limit. */
export function emit(frame: Frame, text: string): void {
  checkLength(frame.out.length + text.length);
  spend(frame, text.length >> 6);
  frame.out += text;
}

/** How a value prints: nothing for null, lists joined, objects as JSON. What is no text yet is paid for. */
export function toText(value: unknown, frame: Frame): string {
  if (typeof value === "string") return value;
  if (value === null || value === undefined) return "";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (!Array.isArray(value)) return json(value, frame);
  spend(frame, value.length);
  return paid(value.map((item) => toText(item, frame)).join(""), frame);
}

/** A value as JSON, its members in order. */
export function json(value: unknown, frame: Frame): string {
  spend(frame, weigh(value, true, stepsPerMember));
  return paid(jsonText(value), frame);
}

/** A text that took work for each of its characters to make. */
function paid(text: string, frame: Frame): string {
  spend(frame, text.length >> 4);
  return text;
}

/** Texts this long stand for no number. */
const longestNumber = 400;

/** The number a value stands for; 0 for what is none, as Liquid has it. */
export function toNumber(value: unknown): number {
  const number = numberOf(value);
  return Number.isFinite(number) ? number : 0;
}

/** A list of the value: itself, nothing for null, else the value alone. Its items are paid for. */
export function toList(value: unknown, frame: Frame): readonly unknown[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) return [value];
  spend(frame, value.length);
  return value as unknown[];
}

function numberOf(value: unknown): number {
  if (typeof value === "number") return value;
  return typeof value === "string" && value.length <= longestNumber && value.trim() !== "" ? Number(value) : NaN;
}

/** Only null, false and what is missing count as false. */
export function truthy(value: unknown): boolean {
  return value !== false && value !== null && value !== undefined;
}

/** Whether a value equals the word `empty`: "", [] or {}. */
export function isEmpty(value: unknown): boolean {
  if (Array.isArray(value) || typeof value === "string") return value.length === 0;
  return typeof value === "object" && value !== null && countOf(value) === 0;
}

/** Whether a value equals the word `blank`: empty, false, null or nothing but spaces. */
export function isBlank(value: unknown): boolean {
  return !truthy(value) || isEmpty(value) || (typeof value === "string" && !/\S/.test(value));
}

/** Equality without conversion; lists and objects by what they hold; null and missing are one. What is looked at is paid for. */
export function same(a: unknown, b: unknown, frame: Frame): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) return false;
    spend(frame, a.length);
    return a.every((item, at) => same(item, b[at], frame));
  }
  spend(frame, weigh(a, true) - 1);
  return sameJson(a ?? null, b ?? null);
}

/** Order of two values: negative, 0, positive; NaN where they have none (then every comparison is false). */
export function order(a: unknown, b: unknown, frame: Frame): number {
  if (typeof a !== "string" || typeof b !== "string") return numberOf(a) - numberOf(b);
  spend(frame, Math.min(a.length, b.length) >> 6);
  return a < b ? -1 : Number(a > b);
}
