import { countOf, jsonText, sameJson } from "../model/json.ts";
import { limits } from "./limits.ts";
import { TemplateFault } from "./problem.ts";
import type { Scope } from "./scope.ts";

/** What one rendering carries: its scope, assigned variables, output so far and remaining operations. */
export interface Frame {
  readonly scope: Scope;
  readonly slots: unknown[];
  out: string;
  left: number;
}

/** An expression, compiled. */
export type Read = (frame: Frame) => unknown;
/** A piece of text, compiled: appends to the frame's output. */
export type Write = (frame: Frame) => void;

/** Takes operations from the frame; faults when none are left. */
export function spend(frame: Frame, count: number): void {
  frame.left -= count;
  if (frame.left < 0)
    throw new TemplateFault("template_runaway", `the text needs more than ${limits.operations} operations`);
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
  frame.out += text;
}

/** How a value prints: nothing for null, lists joined, objects as JSON. */
export function toText(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(toText).join("");
  return typeof value === "number" || typeof value === "boolean" ? String(value) : jsonText(value);
}

/** The number a value stands for; 0 for what is none, as Liquid has it. */
export function toNumber(value: unknown): number {
  const number = typeof value === "string" || typeof value === "number" ? Number(value) : 0;
  return Number.isFinite(number) ? number : 0;
}

/** A list of the value: itself, nothing for null, else the value alone. Its items are paid for. */
export function toList(value: unknown, frame: Frame): readonly unknown[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) return [value];
  spend(frame, value.length);
  return value as unknown[];
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
  return !truthy(value) || isEmpty(value) || (typeof value === "string" && value.trim() === "");
}

/** Equality without conversion; lists and objects by what they hold; null and missing are one. */
export function same(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, at) => same(item, b[at]));
  return sameJson(a ?? null, b ?? null);
}

/** Order of two values: negative, 0, positive; NaN where they have none (then every comparison is false). */
export function order(a: unknown, b: unknown): number {
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : Number(a > b);
  const numeric = [a, b].every((side) => typeof side === "number" || (typeof side === "string" && side.trim() !== ""));
  return numeric ? Number(a) - Number(b) : NaN;
}
