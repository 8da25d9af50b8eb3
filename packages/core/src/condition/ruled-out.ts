import { compilePath, parsePath, type Path, readKey } from "../template/path.ts";
import { weigh } from "../template/meter.ts";
import type { Scope } from "../template/scope.ts";
import { readMoment } from "./moment.ts";
import type { FieldHint } from "./node.ts";
import { equalityKeys, fold, numberOf, textOf } from "./operand.ts";

/**
 * Whether the necessary part of a condition, its hints, already says that it cannot hold. What a hint cannot judge, such
 * as an object where a text is looked for, rules nothing out. An index may pass over exactly what this rules out, and
 * asking here first or last makes no difference to what holds. What is looked at is taken from the allowance: throws
 * `AllowanceSpent` where none is left.
 */
export function isRuledOut(hints: readonly FieldHint[], scope: Scope): boolean {
  return hints.some((hint) => rulesOut(hint, scope));
}

function rulesOut(hint: FieldHint, scope: Scope): boolean {
  const path = parsePath(hint.field) as Path; // written by formatPath
  if (hint.kind === "changed") {
    scope.meter.take(1 + scope.changes.length);
    return !isChanged(path, scope);
  }
  const value = compilePath(path)(scope);
  scope.meter.take(stepsOf(hint, weigh(value)));
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  const may = answererOf(hint);
  return items.every((item) => item === null || item === undefined || !may(item));
}

/** Steps of looking for what a hint looks for in a value of such a weight: keywords are looked for one by one. */
function stepsOf(hint: Exclude<FieldHint, { kind: "changed" }>, weight: number): number {
  if (hint.kind === "range") return weight;
  return hint.kind === "keyword" ? weight * (1 + hint.keys.length) : weight + hint.keys.length;
}

/** What tells whether an item may be what a hint looks for. */
function answererOf(hint: Exclude<FieldHint, { kind: "changed" }>): (item: unknown) => boolean {
  if (hint.kind === "range") {
    const { of, low, high } = hint;
    return (item) => {
      const number = of === "number" ? numberOf(item) : instantOf(item);
      const unknown = typeof item === "object" || Number.isNaN(number);
      return unknown || (number >= (low ?? -Infinity) && number <= (high ?? Infinity));
    };
  }
  if (hint.kind === "keyword") {
    return (item) => {
      if (typeof item === "object") return true;
      const text = fold(textOf(item));
      return hint.keys.some((key) => text.includes(key));
    };
  }
  const keys = new Set(hint.keys);
  return (item) => typeof item === "object" || equalityKeys(item).some((key) => keys.has(key));
}

/** Milliseconds of an instant; NaN for a day, which is no instant before its zone is known, and for all else. */
function instantOf(item: unknown): number {
  const moment = readMoment(item);
  return moment?.type === "instant" ? moment.ms : NaN;
}

function isChanged([, column]: Path, { changes }: Scope): boolean {
  return changes.some(
    ({ before, after }) => readKey(after, column!) !== undefined || readKey(before, column!) !== undefined,
  );
}
