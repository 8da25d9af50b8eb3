import { Value } from "typebox/value";
import { describe, expect, test } from "vitest";
import type { RowChange, Scope } from "../template/scope.ts";
import { scopeOf } from "../testing/scope.ts";
import { compileCondition, type ConditionOptions } from "./compile.ts";
import { operatorNames, operators } from "./operators.ts";
import { ConditionSchema } from "./schema.ts";

const roots = {
  message: { text: "I want a REFUND, 12 pieces", length: 5 },
  customer: {
    id: "u1",
    name: "Ann",
    tags: ["VIP", "new"],
    empty: [],
    holes: [null, "x"],
    blank: "",
    object: { a: 1 },
    nothing: {},
    seats: 12,
    digits: "12.0",
    yes: true,
    no: "False",
    born: "1990-05-01",
    seen: "2026-11-20T16:00:00.000Z",
    late: "2026-11-20T23:30:00.000Z",
    soon: "2026-11-22",
    numbers: [1, 5],
    sigma: "ΟΔΟΣ",
    long: "ſ".repeat(3),
    digitRow: "1".repeat(100),
  },
  steps: { find: { name: "ann", list: ["vip", null], none: [], pattern: "^i want" }, "x.y": { ok: 1 } },
};
const scopeWith = (changes: RowChange[] = []): Scope => scopeOf(roots, { changes, zone: "Europe/Paris" });

function compiled(json: unknown, options?: ConditionOptions) {
  const result = compileCondition(json, options);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.condition;
}
const holds = (json: unknown, changes?: RowChange[]) => compiled(json).test(scopeWith(changes));
const clause = (field: unknown, op: string, value?: unknown, more: object = {}) =>
  value === undefined ? { field, op, ...more } : { field, op, value, ...more };

