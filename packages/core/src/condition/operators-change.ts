import { sameJson } from "../model/json.ts";
import { comparand, type Comparand } from "./operand.ts";
import type { Operator } from "./operator.ts";
import { holds } from "./operators-equal.ts";

const changed: Operator<true> = {
  label: "changed",
  phrase: "{field} changed",
  fields: ["text", "number", "boolean", "date", "list", "id"],
  value: "none",
  over: "change",
  prepare: () => true,
  test: (after, _right, _scope, before) => !sameJson(before ?? null, after ?? null),
  hint: () => ({ kind: "changed" }),
};

/** Operators over what the triggering event changed. In a list, the value was added (to) or taken away (from). */
export const changeOperators = {
  changed,
  changed_to: moved("changed to", (before, after, value) => has(after, value) && !has(before, value)),
  changed_from: moved("changed from", (before, after, value) => has(before, value) && !has(after, value)),
};

function moved(
  label: string,
  test: (before: unknown, after: unknown, value: Comparand) => boolean,
): Operator<Comparand> {
  return {
    ...changed,
    label,
    phrase: `{field} ${label} {value}`,
    value: "scalar",
    exact: true,
    prepare: comparand,
    test: (after, value, _scope, before) => test(before, after, value),
    hint: () => ({ kind: "changed" }),
  };
}

function has(field: unknown, value: Comparand): boolean {
  return field !== null && field !== undefined && holds(field, value);
}
