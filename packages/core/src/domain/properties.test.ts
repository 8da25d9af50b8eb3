import { expect, test } from "vitest";
import type { Json } from "../model/common.ts";
import { sampleIndex } from "../testing/settings.ts";
import { countProblem, maxProperties, propertyOf, propertyProblem, withProperties } from "./properties.ts";

const settings = sampleIndex();

const values: Record<string, { readonly fit: readonly Json[]; readonly misfit: readonly Json[] }> = {
  text: { fit: ["", "a"], misfit: [1, true, ["a"], {}] },
  number: { fit: [0, -1.5], misfit: ["1", true, Number.NaN, Infinity] },
  boolean: { fit: [true, false], misfit: [0, "true"] },
  date: {
    fit: ["2026-11-20", "2026-11-20T17:00:00.000Z"],
    misfit: ["2026-02-30", "today", 20_261_120, "2026-11-20T17:00:00"],
  },
  instant: { fit: ["2026-11-20T17:00:00.000Z"], misfit: ["2026-11-20", "2026-11-20T17:00:00", 1] },
  list: { fit: [[], ["a", "b"]], misfit: ["a", [1], { 0: "a" }] },
  long_text: { fit: ["", "a\nb"], misfit: [1, ["a"]] },
  choice: { fit: ["free", "pro"], misfit: ["gold", "Pro", 1, ["pro"]] },
  choices: { fit: [[], ["pro"], ["pro", "free"]], misfit: ["pro", ["pro", "pro"], ["gold"], [1]] },
  link: {
    fit: ["https://example.com", "http://example.com/a?b#c", "HTTPS://example.com?x"],
    misfit: [
      "example.com",
      "javascript:alert(1)",
      "https://",
      "https:// x",
      `https://example.com/${"x".repeat(2048)}`,
      1,
    ],
  },
};

test.each(Object.entries(values))("a %s takes what it is, or null", (name, { fit, misfit }) => {
  for (const noun of ["customer", "conversation"] as const) {
    for (const value of [...fit, null]) expect(propertyProblem(settings, noun, name, value, "/value")).toBeNull();
    for (const value of misfit) {
      expect(propertyProblem(settings, noun, name, value, "/value")).toMatchObject({
        code: "property_type",
        path: "/value",
      });
    }
  }
});

test.each(["", "x".repeat(101), "a\u0000b", "a\u007f", "__proto__"])("%j is no name", (name) => {
  expect(propertyProblem(settings, "customer", name, null, "/name")).toMatchObject({
    code: "property_name",
    path: "/name",
  });
});

test("a name that no definition knows may hold anything of 32 KiB", () => {
  const fits = (value: Json) => propertyProblem(settings, "customer", "Café 2", value, "/v");
  expect(fits({ a: [1, null] })).toBeNull();
  expect(fits("x".repeat(32_766))).toBeNull();
  expect(fits("x".repeat(32_767))).toMatchObject({ code: "property_too_large" });
  expect(fits("é".repeat(16_384))).toMatchObject({ code: "property_too_large" });
});

test("properties are set, and taken away by null", () => {
  const before = { a: 1, b: 2 };
  expect(withProperties(before, { b: null, c: 3, d: null })).toEqual({ a: 1, c: 3 });
  expect(before).toEqual({ a: 1, b: 2 });
  expect(propertyOf(before, "a")).toBe(1);
  expect(propertyOf(before, "toString")).toBeNull();
});

test("their number has an end", () => {
  const many = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, at) => [`p${at}`, at]));
  expect(countProblem(many(maxProperties), "/p")).toBeNull();
  expect(countProblem(many(maxProperties + 1), "/p")).toMatchObject({ kind: "limited", path: "/p" });
});
