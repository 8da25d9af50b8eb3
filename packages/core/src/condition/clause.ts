import { compilePath, formatPath, parsePath, readKey, type Path } from "../template/path.ts";
import { namesOf } from "../model/json.ts";
import { pointer, TemplateFault, type Problem } from "../template/problem.ts";
import type { Scope } from "../template/scope.ts";
import { compileValue, referencePath, type Value } from "../template/value.ts";
import { brief } from "../text/characters.ts";
import { ConditionFault, OperandFault } from "./fault.ts";
import { outcome, shorten, type Explanation } from "./explain.ts";
import type { FieldType, IndexHint, Operator } from "./operator.ts";
import { isOperatorName, operators } from "./operators.ts";
import { matchWords, type MatchWord } from "./schema.ts";

/** A compiled clause or group. */
export interface Node {
  readonly test: (scope: Scope) => boolean;
  readonly explain: (scope: Scope) => Explanation;
  /** the next instant (ms) after the scope's at which the clock alone may change the answer; null for never */
  readonly nextChange: (scope: Scope) => number | null;
  /** what must be there for it to hold, by field; empty where nothing is known */
  readonly hints: readonly FieldHint[];
}

/** A necessary thing about one field. */
export type FieldHint = IndexHint & { readonly field: string };

/** What compiling a condition gathers. */
export interface Work {
  readonly problems: Problem[];
  readonly reads: Set<string>;
  readonly operators: Set<string>;
  clauses: number;
  fieldType?: ((path: string) => FieldType | undefined) | undefined;
}

/** Tables of the rows whose changes a condition may ask for, by root. */
const tables = new Map<string | number, string>([
  ["customer", "customers"],
  ["conversation", "conversations"],
  ["message", "messages"],
]);
const knownNames = ["field", "op", "value", "exact", "match"];

/** Everything about a clause that is known once it is compiled. */
interface Parts {
  readonly at: string;
  readonly name: string;
  readonly operator: Operator;
  readonly path: Path;
  readonly field: string;
  readonly match: MatchWord;
  readonly exact: boolean;
  /** the right side: made ready, or to be resolved for each scope */
  readonly right: { readonly fixed: unknown; readonly shown: unknown } | { readonly value: Value };
}

/** Compiles a clause, or answers null and leaves problems in `work`. */
export function compileClause(json: Readonly<Record<string, unknown>>, at: string, work: Work): Node | null {
  const before = work.problems.length;
  const problem = (code: string, key: string | null, message: string) =>
    void work.problems.push({ code, path: key === null ? at : pointer(at, key), message });
  for (const key of namesOf(json))
    if (!knownNames.includes(key)) problem("condition_invalid", key, `a clause has no "${key}"`);
  const name = json.op;
  if (!isOperatorName(name)) {
    problem("operator_unknown", "op", `there is no operator ${brief(name)}`);
    return null;
  }
  const operator = operators[name];
  const path = fieldPath(json.field);
  if (path === null) problem("field_invalid", "field", "a field is a path such as customer.properties.plan");
  else checkField(path, operator, name, work, problem);
  const exact = json.exact ?? false;
  if (typeof exact !== "boolean") problem("condition_invalid", "exact", "exact is true or false");
  else if (exact && operator.exact === undefined) problem("condition_invalid", "exact", `"${name}" compares no texts`);
  const match = json.match ?? "any";
  if (!matchWords.includes(match as MatchWord)) problem("condition_invalid", "match", "match is any, all or none");
  else if (json.match !== undefined && operator.over !== "items")
    problem("condition_invalid", "match", `"${name}" does not go over single items`);
  const right = compileRight(json, at, operator, exact === true, work, problem);
  if (path === null || right === null || work.problems.length > before) return null;
  work.operators.add(name);
  const field = formatPath(path);
  work.reads.add(field);
  return build({ at, name, operator, path, field, match: match as MatchWord, exact: exact === true, right });
}

type Report = (code: string, key: string | null, message: string) => void;

function fieldPath(json: unknown): Path | null {
  if (typeof json === "string") return parsePath(json);
  const path = referencePath(json);
  return path === "bad" ? null : path;
}

function checkField(path: Path, operator: Operator, name: string, work: Work, problem: Report): void {
  if (operator.over === "change" && (path.length < 2 || !tables.has(path[0]!))) {
    problem("field_invalid", "field", `"${name}" takes a field of customer, conversation or message`);
  }
  const type = work.fieldType?.(formatPath(path));
  if (type !== undefined && !operator.fields.includes(type)) {
    problem("operator_unfit", "op", `"${name}" does not suit a field of type ${type}`);
  }
}

function compileRight(
  json: Readonly<Record<string, unknown>>,
  at: string,
  operator: Operator,
  exact: boolean,
  work: Work,
  problem: Report,
): Parts["right"] | null {
  const given = Object.hasOwn(json, "value");
  if (operator.value === "none") {
    if (given) problem("value_unexpected", "value", `"${String(json.op)}" takes no value`);
    return { fixed: operator.prepare(null, exact), shown: undefined };
  }
  if (!given) {
    problem("value_missing", null, `"${String(json.op)}" needs a value`);
    return null;
  }
  const value = compileValue(json.value, pointer(at, "value"));
  if (!value.ok) {
    work.problems.push(...value.problems);
    return null;
  }
  for (const read of value.reads) work.reads.add(read);
  if (!value.static) return { value };
  try {
    const fixed = json.value === null ? null : operator.prepare(json.value, exact);
    if (fixed !== null) return { fixed, shown: json.value };
    problem("operand_invalid", "value", `${brief(json.value)} is nothing to compare with`);
  } catch (error) {
    const { code, message } = located(error, at);
    problem(code, "value", message);
  }
  return null;
}

