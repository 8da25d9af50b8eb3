import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { meterOf, scopeOf } from "../testing/scope.ts";
import { AllowanceSpent } from "./meter.ts";
import { compileValue, referencePath, variables } from "./value.ts";

const tags = ["a", "b"];
const scope = scopeOf({ customer: { first_name: "Ann", tags }, steps: { "x.y": { id: 7, ok: true } } });

function compiled(json: unknown) {
  const result = compileValue(json);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result;
}

describe("compileValue", () => {
  test("a literal is the same frozen object each time", () => {
    const value = compiled({ a: [1, { b: null }], c: "text" });
    expect(value.static).toBe(true);
    const first = value.resolve(scope) as { a: object[] };
    expect(first).toEqual({ a: [1, { b: null }], c: "text" });
    expect(value.resolve(scope)).toBe(first);
    expect([first, first.a, first.a[1]].every(Object.isFrozen)).toBe(true);
  });

  test("any JSON without text and references means itself", () => {
    const safe = fc.jsonValue({ maxDepth: 4 }).filter((json) => !/\{\{|\{%|"ref"|__proto__/.test(JSON.stringify(json)));
    fc.assert(
      fc.property(safe, (json) => {
        expect(JSON.stringify(compiled(json).resolve(scope))).toBe(JSON.stringify(json));
      }),
    );
  });

  test("a reference keeps its type, and is null where nothing is found", () => {
    expect(compiled({ ref: "customer.tags" }).resolve(scope)).toBe(tags);
    expect(compiled({ ref: ["steps", "x.y", "id"] }).resolve(scope)).toBe(7);
    expect(compiled({ ref: "customer.tags[1]" }).resolve(scope)).toBe("b");
    expect(compiled({ ref: "customer.last_name" }).resolve(scope)).toBeNull();
    expect(compiled({ a: { ref: "nobody" }, b: [{ ref: ["customer", "tags", 0] }, 1] }).resolve(scope)).toEqual({
      a: null,
      b: ["a", 1],
    });
  });

  test("text renders at any depth, and tells what it reads", () => {
    const value = compiled({
      to: [{ name: "{{ customer.first_name }}", same: "x" }],
      id: { ref: ["steps", "x.y", "id"] },
    });
    expect(value.static).toBe(false);
    expect(value.resolve(scope)).toEqual({ to: [{ name: "Ann", same: "x" }], id: 7 });
    expect(variables(value)).toEqual(["customer.first_name", 'steps["x.y"].id']);
  });

  test("an object with more than a ref is an object", () => {
    expect(compiled({ ref: "a", other: 1 }).resolve(scope)).toEqual({ ref: "a", other: 1 });
  });

  test.each([
    [{ a: { ref: "a b" } }, "/a", "value_invalid"],
    [{ a: { ref: 1 } }, "/a", "value_invalid"],
    [{ a: { ref: [] } }, "/a", "value_invalid"],
    [{ a: { ref: ["a", -1] } }, "/a", "value_invalid"],
    [{ "a/b~": ["{{"] }, "/a~1b~0/0", "template_invalid"],
    [{ a: undefined }, "/a", "value_invalid"],
    [{ a: NaN }, "/a", "value_invalid"],
    [JSON.parse('{"x":{"__proto__":1}}'), "/x/__proto__", "value_invalid"],
  ])("refuses %j", (json, path, code) => {
    expect(compileValue(json)).toMatchObject({ ok: false, problems: [{ path, code }] });
  });

  test("refuses what is too deep, and reports all problems at once", () => {
    let deep: unknown = 1;
    for (let level = 0; level < 40; level += 1) deep = [deep];
    expect(compileValue(deep)).toMatchObject({ ok: false, problems: [{ code: "value_invalid" }] });
    expect(compileValue(["{{", "{%"], "/steps/a")).toMatchObject({
      problems: [{ path: "/steps/a/0" }, { path: "/steps/a/1" }],
    });
  });

  test("what it comes to is bounded, whatever it refers to", () => {
    const big = "x".repeat(30_000);
    const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) });
    const roots = {
      big,
      list: Array.from({ length: 8 }, () => big),
      many: Array(30_000).fill(1),
      deep: deep(200),
      deeper: deep(201),
    };
    const meter = meterOf(100_000);
    const of = (json: unknown) => compiled(json).resolve(scopeOf(roots, { meter }));
    const fault = expect.objectContaining({ code: "template_runaway" });
    expect(of({ ref: "list" })).toBe(roots.list);
    expect(meter.taken()).toBe(240_008 >> 6);
    expect(() => of([{ ref: "list" }, { ref: "big" }])).toThrow(fault);
    expect(() => of({ a: "{{ big }}", b: { ref: "list" } })).toThrow(fault);
    expect(of({ ref: "many" })).toBe(roots.many);
    expect(() => of(Array.from({ length: 5 }, () => ({ ref: "many" })))).toThrow(fault);
    expect(of({ ref: "deep" })).toBe(roots.deep);
    expect(() => of({ ref: "deeper" })).toThrow(fault);
    expect(() => compiled({ ref: "list" }).resolve(scopeOf(roots, { meter: meterOf(1000) }))).toThrow(AllowanceSpent);
  });

  test("referencePath tells references from other values", () => {
    expect([{}, [], null, "ref", { x: 1 }, ["ref"]].map(referencePath)).toEqual(Array(6).fill(null));
  });
});
