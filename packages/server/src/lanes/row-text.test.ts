import fc from "fast-check";
import { expect, test } from "vitest";
import { rowText } from "./row-text.ts";
import { worldTables } from "./tables.ts";

const organization = "00000000-0000-7000-8000-000000000001";
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom('"', "\\", "\u0000", "\ud800", "\u{1f600}", "\n", "plain"),
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
        const expected = { organization, ...rest, ...(last_name !== null && { last_name }) };
        expect(JSON.parse(rowText(worldTables.customers.columns)(organization, row))).toEqual(
          JSON.parse(JSON.stringify(expected)),
        );
      },
    ),
  );
});
