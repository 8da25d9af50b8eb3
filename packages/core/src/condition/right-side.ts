import { pointer, type Problem, TemplateFault } from "../template/problem.ts";
import type { Scope } from "../template/scope.ts";
import { compileValue, type Value } from "../template/value.ts";
import { brief } from "../text/characters.ts";
import { ConditionFault, OperandFault } from "./fault.ts";
import type { Operator } from "./operator.ts";

/** The right side of a clause: written down and made ready once, or resolved for each scope. */
export interface RightSide {
  /** whether it is written down */
  readonly fixed: boolean;
  /** The value made ready for the operator; null where it is missing. Throws OperandFault and TemplateFault. */
  readonly ready: (scope: Scope) => unknown;
  /** The value as an explanation shows it; null where it cannot be had, for then the result says why. */
  readonly shown: (scope: Scope) => unknown;
  /** paths of the scope that it reads */
  readonly reads: readonly string[];
}

/** Compiles the `value` of a clause at a place of its document. What is wrong with it is its problems, never an exception. */
export function compileRight(
  json: Readonly<Record<string, unknown>>,
  at: string,
  operator: Operator,
  exact: boolean,
): RightSide | { readonly problems: readonly Problem[] } {
  const given = Object.hasOwn(json, "value");
  const path = pointer(at, "value");
  if (operator.value === "none") {
    if (!given) return written(operator.prepare(null, exact), undefined);
    return wrong("value_unexpected", path, `"${String(json.op)}" takes no value`);
  }
  if (!given) return wrong("value_missing", at, `"${String(json.op)}" needs a value`);
  const value = compileValue(json.value, path);
  if (!value.ok) return value;
  if (!value.static) {
    const ready = (scope: Scope): unknown => {
      const found = value.resolve(scope);
      return found === null || found === undefined ? null : operator.prepare(found, exact);
    };
    return { fixed: false, ready, shown: (scope) => resolved(value, scope), reads: value.reads };
  }
  try {
    const ready = json.value === null ? null : operator.prepare(json.value, exact);
    if (ready !== null) return written(ready, json.value);
    return wrong("operand_invalid", path, `${brief(json.value)} is nothing to compare with`);
  } catch (error) {
    const { code, message } = located(error, at);
    return wrong(code, path, message);
  }
}

const wrong = (code: string, path: string, message: string) => ({ problems: [{ code, path, message }] });

const written = (ready: unknown, shown: unknown): RightSide => ({
  fixed: true,
  ready: () => ready,
  shown: () => shown,
  reads: [],
});

function resolved(value: Value, scope: Scope): unknown {
  try {
    return value.resolve(scope);
  } catch (error) {
    if (error instanceof TemplateFault) return null;
    throw error;
  }
}

/** A fault of a clause with its place. What is none of its own (a need, a spent allowance, a bug) goes on. */
export function located(error: unknown, at: string): ConditionFault {
  if (error instanceof OperandFault || error instanceof TemplateFault)
    return new ConditionFault(error.code, at, error.message);
  throw error;
}
