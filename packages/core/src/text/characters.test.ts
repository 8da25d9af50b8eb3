import fc from "fast-check";
import { expect, test } from "vitest";
import { brief, charactersOf, countCharacters, cut, sliceCharacters } from "./characters.ts";

const anyText = fc.string({ unit: "binary", maxLength: 20 });

test("characters are counted and cut whole", () => {
  expect(charactersOf("a😀b")).toEqual(["a", "😀", "b"]);
  expect(countCharacters("a😀b")).toBe(3);
  expect(sliceCharacters("a😀b", 0, 2)).toBe("a😀");
  expect(sliceCharacters("a😀b", -2)).toBe("😀b");
  expect([0, 1, 2, 3, 4].map((units) => cut("a😀b", units))).toEqual(["", "a", "a", "a😀", "a😀b"]);
});

test("whatever is done to well-formed text, it stays well-formed", () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: -21, max: 21 }), fc.integer({ min: -21, max: 21 }), (text, from, to) => {
      const units = Math.abs(to);
      expect(sliceCharacters(text, from, to)).toBe(charactersOf(text).slice(from, to).join(""));
      expect(charactersOf(text)).toHaveLength(countCharacters(text));
      expect(charactersOf(text).join("")).toBe(text);
      expect(charactersOf(text).every((one) => one.isWellFormed())).toBe(true);
      expect(sliceCharacters(text, from)).toBe(charactersOf(text).slice(from).join(""));
      expect(cut(text, units).isWellFormed()).toBe(true);
      expect(text.startsWith(cut(text, units))).toBe(true);
      expect(units - cut(text, units).length < 2 || text.length < units).toBe(true);
    }),
  );
});

test("a value in brief is short, on one line, and well-formed", () => {
  expect(brief(undefined)).toBe("nothing");
  expect(brief({ a: "x\ny" })).toBe('{"a":"x\\ny"}');
  expect(brief("x".repeat(99))).toBe(`"${"x".repeat(56)}...`);
  expect(brief(`${"x".repeat(55)}😀😀😀`)).toBe(`"${"x".repeat(55)}...`);
});
