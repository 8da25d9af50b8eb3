import fc from "fast-check";
import { expect, test } from "vitest";
import type { RowChange, Scope } from "../template/scope.ts";
import { AllowanceSpent } from "../template/meter.ts";
import { meterOf, scopeOf } from "../testing/scope.ts";
import { compileCondition } from "./compile.ts";
import { ConditionFault } from "./fault.ts";
import { equalityKeys, fold } from "./operand.ts";
import { isRuledOut } from "./ruled-out.ts";

/**
 * The oracle: a naive reading of the documents, written without the compiler's parts. It knows the fields and values that
 * the generators below make, no more; `undefined` stands for a fault.
 */
type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
type Doc =
  | { all: Doc[] }
  | { any: Doc[] }
  | { not: Doc }
  | { field: string; op: string; value?: Json; exact?: boolean; match?: string };
class NaiveFault extends Error {}

/** A value as text: a text itself, all else as JSON writes it. */
const show = (x: Json): string => (typeof x === "string" ? x : JSON.stringify(x));

const at = Date.parse("2026-11-20T17:00:00.000Z");
const isScalar = (x: unknown) => ["string", "number", "boolean"].includes(typeof x);
const isNumeric = (x: unknown) => typeof x === "number" || (typeof x === "string" && /^-?\d+(\.\d+)?$/.test(x));
const isDate = (x: unknown) => typeof x === "string" && /^\d{4}-\d\d-\d\d/.test(x);
const fail = (): never => {
  throw new NaiveFault();
};

function naiveEquals(a: Json, b: Json, exact: boolean): boolean {
  if (!isScalar(a) || !isScalar(b)) return fail();
  const text = (x: Json) => (exact ? show(x) : show(x).toLowerCase());
  if (typeof a === "boolean" || typeof b === "boolean")
    return typeof a !== "number" && typeof b !== "number" && text(a) === text(b);
  if (typeof a === "number" || typeof b === "number") return isNumeric(a) && isNumeric(b) && Number(a) === Number(b);
  return text(a) === text(b);
}

/** In this test's zone (UTC) a day is a day of the instant's own text. */
function naiveOrder(a: Json, b: Json): number {
  if (isNumeric(b)) return isNumeric(a) ? Number(a) - Number(b) : fail();
  if (!isDate(b)) return fail();
  if (typeof a !== "string" || !isDate(a)) return fail();
  const width = Math.min(a.length, show(b).length);
  return a.slice(0, width) < show(b).slice(0, width) ? -1 : Number(a.slice(0, width) > show(b).slice(0, width));
}

function naiveText(x: Json): string {
  return isScalar(x) ? show(x) : fail();
}

function naiveItem(op: string, a: Json, b: Json, exact: boolean): boolean {
  const low = (x: Json) => (exact ? naiveText(x) : naiveText(x).toLowerCase());
  switch (op) {
    case "is":
      return naiveEquals(a, b, exact);
    case "in":
      return (b as Json[]).some((one) => naiveEquals(a, one, exact));
    case "contains":
      return low(a).includes(low(b));
    case "starts_with":
      return low(a).startsWith(low(b));
    case "ends_with":
      return low(a).endsWith(low(b));
    case "matches":
      return new RegExp(show(b), exact ? "u" : "iu").test(naiveText(a));
    case "gt":
    case "after":
      return naiveOrder(a, b) > 0;
    case "gte":
      return naiveOrder(a, b) >= 0;
    case "lt":
    case "before":
      return naiveOrder(a, b) < 0;
    case "lte":
      return naiveOrder(a, b) <= 0;
    case "between":
      return naiveOrder(a, (b as Json[])[0]!) >= 0 && naiveOrder(a, (b as Json[])[1]!) <= 0;
    case "in_last": {
      if (typeof a !== "string" || !isDate(a)) return fail();
      const from = new Date(at - Number.parseInt(show(b)) * 3_600_000).toISOString();
      return (
        naiveOrder(a, a.length === 10 ? from.slice(0, 10) : from) >= 0 &&
        naiveOrder(a, a.length === 10 ? "2026-11-20" : "2026-11-20T17:00:00.000Z") <= 0
      );
    }
    case "is_true":
      return ["true", "false"].includes(show(a).toLowerCase()) && typeof a !== "object"
        ? show(a).toLowerCase() === "true"
        : fail();
    default:
      throw new Error(`the oracle does not know ${op}`);
  }
}

const negations: Record<string, string> = {
  is_not: "is",
  not_in: "in",
  not_contains: "contains",
  not_matches: "matches",
  not_in_last: "in_last",
  none_of: "any_of",
  is_not_set: "is_set",
};

