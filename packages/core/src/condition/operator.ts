import type { Scope } from "../template/scope.ts";

/** Kinds of field, as a builder shows them and as the settings define properties. */
export const fieldKinds = ["text", "number", "boolean", "date", "list", "id"] as const;
export type FieldType = (typeof fieldKinds)[number];

/** What an operator wants on its right side. */
export const valueTypes = [
  "none",
  "scalar",
  "text",
  "pattern",
  "number",
  "number_or_date",
  "date",
  "range",
  "list",
  "duration",
] as const;
export type ValueType = (typeof valueTypes)[number];

/**
 * What an event must have for the operator to hold; a matching index may look for it first. `keys` are alternatives: one
 * of them is found among `equalityKeys(item)` (equality, membership), or inside `fold(text)` (keyword). A range is open
 * where an end is null. The index may find more than the condition accepts, never less.
 */
export type IndexHint =
  | { readonly kind: "equality" | "membership" | "keyword"; readonly keys: readonly string[] }
  | {
      readonly kind: "range";
      readonly of: "number" | "date";
      readonly low: number | null;
      readonly high: number | null;
    }
  | { readonly kind: "changed" };

/**
 * One operator. `Right` is the right side made ready, once for a literal. A missing left or right side is no fault: an
 * operator then does not hold, and its negation does. Operands of a wrong type throw OperandFault.
 */
export interface Operator<Right = unknown> {
  readonly label: string;
  /** a sentence for people, with {field} and {value} */
  readonly phrase: string;
  /** field types it is offered for */
  readonly fields: readonly FieldType[];
  readonly value: ValueType;
  /** what it is applied to: each item of a list, the field as a whole, or each change of the field */
  readonly over: "items" | "whole" | "change";
  /** set where the clause holds if `test` says no: the true negation, also over lists and missing values */
  readonly negated?: true;
  /** set where texts are compared, so that `exact` means something */
  readonly exact?: true;
  /** set where the answer depends on the clock alone as well */
  readonly timed?: true;
  /** Makes a right side ready; null where it is as good as missing (an empty text to look for, an empty list). */
  prepare(value: unknown, exact: boolean): Right | null;
  /** `left` is never null or undefined, save for `over: "change"`, where it is the value after and `before` the one before. */
  test(left: unknown, right: Right, scope: Scope, before?: unknown): boolean;
  /** What comparing with this right side costs, in steps for each 64 characters and item of the left one; without it, one. */
  cost?(right: never): number;
  /** For timed ones: the next instant (ms) after the scope's at which the clock alone may change the answer; null for never. */
  nextChange?(left: unknown, right: never, scope: Scope): number | null;
  /** The hint for a literal right side; null where there is none. */
  hint?(right: Right): IndexHint | null;
}

/** The true negation of an operator, under words of its own. */
export function negation<Right>(base: Operator<Right>, words: Pick<Operator, "label" | "phrase">): Operator<Right> {
  return { ...base, ...words, negated: true, hint: () => null };
}
