import { describe, expect, test } from "vitest";
import { customerDefaults } from "../model/customer.ts";
import type { Change, Event } from "../model/event.ts";
import { apply } from "./decide.ts";
import { applyChange, changeOf, creationOf, sameValue } from "./rows.ts";

const at = "2026-11-20T17:00:00.000Z";

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
])("%j and %j are the same: %s", (a, b, same) => {
  expect(sameValue(a, b)).toBe(same);
});

describe("changes", () => {
  const row = { id: "a", first_name: "Ann", tags: ["vip"], last_name: null };

  test("hold just what differs, on both sides", () => {
    expect(changeOf("customers", row, { first_name: "Ann", tags: ["vip"], last_name: undefined })).toBeNull();
    expect(changeOf("customers", row, { first_name: "Bo", tags: ["vip"], last_name: "Li" })).toEqual({
      table: "customers",
      id: "a",
      before: { first_name: "Ann", last_name: null },
      after: { first_name: "Bo", last_name: "Li" },
    });
  });

  test("that create a row hold what differs from its defaults", () => {
    const change = creationOf("customers", "a", {
      first_name: "Ann",
      last_name: null,
      tags: [],
      phone: undefined,
      other: null,
    });
    expect(change).toEqual({ table: "customers", id: "a", before: null, after: { first_name: "Ann", other: null } });
    expect(applyChange(null, change, at)).toEqual({
      ...customerDefaults,
      id: "a",
      first_name: "Ann",
      other: null,
      created_at: at,
      updated_at: at,
    });
  });

  test("fold in order", () => {
    const rows = new Map();
    const changes: Change[] = [
      { table: "customers", id: "a", before: null, after: { first_name: "Ann" } },
      { table: "customers", id: "a", before: { first_name: "Ann" }, after: { first_name: "Bo" } },
    ];
    apply({ at, changes } as unknown as Event, rows);
    expect(rows.get("customers/a")).toMatchObject({ id: "a", first_name: "Bo", created_at: at });
  });
});