describe("what operators mean", () => {
  test.each([
    ["customer.name", "is", "ANN", true],
    ["customer.name", "is", "Anna", false],
    ["customer.seats", "is", "12", true],
    ["customer.seats", "is", true, false],
    ["customer.digits", "is", 12, true],
    ["customer.digits", "is", "12", false],
    ["customer.yes", "is", "True", true],
    ["customer.yes", "is", "yes", false],
    ["customer.yes", "is", true, true],
    ["customer.no", "is", false, true],
    ["customer.name", "is", false, false],
    ["customer.digitRow", "is", 1, false],
    ["customer.sigma", "is", "οδοσ", true],
    ["customer.long", "is", "SSS", true],
    ["customer.name", "is_not", "bob", true],
    ["customer.tags", "is", "vip", true],
    ["customer.tags", "is_not", "vip", false],
    ["customer.tags", "is_not", "old", true],
    [{ ref: ["steps", "x.y", "ok"] }, "is", 1, true],
    ["customer.name", "is", { ref: "steps.find.name" }, true],
    ["customer.name", "is", "{{ steps.find.name | upcase }}", true],
    ["customer.seats", "is", "{{ 6 | times: 2 }}", true],
    ["customer.name", "in", ["bob", "ann"], true],
    ["customer.name", "in", "ann", true],
    ["customer.name", "in", { ref: "steps.find.list" }, false],
    ["customer.tags", "in", { ref: "steps.find.list" }, true],
    ["customer.name", "not_in", ["bob"], true],
    ["customer.tags", "any_of", ["x", "vip"], true],
    ["customer.tags", "any_of", ["x"], false],
    ["customer.name", "any_of", ["ann", "x"], true],
    ["customer.tags", "all_of", ["vip", "NEW"], true],
    ["customer.tags", "all_of", ["vip", "x"], false],
    ["customer.holes", "all_of", ["x"], true],
    ["customer.tags", "none_of", ["x"], true],
    ["customer.tags", "none_of", ["vip"], false],
    ["message.text", "contains", "refund", true],
    ["message.text", "not_contains", "refund", false],
    ["message.text", "starts_with", "i WANT", true],
    ["message.text", "ends_with", "pieces", true],
    ["customer.seats", "contains", "2", true],
    ["customer.yes", "starts_with", "tr", true],
    ["message.text", "matches", "refund|money back", true],
    ["message.text", "matches", "\\b\\d{2} pieces$", true],
    ["message.text", "matches", "^want", false],
    ["message.text", "not_matches", "^want", true],
    ["message.text", "matches", { ref: "steps.find.pattern" }, true],
    ["customer.name", "longer_than", 2, true],
    ["customer.name", "longer_than", 3, false],
    ["customer.name", "shorter_than", "4", true],
    ["customer.seats", "gt", 11, true],
    ["customer.seats", "gt", 12, false],
    ["customer.seats", "gte", "12", true],
    ["customer.digits", "lt", 12.5, true],
    ["customer.seats", "lte", 11, false],
    ["customer.numbers", "gt", 4, true],
    ["customer.seen", "gt", "2026-11-20T16:00:00.000+01:00", true],
    ["customer.seen", "lt", "2026-11-20T16:00:00Z", false],
    ["customer.seen", "before", "2026-11-20T16:00:00.001Z", true],
    ["customer.seen", "after", "2026-11-20", false],
    ["customer.seen", "gte", "2026-11-20", true],
    ["customer.late", "after", "2026-11-20", true],
    ["customer.born", "before", "1990-05-02", true],
    ["customer.born", "after", "1990-04-30T22:30:00Z", false],
    ["customer.born", "gte", "1990-04-30T22:30:00Z", true],
    ["customer.seats", "between", [12, 13], true],
    ["customer.seats", "between", [13, 20], false],
    ["customer.seats", "between", [1, 11], false],
    ["customer.seen", "between", ["2026-11-20", "2026-11-20T23:00:00Z"], true],
    ["customer.seen", "in_last", "1h", true],
    ["customer.seen", "in_last", "59m", false],
    ["customer.soon", "in_last", "1w", false],
    ["customer.seen", "not_in_last", "59m", true],
    ["customer.late", "in_next", "1d", true],
    ["customer.seen", "in_next", "1d", false],
    ["customer.soon", "in_next", "48h", true],
    ["customer.soon", "in_next", "24h", false],
    ["customer.name", "is_set", undefined, true],
    ["customer.blank", "is_set", undefined, true],
    ["customer.blank", "is_empty", undefined, true],
    ["customer.empty", "is_empty", undefined, true],
    ["customer.nothing", "is_empty", undefined, true],
    ["customer.object", "is_not_empty", undefined, true],
    ["customer.seats", "is_empty", undefined, false],
    ["customer.yes", "is_true", undefined, true],
    ["customer.yes", "is_false", undefined, false],
    ["customer.no", "is_false", undefined, true],
  ])("%j %s %j: %s", (field, op, value, answer) => expect(holds(clause(field, op, value))).toBe(answer));

  test.each([
    ["customer.name", "is", "ann", false],
    ["customer.name", "is", "Ann", true],
    ["customer.yes", "is", "true", true],
    ["customer.no", "is", false, false],
    ["customer.name", "in", ["ann"], false],
    ["message.text", "contains", "refund", false],
    ["message.text", "contains", "REFUND", true],
    ["message.text", "matches", "refund", false],
    ["customer.tags", "any_of", ["vip"], false],
  ])("exact: %s %s %j: %s", (field, op, value, answer) =>
    expect(holds(clause(field, op, value, { exact: true }))).toBe(answer),
  );

  test.each([
    ["customer.tags", "contains", "i", "any", true],
    ["customer.tags", "contains", "i", "all", false],
    ["customer.tags", "longer_than", 2, "all", true],
    ["customer.tags", "contains", "i", "none", false],
    ["customer.tags", "contains", "z", "none", true],
    ["customer.tags", "is_not", "vip", "all", true],
    ["customer.tags", "is_not", "vip", "none", true],
    ["customer.name", "is", "ann", "all", true],
    ["customer.name", "is", "ann", "none", false],
    ["customer.holes", "is", "x", "all", false],
    ["customer.holes", "is", "x", "any", true],
    ["customer.empty", "is", "x", "any", false],
    ["customer.empty", "is", "x", "all", false],
    ["customer.empty", "is", "x", "none", true],
    ["customer.empty", "is_not", "x", "any", true],
  ])("over items: %s %s %j %s: %s", (field, op, value, match, answer) =>
    expect(holds(clause(field, op, value, { match }))).toBe(answer),
  );

  test("a missing side: operators do not hold, their negations do", () => {
    const values: Record<string, unknown> = {
      list: ["a"],
      range: [1, 2],
      duration: "2h",
      date: "2026-11-20",
      number: 3,
      number_or_date: 3,
    };
    for (const name of operatorNames) {
      const { value, over, negated } = operators[name];
      const literal = value === "none" ? undefined : (values[value] ?? "a");
      const where = over === "change" ? "customer.gone" : "gone.x.y";
      expect([name, holds(clause(where, name, literal))]).toEqual([name, negated === true]);
      if (value === "none") continue;
      const field = over === "change" ? "customer.name" : "customer.tags";
      const change = [{ table: "customers", id: "u1", before: { name: null }, after: { name: "Ann" } }];
      expect([name, holds(clause(field, name, { ref: "gone" }), change)]).toEqual([name, negated === true]);
      if (over === "items") {
        expect([name, holds(clause("gone", name, literal, { match: "none" }))]).toEqual([name, negated !== true]);
        expect([name, holds(clause("gone", name, literal, { match: "all" }))]).toEqual([name, negated === true]);
      }
    }
    for (const op of ["contains", "matches"])
      expect(holds(clause("customer.name", op, { ref: "customer.blank" }))).toBe(false);
    expect(holds(clause("customer.name", "in", { ref: "steps.find.none" }))).toBe(false);
  });
});

