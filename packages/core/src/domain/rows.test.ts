import { describe, expect, test } from "vitest";
import { customerDefaults } from "../model/customer.ts";
import type { Change, Event } from "../model/event.ts";
import { apply } from "./decide.ts";
import { applyChange, changeOf, creationOf } from "./rows.ts";

const at = "2026-11-20T17:00:00.000Z";

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
