import { expect, test } from "vitest";
import type { Json } from "../model/common.ts";
import type { PropertyRules, PropertyType } from "../model/settings.ts";
import { definitionProblem, typeOfValue, valueProblem } from "./property-definition.ts";

const defined = (type: PropertyType, rules: PropertyRules = {}, options: readonly string[] = []) => ({
  type,
  rules,
  options,
});

test.each<[PropertyType, PropertyRules, readonly string[], string | null, string?]>([
  ["text", { min_length: 1, max_length: 1, pattern: "[a-z]+" }, [], null],
  ["number", { min: -1, max: 1 }, [], null],
  ["choices", { max_items: 2 }, ["a", "b"], null],
  ["choice", {}, ["a"], null],
  ["text", {}, ["a"], "options_unexpected", "/options"],
  ["choice", {}, [], "options_missing", "/options"],
  ["choices", {}, ["a", "a"], "option_twice", "/options"],
  ["boolean", { min: 1 }, [], "rule_unexpected", "/rules/min"],
  ["number", { min: 2, max: 1 }, [], "rule_impossible", "/rules/min"],
  ["text", { min_length: 2, max_length: 1 }, [], "rule_impossible", "/rules/min_length"],
  ["list", { min_items: 2, max_items: 1 }, [], "rule_impossible", "/rules/min_items"],
  ["text", { pattern: "(" }, [], "pattern_invalid", "/rules/pattern"],
  ["text", { pattern: "(?=a)" }, [], "pattern_invalid", "/rules/pattern"],
  ["text", { pattern: "((a{100}){100}){100}" }, [], "pattern_invalid", "/rules/pattern"],
  ["text", { pattern: "[a-z]{1,}x{999}y{2}" }, [], "pattern_invalid", "/rules/pattern"],
  ["text", { pattern: `(?:${"ab".repeat(20)}){300}` }, [], "pattern_invalid", "/rules/pattern"],
])("a definition of type %s with %j and options %j is %s", (type, rules, options, code, path) => {
  const problem = definitionProblem(defined(type, rules, options));
  if (code === null) expect(problem).toBeNull();
  else expect(problem).toMatchObject({ code, path });
});

test.each<[PropertyType, PropertyRules, readonly Json[], readonly Json[]]>([
  ["number", { min: 0, max: 10 }, [0, 10, 5.5], [-0.1, 11]],
  ["text", { min_length: 2, max_length: 3 }, ["ab", "\u{1f600}\u{1f600}\u{1f600}"], ["a", "abcd"]],
  ["text", { pattern: "[A-Z]{2}\\d+" }, ["AB1"], ["AB", "xAB1", "AB1 ", "x".repeat(1001)]],
  ["list", { min_items: 1, max_items: 2 }, [["a"], ["a", "b"]], [[], ["a", "b", "c"]]],
  ["boolean", {}, [true, false], []],
  ["link", { pattern: "https://acme\\.test/.*" }, ["https://acme.test/x"], ["https://other.test/x"]],
])("a %s with the rules %j", (type, rules, fit, misfit) => {
  for (const value of fit) expect(valueProblem("p", defined(type, rules), value, "/p")).toBeNull();
  for (const value of misfit)
    expect(valueProblem("p", defined(type, rules), value, "/p")).toMatchObject({ code: "property_value", path: "/p" });
});

test.each<[Json, PropertyType | null]>([
  [1, "number"],
  [false, "boolean"],
  ["a", "text"],
  ["a\nb", "long_text"],
  ["x".repeat(201), "long_text"],
  ["2026-11-20", "date"],
  ["2026-11-20T17:00:00.000Z", "instant"],
  ["https://example.com/a", "link"],
  [["a"], "list"],
  [[], "list"],
  [[1], null],
  [{ a: 1 }, null],
  [null, null],
])("the value %j is of a property of type %s", (value, type) => {
  expect(typeOfValue(value)).toBe(type);
});