describe("changes", () => {
  const change = (
    before: RowChange["before"],
    after: RowChange["after"],
    table = "customers",
    id = "u1",
  ): RowChange[] => [{ table, id, before, after }];
  test.each([
    ["customer.name", "changed", undefined, change({ name: "Bob" }, { name: "Ann" }), true],
    ["customer.name", "changed", undefined, change({ city: "x" }, { city: "y" }), false],
    ["customer.name", "changed", undefined, change({ name: "Bob" }, { name: "Ann" }, "customers", "u2"), false],
    ["customer.name", "changed", undefined, change({ name: "Bob" }, { name: "Ann" }, "messages"), false],
    ["customer.name", "changed", undefined, change(null, { name: "Ann" }), true],
    ["customer.name", "changed", undefined, change(null, { name: null }), false],
    [
      "customer.properties.plan",
      "changed",
      undefined,
      change({ properties: { plan: "a", x: 1 } }, { properties: { plan: "b", x: 1 } }),
      true,
    ],
    [
      "customer.properties.x",
      "changed",
      undefined,
      change({ properties: { plan: "a", x: [1] } }, { properties: { plan: "b", x: [1] } }),
      false,
    ],
    [
      "customer.properties",
      "changed",
      undefined,
      change({ properties: { a: 1, b: 2 } }, { properties: { b: 2, a: 1 } }),
      false,
    ],
    ["customer.properties", "changed", undefined, change({ properties: { a: 1 } }, { properties: { b: 1 } }), true],
    ["customer.properties", "changed", undefined, change({ properties: { a: 1 } }, { properties: [1] }), true],
    ["customer.name", "changed_to", "ann", change({ name: "Bob" }, { name: "Ann" }), true],
    ["customer.name", "changed_to", "ann", change({ name: "ANN" }, { name: "Ann" }), false],
    ["customer.name", "changed_to", "ann", change({ name: "Ann" }, { name: null }), false],
    ["customer.name", "changed_from", "ann", change({ name: "Ann" }, { name: null }), true],
    ["customer.name", "changed_from", "ann", change(null, { name: "Ann" }), false],
    ["customer.name", "changed_from", { ref: "steps.find.name" }, change({ name: "Ann" }, { name: "B" }), true],
    ["customer.tags", "changed_to", "vip", change({ tags: ["new"] }, { tags: ["new", "VIP"] }), true],
    ["customer.tags", "changed_to", "vip", change({ tags: ["vip"] }, { tags: ["vip", "x"] }), false],
    ["customer.tags", "changed_from", "vip", change({ tags: ["vip", "x"] }, { tags: ["x"] }), true],
    ["message.text", "changed", undefined, change({ text: "a" }, { text: "b" }, "messages", "m1"), false],
  ])("%s %s %j", (field, op, value, changes, answer) => expect(holds(clause(field, op, value), changes)).toBe(answer));

  test("explained by what was before and after", () => {
    const condition = compiled(clause("customer.properties.plan", "changed_to", "b"));
    const changes = change({ properties: { plan: "a" } }, { properties: { plan: "b" } });
    expect(condition.explain(scopeWith(changes))).toMatchObject({
      actual: { before: "a", after: "b" },
      expected: "b",
      result: true,
    });
    expect(condition.explain(scopeWith())).toMatchObject({ actual: null, result: false });
    expect(condition.explain(scopeWith(change({ properties: {} }, {})))).toMatchObject({
      actual: { before: null, after: null },
    });
    expect(condition.explain(scopeWith(change(null, { name: "x" })))).toMatchObject({ actual: null });
    expect(
      compiled(clause("message.text", "changed")).explain(scopeWith(change(null, {}, "messages", "m1"))),
    ).toMatchObject({ actual: null });
  });
});

