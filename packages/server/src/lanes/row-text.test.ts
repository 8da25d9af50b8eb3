import fc from "fast-check";
import { expect, test } from "vitest";
import { rowsInCopy, rowsInJson } from "./row-text.ts";
import { worldTables } from "./tables.ts";
import { Words } from "./words.ts";

const organization = "00000000-0000-7000-8000-000000000001";
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    '"',
    "\\",
    "\u0000",
    "\ud800",
    "\u{1f600}",
    "\n",
    "\t",
    "é",
    "plain",
    "long ".repeat(60),
    "é".repeat(300),
  ),
);

test("a row's words are its JSON without nulls, whatever stands in it", () => {
  fc.assert(
    fc.property(
      text,
      fc.array(text),
      fc.option(text),
      fc.boolean(),
      fc.nat(),
      fc.dictionary(text, text),
      (a, tags, b, flag, n, properties) => {
        const row = {
          first_name: a,
          last_name: b,
          tags,
          subscribed: flag,
          open_conversations: n,
          properties,
          stranger: 1,
        };
        const { last_name, stranger: _, ...rest } = row;
        const expected = { lane: 7, organization, ...rest, ...(last_name !== null && { last_name }) };
        const own = { lane: 7, organization, row };
        const found = rowsInJson(worldTables.customers.columns)([own, own]).toString();
        expect(JSON.parse(found)).toEqual(JSON.parse(JSON.stringify([expected, expected])));
      },
    ),
  );
});

/** A line of COPY's text format, taken apart as PostgreSQL does it. */
const columnsOf = (line: string): (string | null)[] =>
  line
    .split("\t")
    .map((each) =>
      each === String.raw`\N`
        ? null
        : each.replaceAll(/\\(.)/g, (_, escape: string) => ({ n: "\n", r: "\r", t: "\t" })[escape] ?? escape),
    );

test("a row's line of COPY holds its values, whatever stands in them, and only the columns that some row fills", () => {
  fc.assert(
    fc.property(
      text,
      fc.option(text),
      fc.array(fc.dictionary(text, fc.jsonValue()), { maxLength: 3 }),
      (a, b, each) => {
        const rows = each.map((properties) => ({
          lane: 7,
          organization,
          row: { first_name: a, last_name: b, properties },
        }));
        const { columns, write } = rowsInCopy(worldTables.customers.columns)(rows);
        const words = new Words(true);
        write(words);
        const lines = words.toString().split("\n");
        expect(lines.pop()).toBe("");
        // half of a pair is no Unicode: only in JSON it comes through, as an escape
        const [first, last] = [a, b].map((one) => one?.toWellFormed() ?? null);
        expect(lines.map(columnsOf)).toEqual(
          rows.map(({ row }) => [
            "7",
            organization,
            first,
            ...(b === null ? [] : [last]),
            expect.toSatisfy(
              (json: string) => expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(row.properties))) ?? true,
            ),
          ]),
        );
        if (rows.length > 0)
          expect(columns).toEqual(["first_name", ...(b === null ? [] : ["last_name"]), "properties"]);
      },
    ),
  );
});

test("an element of an array is quoted, and its quotes and backslashes are escaped twice", () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), (tags) => {
      const words = new Words(true);
      rowsInCopy(worldTables.customers.columns)([{ lane: 7, organization, row: { tags } }]).write(words);
      const [, , array] = columnsOf(words.toString().slice(0, -1));
      const elements = [...(array as string).matchAll(/"((?:[^"\\]|\\.)*)"[,}]/gs)];
      const found = elements.map(([, one]) => (one as string).replaceAll(/\\(.)/gs, "$1"));
      expect(found).toEqual(tags.map((tag) => tag.toWellFormed()));
    }),
  );
});

test("what is to be ASCII by its type and is not is no column of a line", () => {
  const rows = [{ lane: 7, organization, row: { id: "00000000-0000-7000-8000-00000000000\u0109" } }];
  expect(() => rowsInCopy(worldTables.customers.columns)(rows).write(new Words(true))).toThrow(RangeError);
});