function naive(doc: Doc, scope: Scope): boolean {
  if ("all" in doc) return doc.all.every((one) => naive(one, scope));
  if ("any" in doc) return doc.any.some((one) => naive(one, scope));
  if ("not" in doc) return !naive(doc.not, scope);
  const { field, op, match = "any", exact = false } = doc;
  if (negations[op] !== undefined) return !naive({ ...doc, op: negations[op] }, scope);
  if (match === "none") return !naive({ ...doc, match: "any" }, scope);
  const get = (path: string): Json | undefined =>
    path
      .split(".")
      .slice(1)
      .reduce<Json | undefined>(
        (row, key) => (row as Record<string, Json> | null | undefined)?.[key],
        scope.root(path.split(".")[0]!) as Json | undefined,
      );
  const left = get(field) ?? null;
  if (op.startsWith("changed")) {
    const [change] = scope.changes;
    const name = field.split(".")[1]!;
    const before = (change?.before?.[name] ?? null) as Json;
    const after = (change?.after[name] ?? null) as Json;
    if (op === "changed") return JSON.stringify(before) !== JSON.stringify(after);
    const has = (x: Json) => [x].flat().some((item) => item !== null && naiveEquals(item, doc.value!, exact));
    return op === "changed_to" ? has(after) && !has(before) : has(before) && !has(after);
  }
  if (left === null) return false;
  if (op === "is_set") return true;
  const right =
    doc.value !== undefined && typeof doc.value === "object" && doc.value !== null && "ref" in doc.value
      ? (get(show(doc.value.ref)) ?? null)
      : (doc.value ?? null);
  if (right === null && op !== "is_true") return false;
  if (Array.isArray(left) && left.length === 0 && op !== "any_of" && op !== "all_of") return false;
  // A right side that was looked up is judged once, before any item.
  if (op === "gt" && !isNumeric(right) && !isDate(right)) return fail();
  if (["is", "contains"].includes(op) && !isScalar(right)) return fail();
  if (right === "" && ["contains", "starts_with", "ends_with", "matches"].includes(op)) return false;
  if (op === "any_of" || op === "all_of") {
    const has = (wanted: Json) => [left].flat().some((item) => item !== null && naiveEquals(item, wanted, exact));
    return op === "any_of" ? (right as Json[]).some(has) : (right as Json[]).every(has);
  }
  const items = Array.isArray(left) ? left : [left];
  const one = (item: Json) => item !== null && naiveItem(op, item, right, exact);
  return match === "all" ? items.length > 0 && items.every(one) : items.some(one);
}

