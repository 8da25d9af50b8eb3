import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scopeOf } from "../testing/scope.ts";
import { compilePath, formatPath, parsePath, readKey } from "./path.ts";

describe("parsePath", () => {
  test.each([
    ["customer", ["customer"]],
    ["steps.lookup.customer.id", ["steps", "lookup", "customer", "id"]],
    ['steps["my step"].x', ["steps", "my step", "x"]],
    ["steps['it\\'s'][0].1.id", ["steps", "it's", 0, 1, "id"]],
    ["customer.first-name", ["customer", "first-name"]],
    ['["a root"].x', ["a root", "x"]],
  ])("%s", (text, path) => expect(parsePath(text)).toEqual(path));

  test.each([
    "",
    ".",
    "a.",
    "a..b",
    "[0]",
    "0.a",
    "a b",
    "a[",
    "a[-1]",
    'a["x]',
    "a".repeat(1_001),
    `a${".b".repeat(50)}`,
    "a[99999999999999999999]",
  ])("refuses %j", (text) => {
    expect(parsePath(text)).toBeNull();
  });

  test("what formatPath writes reads back", () => {
    const key = fc.oneof(fc.string({ unit: "binary", maxLength: 8 }), fc.nat(99));
    fc.assert(
      fc.property(fc.string({ maxLength: 8 }), fc.array(key, { maxLength: 6 }), (root, keys) => {
        expect(parsePath(formatPath([root, ...keys]))).toEqual([root, ...keys]);
      }),
    );
  });
});

describe("compilePath", () => {
  const roots = { a: { b: { c: { d: [10, { e: "deep" }] } }, n: null } };
  test.each([
    ["a.b.c.d[1].e", "deep"],
    ["a.b.c.d[0]", 10],
    ["a.b.c.d[7]", undefined],
    ["a.b.c", roots.a.b.c],
    ["a.b", roots.a.b],
    ["a", roots.a],
    ["a.n", null],
    ["a.n.x", undefined],
    ["b.x.y.z", undefined],
  ])("%s", (text, value) => expect(compilePath(parsePath(text)!)(scopeOf(roots))).toEqual(value));

  test("reaches own properties only", () => {
    const scope = scopeOf({ a: Object.create({ inherited: 1 }) as object, text: "abc" });
    for (const text of [
      "a.inherited",
      "a.constructor",
      "a.__proto__",
      "a.toString",
      "text.length",
      "text[0]",
      "constructor",
    ]) {
      expect(compilePath(parsePath(text)!)(scope)).toBeUndefined();
    }
    expect(readKey(JSON.parse('{"__proto__":1}'), "__proto__")).toBe(1);
  });

  test("an empty path is a bug", () => expect(() => compilePath([])).toThrow("at least one step"));
});
