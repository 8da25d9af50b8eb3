import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { asStored } from "../testing/stored.ts";
import { countOf, jsonText, membersOf, namesOf, sameJson } from "./json.ts";

const json = fc.jsonValue({ maxDepth: 4 });
const object = fc.dictionary(fc.string({ unit: "binary", maxLength: 4 }), json).map((one) => ({ ...one }));
/** What no database takes is no data. */
const storable = (value: unknown) => JSON.stringify(value).isWellFormed() && !JSON.stringify(value).includes("\\u0000");

describe("members", () => {
  test("come by name, whatever the order in which they stand", () => {
    const value = { b: 1, "10": 2, aa: 3, "9": 4, é: 5, a: 6 };
    expect(namesOf(value)).toEqual(["10", "9", "a", "aa", "b", "é"]);
    expect(membersOf(value).map(([, inner]) => inner)).toEqual([2, 4, 6, 3, 1, 5]);
    expect(countOf(value)).toBe(6);
  });

  test("come in the same order before the database and after it, and print the same", () => {
    fc.assert(
      fc.property(object.filter(storable), (value) => {
        const stored = asStored(value) as typeof value;
        expect(namesOf(stored)).toEqual(namesOf(value));
        expect(jsonText(stored)).toBe(jsonText(value));
        expect(sameJson(stored, value)).toBe(true);
      }),
    );
  });
});

describe("the JSON text of a value", () => {
  test("says what the value says", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(JSON.parse(jsonText(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test.each([
    [undefined, "null"],
    [Number.NaN, "null"],
    [[undefined, 1], "[null,1]"],
    [{ b: undefined, a: "é\n" }, '{"a":"é\\n"}'],
    [{ b: { d: 1, c: [{}] }, a: null }, '{"a":null,"b":{"c":[{}],"d":1}}'],
  ])("of %j is %s", (value, text) => expect(jsonText(value)).toBe(text));
});

test.each([
  [1, 1, true],
  [1, "1", false],
  [null, {}, false],
  [{}, null, false],
  [[1, [2]], [1, [2]], true],
  [[1, 2], [2, 1], false],
  [[], {}, false],
  [{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
  [{ a: 1 }, { a: 1, b: 2 }, false],
  [{ a: undefined }, { b: undefined }, false],
  // inherited words are no content
  [{ constructor: {} }, { a: 1 }, false],
  [JSON.parse('{"__proto__": {}}'), { a: {} }, false],
])("%j and %j are the same: %s", (a, b, same) => expect(sameJson(a, b)).toBe(same));

/** Ways through the members of an object that take them as they stand. */
const asTheyStand =
  /Object\.(?:keys|entries|values|getOwnPropertyNames)\(|\bfor \(const \w+ in |Reflect\.ownKeys|JSON\.stringify\(/;
/** Files that may, because nothing that is told or stored follows from the order. */
const harmless: Readonly<Record<string, string>> = {
  "model/json.ts": "it makes the order",
  "domain/rows.ts": "goes over patches that commands wrote down, and compares each field alone",
  "condition/operators.ts": "goes over the table of operators",
  "template/value.ts": "goes over what a document's author wrote down",
  "template/meter.ts": "adds up what is inside",
  "run/roots.ts": "goes over the table of roots",
  "domain/merging-page.ts": "prints a table of ours as it is written down",
  "domain/blank.ts": "blanks every field of a kind",
  "mill/watch.ts": "asks whether any field of a change is read",
  "model/marks.ts": "finds every field of a mark",
  "text/unicode.ts": "looks at every text, or copies all of them",
};

test("nothing at run time goes through the members of data in another way (MILL law 1)", () => {
  const source = fileURLToPath(new URL("../", import.meta.url));
  const folders = ["condition", "domain", "match", "mill", "model", "run", "template", "text"];
  const files = folders.flatMap((folder) =>
    readdirSync(`${source}${folder}`, { recursive: true, encoding: "utf8" }).map((file) => `${folder}/${file}`),
  );
  const sources = files.filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"));
  expect(sources.length).toBeGreaterThan(100);
  const found = sources.filter((file) => asTheyStand.test(readFileSync(`${source}${file}`, "utf8")));
  expect(found.filter((file) => !(file in harmless))).toEqual([]);
  expect(Object.keys(harmless).filter((file) => !found.includes(file))).toEqual([]);
});
