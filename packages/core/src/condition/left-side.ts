import { weigh } from "../template/meter.ts";
import { compilePath, readKey, type Path } from "../template/path.ts";
import type { Scope } from "../template/scope.ts";
import { soonest } from "./node.ts";
import type { Operator } from "./operator.ts";
import type { RightSide } from "./right-side.ts";

/** What a clause says of its field: an operator over one way to find and go over values. */
export interface LeftSide {
  /** Whether the operator's test holds for it. What is missing, on either side, holds for nothing. */
  readonly holds: (scope: Scope) => boolean;
  /** what an explanation shows of it */
  readonly shown: (scope: Scope) => unknown;
  /** as `Node.nextChange`, where the operator minds the clock */
  readonly nextChange: ((scope: Scope) => number | null) | null;
}

/** A field of a root: as a whole, or any or every item of its list as the operator has it. */
export function fieldSide(path: Path, operator: Operator, right: RightSide, every: boolean): LeftSide {
  const read = compilePath(path);
  const items = operator.over === "items";
  // taken out of the operator once: operators have many shapes, and looking into them each time costs more than the test
  const test: Operator["test"] = operator.test.bind(operator);
  const cost = operator.cost?.bind(operator);
  const { ready } = right;
  return {
    holds(scope) {
      const left = read(scope);
      // whether the other side could be made ready does not matter then
      if (left === null || left === undefined || (items && Array.isArray(left) && left.length === 0)) return false;
      const value = ready(scope);
      if (value === null) return false;
      scope.meter.take(weigh(left) * (cost === undefined ? 1 : cost(value as never)));
      return items && Array.isArray(left) ? overItems(left, every, test, value, scope) : test(left, value, scope);
    },
    shown: read,
    nextChange: operator.nextChange === undefined ? null : (scope) => nextOf(read(scope), operator, right, scope),
  };
}

function overItems(
  list: readonly unknown[],
  every: boolean,
  test: Operator["test"],
  right: unknown,
  scope: Scope,
): boolean {
  for (const item of list) {
    const holds = item !== null && item !== undefined && test(item, right, scope);
    if (holds !== every) return holds;
  }
  return every;
}

function nextOf(left: unknown, operator: Operator, right: RightSide, scope: Scope): number | null {
  const value = right.ready(scope);
  if (value === null) return null;
  const items: readonly unknown[] = Array.isArray(left) ? left : [left];
  scope.meter.take(weigh(left) * (operator.cost?.(value as never) ?? 1));
  return soonest(items.map((item) => operator.nextChange?.(item, value as never, scope) ?? null));
}

/** Tables of the rows whose changes a condition may ask for, by root. */
const tables = new Map<string | number, string>([
  ["customer", "customers"],
  ["conversation", "conversations"],
  ["message", "messages"],
  ["note", "notes"],
]);

/** Whether changes of this path can be asked for: a field of a row that is logged. */
export const hasChanges = (path: Path): boolean => path.length > 1 && tables.has(path[0] as string);

/** What the triggering event changed of a field. */
export function changeSide(path: Path, operator: Operator, right: RightSide): LeftSide {
  const [root, column, ...rest] = path as readonly [string, string, ...(string | number)[]];
  const table = tables.get(root);
  const changesOf = (scope: Scope) => {
    const id = readKey(scope.root(root), "id");
    return id === undefined ? [] : scope.changes.filter((change) => change.table === table && change.id === id);
  };
  return {
    holds(scope) {
      const changes = changesOf(scope);
      const value = changes.length === 0 ? null : right.ready(scope);
      if (value === null) return false;
      return changes.some((change) => {
        const after = deep(change.after, column, rest);
        const before = deep(change.before, column, rest);
        scope.meter.take((weigh(after, true) + weigh(before, true)) * (operator.cost?.(value as never) ?? 1));
        return operator.test(after, value, scope, before);
      });
    },
    /** before and after of the newest change that touches the field; null if there is none */
    shown(scope) {
      const change = changesOf(scope).findLast(
        ({ before, after }) => Object.hasOwn(after, column) || Object.hasOwn(before ?? {}, column),
      );
      if (change === undefined) return null;
      return { before: deep(change.before, column, rest) ?? null, after: deep(change.after, column, rest) ?? null };
    },
    nextChange: null,
  };
}

function deep(row: Readonly<Record<string, unknown>> | null, column: string, rest: Path): unknown {
  let value = readKey(row, column);
  for (const key of rest) value = readKey(value, key);
  return value;
}
