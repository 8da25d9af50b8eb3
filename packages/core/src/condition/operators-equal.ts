import { comparand, equals, equalityKeys, type Comparand } from "./operand.ts";
import { negation, type Operator } from "./operator.ts";

const is: Operator<Comparand> = {
  label: "is",
  phrase: "{field} is {value}",
  fields: ["text", "number", "boolean", "date", "list", "id"],
  value: "scalar",
  over: "items",
  exact: true,
  prepare: comparand,
  test: equals,
  hint: (right) => ({ kind: "equality", keys: keysOf(right) }),
};

const isIn: Operator<readonly Comparand[]> = {
  label: "is one of",
  phrase: "{field} is one of {value}",
  fields: ["text", "number", "date", "list", "id"],
  value: "list",
  over: "items",
  exact: true,
  prepare: comparands,
  cost: (right: readonly Comparand[]) => right.length,
  test: (left, right) => right.some((one) => equals(left, one)),
  hint: (right) => ({ kind: "equality", keys: right.flatMap(keysOf) }),
};

const anyOf: Operator<readonly Comparand[]> = {
  label: "has any of",
  phrase: "{field} has any of {value}",
  fields: ["list"],
  value: "list",
  over: "whole",
  exact: true,
  prepare: comparands,
  cost: (right: readonly Comparand[]) => right.length,
  test: (left, right) => right.some((one) => holds(left, one)),
  hint: (right) => ({ kind: "membership", keys: right.flatMap(keysOf) }),
};

/** Operators that ask for equality, of one value with one or several. */
export const equalOperators = {
  is,
  is_not: negation(is, { label: "is not", phrase: "{field} is not {value}" }),
  in: isIn,
  not_in: negation(isIn, { label: "is none of", phrase: "{field} is none of {value}" }),
  any_of: anyOf,
  all_of: {
    ...anyOf,
    label: "has all of",
    phrase: "{field} has all of {value}",
    test: (left, right) => right.every((one) => holds(left, one)),
    hint: (right) => ({ kind: "membership", keys: keysOf(right[0]!) }),
  } satisfies Operator<readonly Comparand[]>,
  none_of: negation(anyOf, { label: "has none of", phrase: "{field} has none of {value}" }),
};

/** A single value counts as a list of one. What is missing inside a list is passed over. */
function comparands(value: unknown, exact: boolean): readonly Comparand[] | null {
  const items = (Array.isArray(value) ? (value as unknown[]) : [value]).filter(
    (item) => item !== null && item !== undefined,
  );
  return items.length === 0 ? null : items.map((item) => comparand(item, exact));
}

/** Whether a list, or a single value as a list of one, holds the value. */
export function holds(left: unknown, right: Comparand): boolean {
  if (!Array.isArray(left)) return equals(left, right);
  return left.some((item) => item !== null && equals(item, right));
}

/** All keys that an equal left side can have. */
function keysOf(right: Comparand): string[] {
  if (right.type === "text") return equalityKeys(right.text);
  return right.type === "number" ? [`n:${right.number}`] : [`b:${right.text}`, `t:${right.text}`];
}
