import type { Operator } from "./operator.ts";
import { changeOperators } from "./operators-change.ts";
import { equalOperators } from "./operators-equal.ts";
import { orderOperators } from "./operators-order.ts";
import { presenceOperators } from "./operators-presence.ts";
import { textOperators } from "./operators-text.ts";
import { timeOperators } from "./operators-time.ts";

const table = {
  ...equalOperators,
  ...textOperators,
  ...orderOperators,
  ...timeOperators,
  ...presenceOperators,
  ...changeOperators,
};

/** The name of an operator, as `op` of a clause. */
export type OperatorName = keyof typeof table;

/** All operators by name. The right side's type is each operator's own: what its `prepare` made goes to its `test`. */
export const operators: Readonly<Record<OperatorName, Operator>> = table;

/** The names of all operators, in the order in which a builder lists them. */
export const operatorNames = Object.keys(table) as OperatorName[];

/** Whether a word names an operator. */
export function isOperatorName(word: unknown): word is OperatorName {
  return typeof word === "string" && Object.hasOwn(table, word);
}