const words = [
  "pro",
  "Pro",
  "free",
  "5",
  "5.0",
  "true",
  "",
  "vip",
  "2026-11-20",
  "2026-11-19T08:00:00.000Z",
  "2026-11-20T16:00:00.000Z",
];
const scalar = fc.oneof(fc.constantFrom(...words), fc.constantFrom(0, 5, -1.5, 12), fc.boolean());
const field = fc.oneof(
  { weight: 6, arbitrary: scalar },
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 3, arbitrary: fc.array(fc.oneof(scalar, fc.constant(null)), { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constant({ x: 1 }) },
);
const row = fc.record({ a: field, b: field, c: field }, { requiredKeys: [] });
const scopes: fc.Arbitrary<Scope> = fc
  .record({ customer: row, before: fc.oneof(row, fc.constant(null)), after: row, hit: fc.boolean() })
  .map(({ customer, before, after, hit }) => {
    const changes: RowChange[] = hit ? [{ table: "customers", id: "u1", before, after }] : [];
    return scopeOf({ customer: { id: "u1", ...customer } }, { changes });
  });

const fieldPath = fc.constantFrom("customer.a", "customer.b", "customer.c", "nobody.x");
const text = fc.constantFrom("pro", "R", "5", "20", "ee");
const ordered = fc.oneof(fc.constantFrom(0, 5, 4.5), fc.constantFrom("5", "2026-11-20", "2026-11-20T16:00:00.000Z"));
const values: Record<string, fc.Arbitrary<Json | undefined>> = {
  is: fc.oneof(scalar, fc.constant({ ref: "customer.b" })),
  is_not: scalar,
  in: fc.array(scalar, { minLength: 1, maxLength: 3 }),
  not_in: fc.array(scalar, { minLength: 1, maxLength: 3 }),
  any_of: fc.array(scalar, { minLength: 1, maxLength: 3 }),
  all_of: fc.array(scalar, { minLength: 1, maxLength: 3 }),
  none_of: fc.array(scalar, { minLength: 1, maxLength: 3 }),
  contains: fc.oneof(text, fc.constant({ ref: "customer.c" })),
  not_contains: text,
  starts_with: text,
  ends_with: text,
  matches: fc.constantFrom("pro|vip", "^\\d", "e+$", "R", "pro"),
  not_matches: fc.constantFrom("pro|vip", "^\\d"),
  gt: fc.oneof(ordered, fc.constant({ ref: "customer.b" })),
  gte: ordered,
  lt: ordered,
  lte: ordered,
  between: fc.constantFrom<Json>([0, 5], ["2026-11-20", "2026-11-20T16:00:00.000Z"]),
  before: fc.constantFrom("2026-11-20", "2026-11-20T16:00:00.000Z"),
  after: fc.constantFrom("2026-11-20", "2026-11-19T08:00:00.000Z"),
  in_last: fc.constantFrom("2h", "48h"),
  not_in_last: fc.constantFrom("2h", "48h"),
  is_set: fc.constant(undefined),
  is_not_set: fc.constant(undefined),
  is_true: fc.constant(undefined),
  changed: fc.constant(undefined),
  changed_to: scalar,
  changed_from: scalar,
};
const exactOnes = ["is", "is_not", "in", "not_in", "any_of", "contains", "matches", "changed_to"];
const wholeOnes = ["any_of", "all_of", "none_of", "is_set", "is_not_set", "changed", "changed_to", "changed_from"];
const clauses: fc.Arbitrary<Doc> = fc.constantFrom(...Object.keys(values)).chain((op) =>
  fc
    .record({
      field: op.startsWith("changed") ? fc.constantFrom("customer.a", "customer.b") : fieldPath,
      value: values[op]!,
      exact: fc.boolean(),
      match: fc.constantFrom(undefined, "any", "all", "none"),
    })
    .map(({ field: path, value, exact, match }) => ({
      field: path,
      op,
      ...(value === undefined ? {} : { value }),
      ...(exact && exactOnes.includes(op) ? { exact } : {}),
      ...(match === undefined || wholeOnes.includes(op) ? {} : { match }),
    })),
);
const { doc: documents } = fc.letrec<{ doc: Doc }>((tie) => ({
  doc: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 3, arbitrary: clauses },
    { weight: 1, arbitrary: fc.array(tie("doc"), { maxLength: 3 }).map((all) => ({ all })) },
    { weight: 1, arbitrary: fc.array(tie("doc"), { minLength: 1, maxLength: 3 }).map((any) => ({ any })) },
    { weight: 1, arbitrary: tie("doc").map((not) => ({ not })) },
  ),
}));

function outcomeOf(run: () => boolean): boolean | "error" {
  try {
    return run();
  } catch (error) {
    if (error instanceof NaiveFault || error instanceof ConditionFault) return "error";
    throw error;
  }
}

test("closures agree with the oracle, and explain with test", () => {
  const seen = { true: 0, false: 0, error: 0 };
  fc.assert(
    fc.property(documents, fc.array(scopes, { minLength: 1, maxLength: 4 }), (json, many) => {
      const result = compileCondition(json);
      if (!result.ok) throw new Error(JSON.stringify(result.problems));
      for (const scope of many) {
        const answer = outcomeOf(() => result.condition.test(scope));
        expect(answer).toBe(outcomeOf(() => naive(json, scope)));
        expect(result.condition.explain(scope).result).toBe(answer);
        seen[`${answer}`] += 1;
      }
    }),
    { numRuns: 3_000 },
  );
  // The generators are worth nothing if they make one answer only.
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(300);
});

test("hints are necessary: whatever holds, the index would have found", () => {
  let checked = 0;
  fc.assert(
    fc.property(documents, fc.array(scopes, { minLength: 1, maxLength: 4 }), (json, many) => {
      const result = compileCondition(json);
      if (!result.ok) throw new Error(JSON.stringify(result.problems));
      for (const scope of many) {
        if (outcomeOf(() => result.condition.test(scope)) !== true) continue;
        for (const hint of result.condition.hints) {
          const [root, name] = hint.field.split(".") as [string, string];
          const value = (scope.root(root) as Record<string, unknown> | undefined)?.[name];
          const items = [value].flat();
          checked += 1;
          if (hint.kind === "changed") expect(scope.changes.length).toBeGreaterThan(0);
          else if (hint.kind === "range") expect(items.some((item) => inRange(item, hint))).toBe(true);
          else if (hint.kind === "keyword")
            expect(items.some((item) => hint.keys.some((key) => fold(String(item)).includes(key)))).toBe(true);
          else expect(items.flatMap(equalityKeys).some((key) => hint.keys.includes(key))).toBe(true);
        }
      }
    }),
    { numRuns: 6_000 },
  );
  expect(checked).toBeGreaterThan(200);
});

