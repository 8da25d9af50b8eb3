import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson, contentHash } from "./canonical.ts";

test("is JSON with sorted keys", () => {
  expect(canonicalJson({ b: [1, { d: null, c: "é\n" }], a: true, "": -0 })).toBe(
    '{"":0,"a":true,"b":[1,{"c":"é\\n","d":null}]}',
  );
  expect(canonicalJson({ b: undefined, a: 1 })).toBe('{"a":1}');
  expect(canonicalJson(null)).toBe("null");
  expect(canonicalJson(Object.assign(Object.create(null), { a: 1 }))).toBe('{"a":1}');
});

test("holds the same value, whatever the order of keys", () => {
  const reversed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reversed);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, member]) => [key, reversed(member)]),
    );
  };
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
      expect(contentHash(reversed(value))).toBe(contentHash(value));
    }),
  );
});

test("refuses what JSON would lose", () => {
  const lost = [
    undefined,
    NaN,
    Infinity,
    1n,
    () => 1,
    Symbol("x"),
    [undefined],
    Array.from({ length: 2 }),
    { a: NaN },
    new Date(0),
    new Map(),
    new RegExp("x"),
  ];
  for (const value of lost) expect(() => canonicalJson(value)).toThrow(TypeError);
});

test("the hash is SHA-256 in hex", () => {
  expect(contentHash({})).toBe("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
});
