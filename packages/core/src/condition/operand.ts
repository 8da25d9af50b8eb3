import { brief } from "../text/characters.ts";
import { OperandFault } from "./fault.ts";

const numeric = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/**
 * Text without regard to capitals, as all comparisons and the matching index see it. Two letters that lower case keeps
 * apart are one for the reader (and for RE2): the long s, and the sigma at the end of a word.
 */
export function fold(text: string): string {
  const lower = text.toLowerCase();
  return lower.includes("ſ") || lower.includes("ς") ? lower.replaceAll("ſ", "s").replaceAll("ς", "σ") : lower;
}

/** The number that a number or a text of digits stands for; NaN for all else. */
export function numberOf(value: unknown): number {
  if (typeof value === "number") return value;
  // The length first: on a long row of digits the expression would take quadratic time.
  return typeof value === "string" && value.length <= 64 && numeric.test(value.trim()) ? Number(value) : NaN;
}

/** The text of a single value. Throws OperandFault for lists and objects. */
export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw new OperandFault(`${brief(value)} is no text`);
}

/** A single value, made ready to be compared for equality. */
export interface Comparand {
  readonly type: "text" | "number" | "boolean";
  /** the text, folded unless exact */
  readonly text: string;
  readonly exact: boolean;
  readonly number: number;
  readonly boolean: boolean | null;
}

/** Makes a single value ready to be compared. Throws OperandFault for lists, objects and null. */
export function comparand(value: unknown, exact: boolean): Comparand {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
    throw new OperandFault(`${brief(value)} is no single value`);
  }
  const text = exact ? String(value) : fold(String(value));
  const type = typeof value === "string" ? "text" : typeof value === "number" ? "number" : "boolean";
  const boolean = text === "true" ? true : text === "false" ? false : null;
  return { type, text, exact, number: numberOf(value), boolean };
}

/**
 * Whether a value equals a comparand: texts as texts; where one side is a number or boolean, a text on the other side
 * counts as the number or boolean it writes. Other pairs differ. Throws OperandFault for lists and objects.
 */
export function equals(left: unknown, right: Comparand): boolean {
  switch (typeof left) {
    case "string":
      if (right.type === "text") return (right.exact ? left : fold(left)) === right.text;
      if (right.type === "number") return numberOf(left) === right.number;
      return (right.exact ? left : fold(left)) === right.text;
    case "number":
      return right.type !== "boolean" && left === right.number;
    case "boolean":
      return left === right.boolean;
    default:
      throw new OperandFault(`${brief(left)} is no single value`);
  }
}

/** The keys under which an index finds a value: equal values share one. Empty for lists, objects and missing values. */
export function equalityKeys(value: unknown): string[] {
  if (typeof value === "number") return [`n:${value}`];
  if (typeof value === "boolean") return [`b:${value}`];
  if (typeof value !== "string") return [];
  const text = fold(value);
  const keys = [`t:${text}`];
  const number = numberOf(value);
  if (!Number.isNaN(number)) keys.push(`n:${number}`);
  if (text === "true" || text === "false") keys.push(`b:${text}`);
  return keys;
}