describe("faults", () => {
  const slow = "a{1,50}".repeat(14);
  test.each([
    ["customer.name", "gt", 3, "operand_invalid"],
    ["customer.name", "before", "2026-11-20", "operand_invalid"],
    ["customer.name", "before", "2026-11-20T10:00:00Z", "operand_invalid"],
    ["customer.seats", "gt", "2026-11-20", "operand_invalid"],
    ["customer.seats", "in_last", "2h", "operand_invalid"],
    ["customer.object", "is", "x", "operand_invalid"],
    ["customer.object", "contains", "x", "operand_invalid"],
    ["customer.name", "is_true", undefined, "operand_invalid"],
    ["customer.seats", "is_true", undefined, "operand_invalid"],
    ["customer.name", "is", { ref: "customer.object" }, "operand_invalid"],
    ["customer.seats", "gt", { ref: "customer.name" }, "operand_invalid"],
    ["customer.name", "matches", "{{ '(' }}", "regex_invalid"],
    ["customer.seen", "in_last", { ref: "customer.name" }, "duration_invalid"],
    ["customer.name", "is", "{{ 1 | divided_by: 0 }}", "template_value"],
  ])("%s %s %j is a fault, never false", (field, op, value, code) => {
    const condition = compiled({ all: [clause(field, op, value)] }, { path: "/triggers/0/when" });
    const fault = { code, path: "/triggers/0/when/all/0" };
    expect(() => condition.test(scopeWith())).toThrow(expect.objectContaining({ name: "ConditionFault", ...fault }));
    expect(condition.explain(scopeWith())).toMatchObject({
      result: "error",
      reason: fault,
      children: [{ result: "error", reason: fault }],
    });
  });

  test("a text too long for its pattern", () => {
    const condition = compiled(clause("text", "matches", slow));
    const scope = scopeOf({ text: "b".repeat(1_000_000) });
    expect(() => condition.test(scope)).toThrow(expect.objectContaining({ code: "regex_runaway" }));
  });

  test("a bug is no fault of the condition", () => {
    const broken = scopeOf({
      x: {
        get y() {
          throw new RangeError("bug");
        },
      },
    });
    expect(() => compiled(clause("x.y", "is", 1)).test(broken)).toThrow(RangeError);
  });
});

