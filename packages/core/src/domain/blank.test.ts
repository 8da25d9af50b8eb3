import { expect, test } from "vitest";
import { blankChange, blankData, blankFields } from "./blank.ts";

test("a change keeps which fields it touched, and of personal ones only a blank", () => {
  const id = "01936f2a-0000-7000-8000-000000000001";
  const before = { first_name: "Ann", tags: ["vip"], state: "closed", unheard_of: "Ann", valueOf: "Ann" };
  expect(blankChange({ table: "customers", id, before, after: { ...before, first_name: null } })).toEqual({
    table: "customers",
    id,
    before: { first_name: null, tags: [], state: "closed" },
    after: { first_name: null, tags: [], state: "closed" },
  });
  expect(blankChange({ table: "messages", before: null, after: { text: "hi", direction: "inbound" } })).toEqual({
    table: "messages",
    before: null,
    after: { text: "", direction: "inbound" },
  });
});

test("an event's facts keep ids and counts", () => {
  expect(blankData(undefined)).toBeUndefined();
  expect(blankData({ names: ["of Ann"] })).toBeUndefined();
  expect(blankData({ names: ["of Ann"], conversations: 2, unheard_of: "Ann", valueOf: "Ann" })).toEqual({
    conversations: 2,
  });
});

test("what erasing blanks is what the schemas mark", () => {
  expect(Object.keys(blankFields.conversations).toSorted()).toEqual([
    "address",
    "other_channels",
    "properties",
    "subject",
    "tags",
    "topic",
  ]);
});
