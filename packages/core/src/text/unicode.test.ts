import fc from "fast-check";
import { expect, test } from "vitest";
import { findBadText, storable, storableJson } from "./unicode.ts";

test("finds nothing in good JSON of any kind", () => {
  for (const value of ["", "héllo 😀", 1, true, null, undefined, [], {}, { a: [{ b: "c" }], d: null }]) {
    expect(findBadText(value)).toBe(null);
  }
});

test("says where", () => {
  expect(findBadText("a\0")).toEqual({ path: "", code: "text_nul" });
  expect(findBadText("\ud83d")).toEqual({ path: "", code: "text_lone_surrogate" });
  expect(findBadText({ messages: [{ text: "ok" }, { text: "\ude00" }] })).toEqual({
    path: "/messages/1/text",
    code: "text_lone_surrogate",
  });
  expect(findBadText(["ok", ["ok", "x\0"]])).toEqual({ path: "/1/1", code: "text_nul" });
  expect(findBadText({ "a/b": { "c~d": "\0" } })).toEqual({ path: "/a~1b/c~0d", code: "text_nul" });
});

test("a bad key is reported at its object", () => {
  expect(findBadText({ a: { "x\0": 1 } })).toEqual({ path: "/a", code: "text_nul" });
  expect(findBadText({ "\ud800": { a: "\0" } })).toEqual({ path: "", code: "text_lone_surrogate" });
});

test("goes to any depth", () => {
  let deep: unknown = "\0";
  for (let n = 0; n < 100_000; n++) deep = [deep];
  expect(findBadText(deep)).toEqual({ path: "/0".repeat(100_000), code: "text_nul" });
});

test("agrees with a look at the JSON text", () => {
  const part = fc.constantFrom("a", "\0", "\ud83d", "\ude00", "😀", "/", "~");
  const text = fc.array(part, { maxLength: 3 }).map((parts) => parts.join(""));
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { maxDepth: 3 },
      text,
      fc.integer(),
      fc.array(tie("json"), { maxLength: 3 }),
      fc.dictionary(text, tie("json"), { maxKeys: 3 }),
    ),
  }));
  fc.assert(
    fc.property(json, (value) => {
      // JSON.stringify escapes exactly these two kinds, and nothing else here, as \uXXXX
      const found = findBadText(value);
      expect(found !== null).toBe(JSON.stringify(value).includes("\\u"));
      expect(findBadText(found?.path ?? "")).toBe(null);
    }),
    { numRuns: 2000 },
  );
});

test("what no database keeps is replaced; good values come back as they are", () => {
  expect(storable("a😀")).toBe("a😀");
  expect(storable("a\0\ud83d")).toBe("a\ufffd\ufffd");
  const good = { a: ["😀", 1, null] };
  expect(storableJson(good)).toBe(good);
  expect(storableJson({ "k\0": ["\ude00", 1, null, { a: "b" }] })).toEqual({
    "k\ufffd": ["\ufffd", 1, null, { a: "b" }],
  });
  fc.assert(fc.property(fc.jsonValue(), (value) => findBadText(storableJson(value)) === null));
});
