import fc from "fast-check";
import { expect, test } from "vitest";
import { cellOf, lineOf } from "./cells.ts";
import { findEncoding } from "./encoding.ts";
import { findSeparator, NoTable, readRecords, recordBytes } from "./records.ts";

const cell = fc.oneof(
  fc.string(),
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("", "a,b", 'say "hi"', "two\nlines", "two\r\nlines", ";", "=1+1", "+1 415 555 2671", "x|y", "\t"),
);
const clean = (text: string): string => text.replaceAll(/[\0\uFEFF]/gu, "");

test("what is written is read again, in whatever portions", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 10, max: 300 }),
      (rows, most, step) => {
        // a row of nothing is none
        const table = rows.map((row, n) => [`r${n}`, ...row.map(clean)]);
        const bytes = Buffer.from(table.map(lineOf).join(""));
        const read: string[][] = [];
        let at = 0;
        for (let wanted = step; at < bytes.length;) {
          const text = bytes.subarray(at, at + wanted);
          const all = at + text.length >= bytes.length;
          const some = readRecords(text, { separator: ",", most, all });
          if (some.records.length === 0) {
            // the end of a line may be left over
            if (all) expect(text.toString().trim()).toBe("");
            wanted += all ? bytes.length : step;
            if (all) break;
          } else {
            expect(some.bytes).toBeGreaterThan(0);
            read.push(...some.records.map((record) => [...record]));
            at += some.bytes;
            wanted = step;
          }
        }
        const plain = table.map((row) => row.map((value) => unescaped(value)));
        expect(read).toEqual(plain);
      },
    ),
    { numRuns: 500 },
  );
});

/** A formula comes back as the text that it was made. */
const unescaped = (value: string): string => {
  const written = cellOf(value);
  return written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written;
};

test.each([
  ["=SUM(A1)", "'=SUM(A1)"],
  ["@now", "'@now"],
  ["-2+3*cmd|' /C calc'!A0", `"'-2+3*cmd|' /C calc'!A0"`],
  ["+cmd", "'+cmd"],
  ["\t=1", `"'\t=1"`],
  ["+14155552671", "+14155552671"],
  ["-1.5", "-1.5"],
  ["a=b", "a=b"],
  [null, ""],
  [["a", "b"], `"a; b"`],
  [{ a: 1 }, `"{""a"":1}"`],
  [true, "true"],
])("%j is written as %j", (value, written) => {
  expect(cellOf(value)).toBe(written);
});

const words = "Vorname;Straße\nJürgen;Größe\nZoë;Año\nÆrø;Łódź\n";
test.each([
  ["utf-8", Buffer.from(words)],
  ["utf-8", Buffer.from("plain,text\n1,2\n")],
  ["utf-8", Buffer.from(`\uFEFF${words}`)],
  ["utf-16le", Buffer.from(`\uFEFF${words}`, "utf16le")],
  ["utf-16le", Buffer.from("name,city\nann,rome\n", "utf16le")],
  ["utf-16be", Buffer.from("name,city\nann,rome\n", "utf16le").swap16()],
  ["windows-1252", Buffer.from("Vorname;Straße\nJürgen;Größe\nZoë;Année\n", "latin1")],
  ["shift_jis", Buffer.from("82b182ea82cd93fa967b8cea82cc8365834c8358836782c582b70a".repeat(5), "hex")],
])("%s is found out", (encoding, bytes) => {
  expect(findEncoding(bytes)).toBe(encoding);
});

test.each([
  [",", "a,b\n1,2\n"],
  [";", "a;b\n1,5;2\n2,5;3\n"],
  ["\t", "a\tb\n1, 2\tx\n"],
  ["|", "a|b\n1|2\n"],
  [",", "alone\nann\n"],
  [",", ""],
])("the separator %j is found out", (separator, text) => {
  expect(findSeparator(Buffer.from(text), true)).toBe(separator);
});

test("a quote that never ends is said, behind the rows that are whole", () => {
  const text = Buffer.from(`a,b\n1,2\n"open,${"x".repeat(recordBytes)}`);
  const first = readRecords(text, { separator: ",", most: 10, all: true });
  expect(first.records).toEqual([
    ["a", "b"],
    ["1", "2"],
  ]);
  expect(() => readRecords(text.subarray(first.bytes), { separator: ",", most: 10, all: true })).toThrow(NoTable);
});
