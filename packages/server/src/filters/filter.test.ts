import type { Filter, Json } from "@threadmill/core";
import { testId } from "@threadmill/core/testing";
import fc from "fast-check";
import { type Kysely, sql, type SqlBool } from "kysely";
import type { Pool } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openKysely, openPool } from "../db/pool.ts";
import type { Tables } from "../features/tables.ts";
import { createTestDatabase, type TestDatabase } from "../testing/test-database.ts";
import { filterSql } from "./filter.ts";
import { condition, conversationFields, customerFields, relaxed, rootsOf, store, world } from "../testing/filters.ts";

let database: TestDatabase;
let pool: Pool;
let db: Kysely<Tables>;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = openPool({ url: database.url, max: 2 });
  db = openKysely<Tables>(pool);
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

test.each(["conversation", "customer"] as const)(
  "the database finds exactly the %ss for which a condition holds, and tells which it cannot decide",
  async (subject) => {
    const fields = subject === "conversation" ? conversationFields : customerFields;
    let decided = 0;
    let faults = 0;
    await fc.assert(
      fc.asyncProperty(
        world,
        fc.array(condition(fields), { minLength: 60, maxLength: 60 }),
        async (rows, conditions) => {
          await store(pool, rows);
          for (const json of conditions) {
            const filter = relaxed(json, subject);
            if (filter === null) continue;
            const expected = rows[`${subject}s`].map((row) => {
              try {
                return [row.id, filter.test(rootsOf(rows, subject, row)), false];
              } catch {
                return [row.id, false, true];
              }
            });
            const { where, undecided } = filterSql(filter);
            const found = await db
              .selectFrom(`${subject}s`)
              .select("id")
              .select(sql<boolean>`coalesce(${where}, false)`.as("holds"))
              .select((undecided ?? sql<SqlBool>`false`).as("undecided"))
              .orderBy("id")
              .execute();
            decided += expected.filter(([, holds]) => holds).length;
            faults += expected.filter(([, , fault]) => fault).length;
            const wrong = found.flatMap((row, n) => {
              const got = [row.id, row.holds, row.undecided];
              return JSON.stringify(got) === JSON.stringify(expected[n]) ? [] : [{ got, expected: expected[n] }];
            });
            expect(found).toHaveLength(expected.length);
            expect(JSON.stringify({ json, wrong })).toEqual(JSON.stringify({ json, wrong: [] }));
          }
        },
      ),
      { numRuns: 12, endOnFailure: true },
    );
    // conditions that hold for nothing, or of which none can fail, would show little
    expect(decided).toBeGreaterThan(100);
    expect(faults).toBeGreaterThan(50);
  },
  120_000,
);

test("a filter says which index finds its rows, or that none does", () => {
  const indexOf = (json: Json, subject: Filter["subject"] = "conversation") =>
    filterSql(relaxed(json, subject) as Filter).index;
  const own = { field: "conversation.customer", op: "is", value: testId(1000) };
  const loose = { field: "conversation.subject", op: "contains", value: "refund" };
  expect(indexOf({ all: [loose, own] }).index).toBe("conversations_by_customer");
  expect(indexOf({ any: [loose, own] })).toMatchObject({ index: null, sentence: expect.stringContaining("No index") });
  expect(indexOf({ field: "customer.id", op: "in", value: [testId(1)] }, "customer").index).toBe("customers_pkey");
});