test("what the hints rule out does not hold, and no hint rules out what holds", () => {
  const seen = { out: 0, in: 0, faults: 0 };
  fc.assert(
    fc.property(documents, fc.array(scopes, { minLength: 1, maxLength: 4 }), (json, many) => {
      const result = compileCondition(json);
      if (!result.ok) throw new Error(JSON.stringify(result.problems));
      const { hints, test: holds } = result.condition;
      for (const scope of many) {
        const out = isRuledOut(hints, scope);
        const answer = outcomeOf(() => holds(scope));
        if (out) expect(answer).not.toBe(true);
        seen[out ? "out" : "in"] += 1;
        if (out && answer === "error") seen.faults += 1;
      }
    }),
    { numRuns: 6_000 },
  );
  expect(Math.min(seen.out, seen.in)).toBeGreaterThan(300);
  // a clause in front faults, and another excludes the scope all the same
  expect(seen.faults).toBeGreaterThan(10);
});

test("L7: ruling out takes steps for what it looks at, and goes no further than the allowance", () => {
  const words = Array.from({ length: 300 }, (_, n) => `word ${n}`);
  const stepsFor = (clause: object, a: unknown, changes: RowChange[] = []) => {
    const result = compileCondition({ field: "customer.a", ...clause });
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    const { hints } = result.condition;
    const meter = meterOf(1e6);
    isRuledOut(hints, scopeOf({ customer: { a } }, { changes, meter }));
    const [taken, short] = [meter.taken(), meterOf(meter.taken() - 1)];
    const again = () => isRuledOut(hints, scopeOf({ customer: { a } }, { changes, meter: short }));
    expect(again).toThrow(AllowanceSpent);
    return taken;
  };
  expect(stepsFor({ op: "in", value: words }, ["x", "y"])).toBeGreaterThanOrEqual(300);
  expect(stepsFor({ op: "contains", value: "long" }, "x".repeat(64_000))).toBeGreaterThanOrEqual(2000);
  expect(
    stepsFor(
      { op: "gt", value: 5 },
      Array.from({ length: 500 }, () => 1),
    ),
  ).toBeGreaterThanOrEqual(500);
  const change = { table: "customers", id: "1", before: {}, after: {} };
  expect(stepsFor({ op: "changed" }, 1, [change, change])).toBe(3);
});

test("a value that a hint cannot judge rules nothing out", () => {
  const ruledOut = (clause: object, a: unknown, changes: RowChange[] = []) => {
    const result = compileCondition({ field: "customer.a", ...clause });
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    return isRuledOut(result.condition.hints, scopeOf({ customer: { a } }, { changes }));
  };
  for (const op of ["is", "contains"]) {
    expect(ruledOut({ op, value: "pro" }, { x: 1 })).toBe(false);
    expect(ruledOut({ op, value: "pro" }, ["free", { x: 1 }])).toBe(false);
    expect(ruledOut({ op, value: "pro" }, ["free", null])).toBe(true);
    expect(ruledOut({ op, value: "pro" }, null)).toBe(true);
  }
  expect(ruledOut({ op: "gt", value: 5 }, "many")).toBe(false);
  expect([ruledOut({ op: "gt", value: 5 }, 4), ruledOut({ op: "lt", value: 5 }, 4)]).toEqual([true, false]);
  const before = { op: "before", value: "2026-11-20T16:00:00.000Z" };
  expect(ruledOut(before, "2026-11-21")).toBe(false);
  expect([ruledOut(before, "2026-11-20T17:00:00.000Z"), ruledOut(before, "2026-11-20T15:00:00.000Z")]).toEqual([
    true,
    false,
  ]);
  const change = (rows: Pick<RowChange, "before" | "after">) => [{ table: "customers", id: "u1", ...rows }];
  expect(ruledOut({ op: "changed" }, 1)).toBe(true);
  expect(ruledOut({ op: "changed" }, 1, change({ before: { b: 1 }, after: { b: 2 } }))).toBe(true);
  expect(ruledOut({ op: "changed" }, 1, change({ before: null, after: { a: 1 } }))).toBe(false);
  expect(ruledOut({ op: "changed" }, 1, change({ before: { a: 1 }, after: {} }))).toBe(false);
});

function inRange(item: unknown, range: { of: "number" | "date"; low: number | null; high: number | null }): boolean {
  // A day stands for any instant in it.
  const spread = typeof item === "string" && item.length === 10 ? 86_400_000 : 0;
  const number = range.of === "number" ? Number(item) : Date.parse(String(item));
  return number + spread >= (range.low ?? -Infinity) && number - spread <= (range.high ?? Infinity);
}
