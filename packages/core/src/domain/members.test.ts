import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Change } from "../model/event.ts";
import { blankChange } from "./blank.ts";
import { upgradeChange } from "./log-version.ts";
import { memberFields } from "./members.ts";
import { applyChange, changeOf, type Row } from "./rows.ts";

const at = "2026-11-20T17:00:00.000Z";
const id = "01936f2a-0000-7000-8000-000000000001";
const members = fc.dictionary(
  fc.constantFrom("a", "b", "c", "10", "toString"),
  fc.constantFrom(1, "x", null, [1], { n: 1 }),
  { maxKeys: 4 },
);
const row = (properties: object): Row & { readonly id: string } => ({
  id,
  first_name: "Ann",
  properties,
  updated_at: at,
});

test("the fields that hold values by name are read off the schemas", () => {
  expect(memberFields.toSorted()).toEqual(["other_channels", "properties"]);
});

describe("a change of values by name", () => {
  test("tells the members that changed, and no others", () => {
    const change = changeOf("customers", row({ plan: "free", old: 1, same: [1] }), {
      properties: { plan: "pro", same: [1], made: true },
    });
    expect(change).toEqual({
      table: "customers",
      id,
      before: { properties: { old: 1, plan: "free" } },
      after: { properties: { made: true, plan: "pro" } },
    });
  });

  test("makes the row what it was to be, and holds nothing that did not change", () => {
    fc.assert(
      fc.property(members, members, (from, to) => {
        const change = changeOf("customers", row(from), { properties: to });
        if (change === null) {
          expect(from).toEqual(to);
          return;
        }
        expect(applyChange(row(from), change, at)["properties"]).toEqual(to);
        const back = { ...change, before: change.after, after: change.before as Change["after"] };
        expect(applyChange(row(to), back, at)["properties"]).toEqual(from);
        for (const [name, value] of Object.entries(change.after["properties"] as object))
          expect(value).not.toEqual(Object.hasOwn(from, name) ? from[name] : undefined);
      }),
    );
  });

  test("that was blanked leaves none", () => {
    const made: Change = { table: "customers", id, before: null, after: { properties: { a: "Ann" } } };
    expect(blankChange(made).after).toEqual({ properties: null });
    expect(applyChange(null, blankChange(made), at)["properties"]).toEqual({});
    const changed = changeOf("customers", row({ a: 1 }), { properties: { a: "Ann" } }) as Change;
    expect(applyChange(row({ a: 1, b: 2 }), blankChange(changed), at)["properties"]).toEqual({});
  });
});

describe("rows of the log in an older version", () => {
  test("fold to what they made when they were written", () => {
    fc.assert(
      fc.property(members, members, fc.boolean(), (from, to, named) => {
        // version 1 had the members whole on both sides
        const more: { readonly [field: string]: string } = named ? { first_name: "Bo" } : {};
        const old: Change = {
          table: "customers",
          id,
          before: { properties: from, ...(named && { first_name: "Ann" }) },
          after: { properties: to, ...more },
        };
        const upgraded = upgradeChange(old, 1);
        expect(applyChange(row(from), upgraded, at)).toEqual({ ...row(to), ...more });
        expect(upgradeChange(upgraded, 2)).toBe(upgraded);
      }),
    );
  });

  test("that were blanked leave nothing", () => {
    const old: Change = { table: "customers", id, before: { properties: {} }, after: { properties: {} } };
    expect(applyChange(row({ a: "Ann" }), upgradeChange(old, 1), at)["properties"]).toEqual({});
    const none: Change = { table: "customers", id, before: { first_name: "A" }, after: { first_name: "B" } };
    expect(upgradeChange(none, 1)).toEqual(none);
  });

  test("made rows with the defaults of then", () => {
    const former = { 1: { customers: { subscribed: false, zip_code: "0" } } };
    const made: Change = { table: "customers", id, before: null, after: { zip_code: "1", properties: { a: 1 } } };
    expect(upgradeChange(made, 1, former).after).toEqual({ zip_code: "1", subscribed: false, properties: { a: 1 } });
    expect(upgradeChange(made, 2, former)).toBe(made);
    expect(upgradeChange({ ...made, table: "messages" }, 1, former).after).toEqual(made.after);
    expect(applyChange(null, upgradeChange(made, 1, former), at)).toMatchObject({ subscribed: false, zip_code: "1" });
  });
});
