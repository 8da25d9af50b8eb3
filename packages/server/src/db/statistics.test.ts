import { afterAll, expect, test } from "vitest";
import { createTestDatabase } from "../testing/test-database.ts";
import { openPool } from "./pool.ts";
import { learnOfGrowth } from "./statistics.ts";

const database = await createTestDatabase();
const pool = openPool({ url: database.url, max: 2 });
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const organization = "01890000-0000-7000-8000-000000000001";
/** Writes messages and waits until the database has counted them. */
const write = async (count: number): Promise<void> => {
  const client = await pool.connect();
  await client.query(
    `insert into messages (lane, organization, id, conversation, customer, channel, direction, text, media, tags, automated, delivery, seq, created_at, updated_at)
select 1, $1, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'inbound', 'x', '[]', '{}', false, 'none', n, now(), now()
from generate_series(1, $2::integer) n`,
    [organization, count],
  );
  await client.query("select pg_stat_force_next_flush()");
  await client.query("select 1");
  client.release();
};

test("a table that grew from nothing, and to the triple, is looked at, and a row is then found by its key", async () => {
  await write(100);
  expect(await learnOfGrowth(pool)).toEqual([]);
  await write(1900);
  await expect.poll(() => learnOfGrowth(pool), { timeout: 10_000 }).toEqual(["messages"]);
  const { rows } = await pool.query<{ "QUERY PLAN": string }>(
    `explain select text from unnest(array[$1]::uuid[]) as k(id) join messages t on t.lane = 1 and t.organization = '${organization}' and t.id = k.id`,
    [organization],
  );
  expect(rows.map((row) => row["QUERY PLAN"]).join("\n")).toContain("messages_pkey");
  expect(await learnOfGrowth(pool)).toEqual([]);
  await write(3000);
  expect(await learnOfGrowth(pool)).toEqual([]);
  await write(2000);
  await expect.poll(() => learnOfGrowth(pool), { timeout: 10_000 }).toEqual(["messages"]);
});