/** A fault of this clause; anything that is none of its own is a bug and goes on. */
function located(error: unknown, at: string): ConditionFault {
  if (error instanceof OperandFault || error instanceof TemplateFault)
    return new ConditionFault(error.code, at, error.message);
  throw error;
}

function build(parts: Parts): Node {
  const { at, operator, right, match, field } = parts;
  const change = operator.over === "change";
  const evaluate = change ? overChanges(parts) : overField(parts);
  const read = compilePath(parts.path);
  const test = (scope: Scope): boolean => {
    try {
      return evaluate(scope);
    } catch (error) {
      throw located(error, at);
    }
  };
  // What holds for no item, or where the operator is turned around, says nothing about what must be there.
  const hint = "fixed" in right && match !== "none" ? (operator.hint?.(right.fixed) ?? null) : null;
  return {
    test,
    explain(scope) {
      const expected = "fixed" in right ? right.shown : resolved(right.value, scope);
      const result = outcome(
        () => evaluate(scope),
        (error) => located(error, at),
      );
      const phrase = operator.phrase.replace("{field}", () => field).replace("{value}", () => brief(expected));
      const actual = shorten(change ? lastChange(parts, scope) : read(scope));
      const sides = operator.value === "none" ? { actual } : { actual, expected: shorten(expected) };
      return { op: parts.name, field, ...sides, phrase, ...result };
    },
    nextChange:
      operator.nextChange === undefined
        ? never
        : (scope) => soonest(itemsOf(read(scope)).map((item) => changeOf(parts, item, scope))),
    hints: hint === null ? [] : [{ ...hint, field }],
  };
}

const never = (): null => null;
const itemsOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** The earliest of some instants (ms). */
export function soonest(instants: readonly (number | null)[]): number | null {
  return instants.reduce((a, b) => (a === null || b === null ? (a ?? b) : Math.min(a, b)), null);
}

/** Never for a right side that cannot be had: the clock alone does not mend it, and it may not even be asked for. */
function changeOf(parts: Parts, item: unknown, scope: Scope): number | null {
  try {
    const right = rightOf(parts, scope);
    return right === null ? null : (parts.operator.nextChange?.(item, right as never, scope) ?? null);
  } catch (error) {
    located(error, parts.at);
    return null;
  }
}

/** The right side for an explanation; null where it cannot be had, for then the result says why. */
function resolved(value: Value, scope: Scope): unknown {
  try {
    return value.resolve(scope);
  } catch {
    return null;
  }
}

/** The right side for one evaluation; null where it is missing. */
function rightOf(parts: Parts, scope: Scope): unknown {
  if ("fixed" in parts.right) return parts.right.fixed;
  const value = parts.right.value.resolve(scope);
  return value === null || value === undefined ? null : parts.operator.prepare(value, parts.exact);
}

function overField(parts: Parts): (scope: Scope) => boolean {
  const { operator, match } = parts;
  const read = compilePath(parts.path);
  const items = operator.over === "items";
  const every = match === "all";
  // "none" is the negation of "any", and a negated operator that of its base; both together cancel out.
  const flip = (match === "none") !== (operator.negated === true);
  // Taken out of the operator once: operators have many shapes, and looking into them each time costs more than the test.
  const compare: Operator["test"] = operator.test.bind(operator);
  const test: Operator["test"] = items
    ? (left, right, scope) =>
        Array.isArray(left) ? overItems(left, every, compare, right, scope) : compare(left, right, scope)
    : compare;
  if ("fixed" in parts.right) {
    const right = parts.right.fixed;
    return (scope) => {
      const left = read(scope);
      return left === null || left === undefined ? flip : test(left, right, scope) !== flip;
    };
  }
  return (scope) => {
    const left = read(scope);
    // An empty list is missing too: whether its other side could be made ready does not matter.
    if (left === null || left === undefined || (items && Array.isArray(left) && left.length === 0)) return flip;
    const right = rightOf(parts, scope);
    return right === null ? flip : test(left, right, scope) !== flip;
  };
}

/** Any or every item. An empty list is as good as a missing value: nothing holds for it, not even "every". */
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
  return every && list.length > 0;
}

function overChanges(parts: Parts): (scope: Scope) => boolean {
  const [root, column, ...rest] = parts.path;
  const table = tables.get(root!);
  return (scope) => {
    const id = readKey(readKey(scope.roots, root!), "id");
    if (id === undefined) return false;
    for (const change of scope.changes) {
      if (change.table !== table || change.id !== id) continue;
      const right = rightOf(parts, scope);
      if (right === null) return false;
      if (parts.operator.test(deep(change.after, column!, rest), right, scope, deep(change.before, column!, rest)))
        return true;
    }
    return false;
  };
}

function deep(row: Readonly<Record<string, unknown>> | null, column: string | number, rest: Path): unknown {
  let value = readKey(row, column);
  for (const key of rest) value = readKey(value, key);
  return value;
}

/** Before and after of the newest change that touches the field; null if there is none. */
function lastChange(parts: Parts, scope: Scope): { before: unknown; after: unknown } | null {
  const [root, column, ...rest] = parts.path;
  const id = readKey(readKey(scope.roots, root!), "id");
  const change = scope.changes.findLast(
    (one) =>
      one.table === tables.get(root!) &&
      one.id === id &&
      (Object.hasOwn(one.after, column!) || Object.hasOwn(one.before ?? {}, column!)),
  );
  if (change === undefined) return null;
  return { before: deep(change.before, column!, rest) ?? null, after: deep(change.after, column!, rest) ?? null };
}
