import fc from "fast-check";
import { expect, test } from "vitest";
import { lineAt, readSource } from "./source-text.ts";

test("comments, strings, templates and regular expressions are blanked, code is kept", () => {
  const source = [
    "const a = 'fetch(1)'; // fetch(2)",
    "/* fetch(3)",
    "   fetch(4) */ const b = `fetch(5) ${fetch(6)} fetch(7) ${`in ${ { c: fetch(8) }.c } fetch(9)`}`;",
    "const d = x / 2 / fetch(10); const e = /fetch(11)['\"]/.test(s); if (a) return /[/]fetch(12)/;",
    "const f = '\\'fetch(13)'; fetch(14);",
  ].join("\n");
  const { code } = readSource(source);
  expect([...code.matchAll(/fetch/g)].map(({ index }) => source.slice(index).match(/\d+/)?.[0])).toEqual([
    "6",
    "8",
    "10",
    "14",
  ]);
});

test("literals are known by the position of their opening quote", () => {
  const source = "f(\"a\", `b`, `c${1}`, '')";
  expect([...readSource(source).literals]).toEqual([
    [2, "a"],
    [7, "b"],
    [21, ""],
  ]);
});

test("a string or comment without an end blanks no more than it must", () => {
  expect(readSource("const a = 'oops\nfetch(1)").code).toBe("const a = '    \nfetch(1)");
  expect(readSource("a /* no end").code).toBe("a          ");
  expect(readSource("a = `no end").code).toBe("a = `      ");
  expect(readSource("a = /no end\nb").code).toBe("a =        \nb");
});

test("whatever the text, lines and length stay", () => {
  const piece = fc.constantFrom(
    "/",
    "*",
    "//",
    "'",
    '"',
    "`",
    "${",
    "}",
    "{",
    "\\",
    "\n",
    "a",
    " ",
    "[",
    "]",
    "(",
    "é",
    "😀",
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const source = pieces.join("");
      const { code } = readSource(source);
      expect(code).toHaveLength(source.length);
      expect(code.split("\n").map((line) => line.length)).toEqual(source.split("\n").map((line) => line.length));
    }),
  );
});

test("positions become 1-based lines", () => {
  expect([0, 1, 2, 4].map((position) => lineAt("a\nb\n\nc", position))).toEqual([1, 1, 2, 3]);
});
