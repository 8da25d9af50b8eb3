import { compilePath, parsePath, type Path, readKey } from "../template/path.ts";
import type { Scope } from "../template/scope.ts";
import { readMoment } from "./moment.ts";
import type { FieldHint } from "./node.ts";
import { equalityKeys, fold, numberOf, textOf } from "./operand.ts";

/**
 * Whether the necessary part of a condition, its hints, already says that it cannot hold. What a hint cannot judge, such
 * as an object where a text is looked for, rules nothing out. An index may pass over exactly what this rules out, and
 * asking here first or last makes no difference to what holds.
 */
export function isRuledOut(hints: readonly FieldHint[], scope: Scope): boolean {
  return hints.some((hint) => rulesOut(hint, scope));
}

function rulesOut(hint: FieldHint, scope: Scope): boolean {
  const path = parsePath(hint.field) as Path; // written by formatPath
  if (hint.kind === "changed") return !isChanged(path, scope);
  const value = compilePath(path)(scope);
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return items.every((item) => item === null || item === undefined || !mayAnswer(hint, item));
}

/** Whether an item may be what a hint looks for. */
function mayAnswer(hint: Exclude<FieldHint, { kind: "changed" }>, item: unknown): boolean {
  if (typeof item === "object") return true;
  if (hint.kind === "keyword") {
    const text = fold(textOf(item));
    return hint.keys.some((key) => text.includes(key));
  }
  if (hint.kind === "range") {
    const number = hint.of === "number" ? numberOf(item) : instantOf(item);
    return Number.isNaN(number) || (number >= (hint.low ?? -Infinity) && number <= (hint.high ?? Infinity));
  }
  return equalityKeys(item).some((key) => hint.keys.includes(key));
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
