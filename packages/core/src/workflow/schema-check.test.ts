import { Type } from "typebox";
import { expect, test } from "vitest";
import { oneOf, orNull } from "../model/common.ts";
import { mismatches, objectMismatches } from "./schema-check.ts";

const closed = { additionalProperties: false } as const;

test("every field is heard of, however many are wrong", () => {
  const names = Array.from({ length: 30 }, (_, n) => `f${n}`);
  const schema = Type.Object(Object.fromEntries(names.map((name) => [name, Type.String()])), closed);
  const wrong = Object.fromEntries(names.map((name) => [name, 1]));
  expect(objectMismatches(schema, wrong, "")).toHaveLength(30);
  expect(objectMismatches(schema, {}, "/x").map((one) => one.path)).toEqual(names.map((name) => `/x/${name}`));
});

test("a choice says what it may be", () => {
  const said = (schema: Parameters<typeof mismatches>[0], value: unknown) =>
    mismatches(schema, value, "/x").map((one) => one.message);
  expect(said(oneOf(["a", "b"]), "c")).toEqual(['must be "a" or "b"']);
  expect(said(orNull(Type.String()), 1)).toEqual(["must be string or null"]);
  expect(said(oneOf([..."abcdefghijkl"]), "z")).toEqual(["is none of the words that may stand here"]);
});

test("a choice between shapes says what is wrong inside the one that was meant", () => {
  const schema = Type.Union([
    Type.Literal(true),
    Type.Object({ a: Type.String(), b: Type.Optional(oneOf(["x", "y"])) }, closed),
  ]);
  expect(mismatches(schema, { a: "x", c: 1 }, "")).toEqual([
    { kind: "unknown", path: "/c", message: "There is no such field" },
  ]);
  expect(mismatches(schema, { a: "x", b: "z" }, "")).toEqual([
    { kind: "invalid", path: "/b", message: 'must be "x" or "y"' },
  ]);
});

test("a field that is missing further in", () => {
  const schema = Type.Array(Type.Object({ a: Type.String() }));
  expect(mismatches(schema, [{ a: "x" }, {}], "/list")).toEqual([
    { kind: "missing", path: "/list/1/a", message: "is missing" },
  ]);
});
