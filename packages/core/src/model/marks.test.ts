import { Type } from "typebox";
import { describe, expect, test } from "vitest";
import { IdSchema, orNull } from "./common.ts";
import { blank, blankOf, derived, fieldsMarked, markOf, personal, plain, secret, unmarked } from "./marks.ts";
import { nouns } from "./nouns.ts";

test.each(Object.entries(nouns))("every field of %s says what it is", (_, schema) => {
  expect(unmarked(schema)).toEqual([]);
});

describe("marks", () => {
  test("stay on the field that got one, however widely its schema is shared", () => {
    expect([plain(IdSchema), secret(IdSchema), derived(IdSchema), personal(IdSchema)].map(markOf)).toEqual([
      "plain",
      "secret",
      "derived",
      "personal",
    ]);
    expect(markOf(IdSchema)).toBeNull();
  });

  test("keep an optional field optional", () => {
    const schema = Type.Object({ a: personal(Type.Optional(Type.String())), b: plain(Type.String()) });
    expect(schema.required).toEqual(["b"]);
  });

  test.each([
    [Type.Object({ a: Type.String() }), ["/a"]],
    [Type.Object({ a: plain(Type.String()), b: orNull(Type.Object({ c: Type.String() })) }), ["/b/c"]],
    [Type.Object({ a: Type.Array(Type.Object({ b: Type.Unknown() })) }), ["/a/*/b"]],
    [Type.Object({ a: Type.Union([Type.String(), Type.Number()]) }), ["/a"]],
    [Type.Object({ a: Type.Object({}) }), ["/a"]],
    [Type.Object({ a: personal(Type.Object({ b: Type.String() })) }), []],
  ])("that are missing are found by path", (schema, paths) => {
    expect(unmarked(schema)).toEqual(paths);
  });

  test("say which fields carry one", () => {
    const schema = Type.Object({ a: personal(Type.String()), b: plain(Type.String()), c: secret(Type.String()) });
    expect(fieldsMarked(schema, "personal", blankOf)).toEqual({ a: "" });
    expect(fieldsMarked(schema, "secret", () => true)).toEqual({ c: true });
    expect(fieldsMarked(Type.String(), "secret", () => true)).toEqual({});
  });
});

describe("blanking", () => {
  test.each([
    [Type.String(), ""],
    [orNull(Type.String()), null],
    [Type.Array(Type.String()), []],
    [Type.Record(Type.String(), Type.Unknown()), {}],
    [Type.Unknown(), null],
    [Type.Integer(), null],
    [personal(Type.String(), "Erased"), "Erased"],
  ])("leaves nothing of its kind", (schema, held) => {
    expect(blankOf(schema)).toEqual(held);
  });

  const schema = Type.Object({
    code: plain(Type.String()),
    message: personal(Type.String(), "Erased"),
    detail: personal(Type.Optional(Type.Unknown())),
    parts: Type.Array(Type.Object({ at: plain(Type.String()), text: personal(Type.String()) })),
    reason: orNull(Type.Object({ why: personal(orNull(Type.String())) })),
  });

  test("goes into parts, and keeps no field that nobody marked", () => {
    const value = {
      code: "a",
      message: "Ann",
      detail: { name: "Ann" },
      parts: [{ at: "1", text: "Ann" }, "odd"],
      reason: { why: "Ann" },
      other: "Ann",
    };
    expect(blank(schema, value)).toEqual({
      code: "a",
      message: "Erased",
      parts: [{ at: "1", text: "" }, "odd"],
      reason: { why: null },
    });
    expect(blank(schema, { reason: null })).toEqual({ reason: null });
  });

  test("takes a part of a row as it is", () => {
    expect(blank(schema, { message: "Ann" })).toEqual({ message: "Erased" });
    expect(blank(Type.Array(plain(Type.String())), null)).toBeNull();
  });
});
