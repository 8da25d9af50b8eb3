import { isEmpty } from "../template/liquid-value.ts";
import { brief } from "../text/characters.ts";
import { OperandFault } from "./fault.ts";
import { fold } from "./operand.ts";
import { negation, type Operator } from "./operator.ts";

const always: Pick<Operator<true>, "value" | "prepare"> = { value: "none", prepare: () => true };

const isSet: Operator<true> = {
  ...always,
  label: "is set",
  phrase: "{field} is set",
  fields: ["text", "number", "boolean", "date", "list", "id"],
  over: "whole",
  test: () => true,
};

const isNotEmpty: Operator<true> = {
  ...always,
  label: "is not empty",
  phrase: "{field} is not empty",
  fields: ["text", "list"],
  over: "whole",
  test: (left) => !isEmpty(left),
};

/** Operators without a right side. Null and missing are not set; "", [] and {} are set but empty, as missing is. */
export const presenceOperators = {
  is_set: isSet,
  is_not_set: negation(isSet, { label: "is not set", phrase: "{field} is not set" }),
  is_empty: negation(isNotEmpty, { label: "is empty", phrase: "{field} is empty" }),
  is_not_empty: isNotEmpty,
  is_true: yesOrNo("is true", true),
  is_false: yesOrNo("is false", false),
};

/** Both are false for a missing value: nobody said yes, and nobody said no. */
function yesOrNo(label: string, wanted: boolean): Operator<true> {
  return {
    ...always,
    label,
    phrase: `{field} ${label}`,
    fields: ["boolean"],
    over: "items",
    test: (left) => booleanOf(left) === wanted,
  };
}

function booleanOf(value: unknown): boolean {
  if (typeof value === "boolean") return value;
  const word = typeof value === "string" ? fold(value) : "";
  if (word !== "true" && word !== "false") throw new OperandFault(`${brief(value)} is neither true nor false`);
  return word === "true";
}
