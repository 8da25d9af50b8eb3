import { settingsSchemas } from "@threadmill/core";
import fc from "fast-check";
import { Value } from "typebox/value";
import { expect, test } from "vitest";
import { slugOf } from "./slug.ts";

test.each([
  ["Refund requests", "refund-requests"],
  ["Büro Süd!", "buro-sud"],
  ["  --  ", "team"],
  ["日本", "team"],
  ["A".repeat(100), "a".repeat(60)],
])("%j gives %j", (name, slug) => expect(slugOf(name, "team")).toBe(slug));

test("every name gives a short name that the schema takes, also with a number behind it", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (name) => {
      const slug = slugOf(name, "team");
      return (
        Value.Check(settingsSchemas.teams.properties.slug, slug) &&
        Value.Check(settingsSchemas.teams.properties.slug, `${slug}-2`)
      );
    }),
  );
});
