import fc from "fast-check";
import { everywhere } from "@threadmill/core";
import { type Kysely, sql } from "kysely";
import type { Pool } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openKysely, openPool } from "../../db/pool.ts";
import { condition, conversationFields, place, relaxed, rootsOf, store, world } from "../../testing/filters.ts";
import { createTestDatabase, type TestDatabase } from "../../testing/test-database.ts";
import type { Tables } from "../tables.ts";
import { countListed, mostCounted } from "./counts.ts";
import { refreshListings } from "./listings.ts";
import { listed } from "./query.ts";

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

const narrowing = [
  "conversation.status",
  "conversation.assignee",
  "conversation.team",
  "conversation.mailbox",
  "conversation.tags",
];
const fields = [
  ...conversationFields,
  ...Array.from({ length: 6 }, () => narrowing).flat(),
  ...Array.from({ length: 5 }, () => "conversation.waiting_since"),
];

test("a list holds and counts exactly the conversations for which its filter holds, however it narrows them by their listings", async () => {
  let held = 0;
  await fc.assert(
    fc.asyncProperty(world, fc.array(condition(fields), { minLength: 40, maxLength: 40 }), async (rows, conditions) => {
      await store(pool, rows);
      for (const table of ["listings", "listing_counts", "conversation_tags"]) await pool.query(`truncate ${table}`);
      const ids = rows.conversations.map(({ id }) => id);
      await refreshListings(pool, place.lane, place.organization, ids.slice(0, 20));
      await refreshListings(pool, place.lane, place.organization, ids.slice(10));
      for (const json of conditions) {
        const filter = relaxed(json, "conversation");
        if (filter === null) continue;
        const expected = rows.conversations.filter((row) => {
          try {
            return filter.test(rootsOf(rows, "conversation", row));
          } catch {
            return false;
          }
        });
        held += expected.length;
        const wanted = { place, reach: everywhere, user: null, filter, only: [] };
        const found = await sql<{ id: string }>`select l.id ${listed(wanted)} order by l.id`.execute(db);
        expect([json, found.rows.map(({ id }) => id)]).toEqual([json, expected.map(({ id }) => id)]);
        expect([json, await countListed(db, wanted)]).toEqual([json, { count: expected.length, more: false }]);
      }
    }),
    { numRuns: 10, endOnFailure: true },
  );
  expect(held).toBeGreaterThan(200);
}, 120_000);

test("counts that must be looked for end at a thousand, and say so", async () => {
  await pool.query(
    `insert into conversations (lane, organization, id, customer, mailbox, channel, address, status, tags, properties, inbound_count,
  outbound_count, created_at, updated_at, fired, last_message_at)
select $1, $2, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '', 'open', '{}', '{}', 0, 0, now(), now(), '{}', now()
from generate_series(1, $3::int)`,
    [place.lane, place.organization, mostCounted + 30],
  );
  const { rows } = await pool.query<{ id: string }>("select id from conversations where address = ''");
  await refreshListings(
    pool,
    place.lane,
    place.organization,
    rows.map(({ id }) => id),
  );
  const filter = relaxed({ field: "conversation.address", op: "is_empty" }, "conversation");
  const wanted = { place, reach: everywhere, user: null, filter, only: [] };
  expect(await countListed(db, wanted)).toEqual({ count: mostCounted, more: true });
});