describe("groups", () => {
  const yes = clause("customer.name", "is", "ann");
  const no = clause("customer.name", "is", "bob");
  const bad = clause("customer.name", "gt", 3);
  test.each([
    [{ all: [] }, true],
    [{ all: [yes, yes] }, true],
    [{ all: [yes, no] }, false],
    [{ any: [no, yes] }, true],
    [{ any: [no, no] }, false],
    [{ not: no }, true],
    [{ not: { all: [yes, { any: [no, { not: no }] }] } }, false],
    [{ all: [no, bad] }, false],
    [{ any: [yes, bad] }, true],
  ])("%j: %s", (json, answer) => {
    expect(holds(json)).toBe(answer);
    expect(compiled(json).explain(scopeWith()).result).toBe(answer);
  });

  test("a fault that is reached is thrown through every group", () => {
    for (const json of [{ all: [yes, bad, no] }, { any: [no, bad, yes] }, { not: bad }]) {
      expect(() => holds(json)).toThrow(expect.objectContaining({ code: "operand_invalid" }));
      expect(compiled(json).explain(scopeWith())).toMatchObject({
        result: "error",
        reason: { code: "operand_invalid" },
      });
    }
  });

  test("everything is explained, also what decides nothing", () => {
    expect(compiled({ all: [no, yes, bad] }).explain(scopeWith())).toEqual({
      op: "all",
      result: false,
      children: [
        {
          op: "is",
          field: "customer.name",
          actual: "Ann",
          expected: "bob",
          phrase: 'customer.name is "bob"',
          result: false,
        },
        {
          op: "is",
          field: "customer.name",
          actual: "Ann",
          expected: "ann",
          phrase: 'customer.name is "ann"',
          result: true,
        },
        {
          op: "gt",
          field: "customer.name",
          actual: "Ann",
          expected: 3,
          phrase: "customer.name is greater than 3",
          result: "error",
          reason: { code: "operand_invalid", path: "/all/2", message: '"Ann" is no number' },
        },
      ],
    });
    expect(compiled(clause("customer.gone", "is_set")).explain(scopeWith())).toEqual({
      op: "is_set",
      field: "customer.gone",
      actual: null,
      phrase: "customer.gone is set",
      result: false,
    });
  });

  test("long values are cut", () => {
    const deep = { a: { b: { c: { d: { e: 1 } } } } };
    const wide = Object.fromEntries(Array.from({ length: 25 }, (_, at) => [`k${at}`, at]));
    const scope = scopeOf({ x: { text: "é".repeat(300), list: Array(30).fill(1), deep, wide } });
    const actual = (field: string) => compiled(clause(field, "is_set")).explain(scope).actual;
    expect(actual("x.text")).toBe(`${"é".repeat(200)}...`);
    expect(actual("x.list")).toHaveLength(21);
    expect(actual("x.deep")).toEqual({ a: { b: { c: { d: "..." } } } });
    expect(Object.keys(actual("x.wide") as object)).toHaveLength(21);
    const long = compiled(clause("x.text", "is", "y".repeat(100))).explain(scope);
    expect(long.phrase).toMatch(/^x\.text is "y{56}\.\.\.$/);
  });
});

describe("what is refused", () => {
  const field = "customer.name";
  let deep: unknown = clause(field, "is_set");
  for (let level = 0; level < 21; level += 1) deep = { not: deep };
  test.each([
    [null, "condition_invalid", ""],
    [[], "condition_invalid", ""],
    [{ all: {} }, "condition_invalid", ""],
    [{ any: [] }, "condition_invalid", ""],
    [{ all: [], any: [] }, "condition_invalid", ""],
    [{ not: [] }, "condition_invalid", "/not"],
    [{ all: [{ not: 1 }] }, "condition_invalid", "/all/0/not"],
    [{}, "operator_unknown", "/op"],
    [{ field, op: "toString", value: 1 }, "operator_unknown", "/op"],
    [{ field, op: "is", value: 1, vale: 2 }, "condition_invalid", "/vale"],
    [{ op: "is_set" }, "field_invalid", "/field"],
    [{ field: "a b", op: "is_set" }, "field_invalid", "/field"],
    [{ field: { ref: "a b" }, op: "is_set" }, "field_invalid", "/field"],
    [{ field: "steps.x", op: "changed" }, "field_invalid", "/field"],
    [{ field: "customer", op: "changed" }, "field_invalid", "/field"],
    [{ field, op: "is", value: 1, exact: 1 }, "condition_invalid", "/exact"],
    [{ field, op: "gt", value: 1, exact: true }, "condition_invalid", "/exact"],
    [{ field, op: "is", value: 1, match: "some" }, "condition_invalid", "/match"],
    [{ field, op: "any_of", value: [1], match: "any" }, "condition_invalid", "/match"],
    [{ field, op: "is_set", value: 1 }, "value_unexpected", "/value"],
    [{ field, op: "is" }, "value_missing", ""],
    [{ field, op: "is", value: null }, "operand_invalid", "/value"],
    [{ field, op: "is", value: [1] }, "operand_invalid", "/value"],
    [{ field, op: "is", value: { ref: "a b" } }, "value_invalid", "/value"],
    [{ field, op: "is", value: "{{ a" }, "template_invalid", "/value"],
    [{ field, op: "contains", value: "" }, "operand_invalid", "/value"],
    [{ field, op: "contains", value: {} }, "operand_invalid", "/value"],
    [{ field, op: "in", value: [null] }, "operand_invalid", "/value"],
    [{ field, op: "any_of", value: [[1]] }, "operand_invalid", "/value"],
    [{ field, op: "gt", value: "many" }, "operand_invalid", "/value"],
    [{ field, op: "gt", value: "2026-02-30" }, "operand_invalid", "/value"],
    [{ field, op: "gt", value: "2026-02-30T10:00:00Z" }, "operand_invalid", "/value"],
    [{ field, op: "gt", value: "2026-02-20T10:00:00" }, "operand_invalid", "/value"],
    [{ field, op: "gt", value: true }, "operand_invalid", "/value"],
    [{ field, op: "before", value: 3 }, "operand_invalid", "/value"],
    [{ field, op: "between", value: [1] }, "operand_invalid", "/value"],
    [{ field, op: "between", value: 1 }, "operand_invalid", "/value"],
    [{ field, op: "between", value: [1, "2026-11-20"] }, "operand_invalid", "/value"],
    [{ field, op: "in_last", value: 3 }, "operand_invalid", "/value"],
    [{ field, op: "in_last", value: "soon" }, "duration_invalid", "/value"],
    [{ field, op: "longer_than", value: -1 }, "operand_invalid", "/value"],
    [{ field, op: "longer_than", value: "x" }, "operand_invalid", "/value"],
    [{ field, op: "matches", value: "(" }, "regex_invalid", "/value"],
    [{ field, op: "matches", value: "(?=a)" }, "regex_invalid", "/value"],
    [{ field, op: "matches", value: "(a)\\1" }, "regex_invalid", "/value"],
    [{ field, op: "matches", value: "\\pL{1000}".repeat(50) }, "regex_invalid", "/value"],
    [{ field, op: "matches", value: "a".repeat(1_001) }, "regex_invalid", "/value"],
    [deep, "condition_too_deep", "/not".repeat(21)],
  ])("%j: %s", (json, code, path) => {
    expect(compileCondition(json, { path: "/when" })).toMatchObject({
      ok: false,
      problems: [{ code, path: `/when${path}` }],
    });
  });

  test("too many clauses are refused once", () => {
    const many = { all: Array(600).fill(clause(field, "is_set")) };
    expect(compileCondition(many)).toMatchObject({ problems: [{ code: "condition_too_large", path: "/all/500" }] });
    expect(compileCondition({ any: [many, many] })).toMatchObject({ problems: { length: 1 } });
  });

  test("all problems of all clauses come at once", () => {
    const result = compileCondition({
      any: [
        { field: 1, op: "is", value: {}, exact: 2 },
        { field, op: "nope" },
      ],
    });
    expect(result).toMatchObject({
      problems: [{ path: "/any/0/field" }, { path: "/any/0/exact" }, { path: "/any/0/value" }, { path: "/any/1/op" }],
    });
  });

  test("an operator that does not suit its field", () => {
    const fieldType = (path: string) => (path === "customer.tags" ? ("list" as const) : undefined);
    expect(compileCondition(clause("customer.tags", "gt", 1), { fieldType })).toMatchObject({
      problems: [{ code: "operator_unfit", path: "/op" }],
    });
    expect(compileCondition(clause("customer.name", "gt", 1), { fieldType }).ok).toBe(true);
    expect(compileCondition(clause("customer.tags", "any_of", [1]), { fieldType }).ok).toBe(true);
  });
});

test("a condition tells what it reads and which operators it uses", () => {
  const condition = compiled({
    all: [
      clause("customer.name", "is", { ref: "steps.a.b" }),
      { not: clause("customer.name", "contains", "{{ message.text }}") },
      clause({ ref: ["x", "y z"] }, "is_set"),
    ],
  });
  expect(condition.reads).toEqual(["steps.a.b", "customer.name", "message.text", 'x["y z"]']);
  expect(condition.operators).toEqual(["is", "contains", "is_set"]);
});

test("the schema and the compiler agree on the shape", () => {
  const good = {
    all: [
      clause("a.b", "is", 1, { match: "all" }),
      { not: { any: [clause({ ref: ["a", 0] }, "matches", "x", { exact: true })] } },
    ],
  };
  expect(Value.Check(ConditionSchema, good)).toBe(true);
  for (const bad of [
    { any: [] },
    { all: {} },
    { all: [{ field: "a", op: "nope" }] },
    { field: "a", op: "is", extra: 1 },
    { not: [] },
    { field: 1, op: "is_set" },
  ]) {
    expect(Value.Check(ConditionSchema, bad)).toBe(false);
    expect(compileCondition(bad).ok).toBe(false);
  }
});

test("every operator has its words, and its negation is another one's", () => {
  for (const name of operatorNames) {
    const { label, phrase, value, fields } = operators[name];
    expect(label.length).toBeGreaterThan(0);
    expect(phrase).toContain("{field}");
    expect(phrase.includes("{value}")).toBe(value !== "none");
    expect(fields.length).toBeGreaterThan(0);
  }
});
