import { afterAll, beforeEach, expect, test } from "vitest";
import { createTestDatabase } from "../testing/test-database.ts";
import { dropPartitions, ensurePartitions, listPartitions, planRanges } from "./partitions.ts";
import { openPool } from "./pool.ts";
import { transaction } from "./transaction.ts";

const database = await createTestDatabase({ empty: true });
const pool = openPool({ url: database.url, max: 5 });
afterAll(async () => {
  await pool.end();
  await database.drop();
});

beforeEach(async () => {
  await pool.query(`drop table if exists log;
    create table log (lane int not null, seq int8 not null, at timestamptz not null, text text not null default 'x',
      length int generated always as (length(text)) stored, primary key (lane, seq, at), check (seq > 0)) partition by range (at);
    create index on log (text)`);
});

const plan = { table: "log", unit: "day", ahead: 2, now: "2026-12-30T23:59:59.999Z" } as const;

async function withClient<T>(fn: (client: Parameters<typeof ensurePartitions>[0]) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    return await fn(client);
  } finally {
    client.release();
  }
}

test("days and months meet without gaps, across the year's end", () => {
  expect(planRanges(plan)).toEqual([
    { name: "log_p20261230", from: "2026-12-30T00:00:00.000Z", to: "2026-12-31T00:00:00.000Z" },
    { name: "log_p20261231", from: "2026-12-31T00:00:00.000Z", to: "2027-01-01T00:00:00.000Z" },
    { name: "log_p20270101", from: "2027-01-01T00:00:00.000Z", to: "2027-01-02T00:00:00.000Z" },
  ]);
  expect(
    planRanges({
      ...plan,
      unit: "month",
      ahead: 1,
      now: "2026-12-31T12:00:00.000Z",
      since: "2026-10-31T00:00:00.000Z",
    }),
  ).toMatchObject([
    { name: "log_p202610", to: "2026-11-01T00:00:00.000Z" },
    { name: "log_p202611" },
    { name: "log_p202612" },
    { name: "log_p202701", to: "2027-02-01T00:00:00.000Z" },
  ]);
});

test("makes what is missing, with the table's indexes, defaults and checks", async () => {
  expect(await withClient((client) => ensurePartitions(client, plan))).toHaveLength(3);
  expect(await withClient((client) => ensurePartitions(client, { ...plan, ahead: 3 }))).toEqual(["log_p20270102"]);
  await pool.query("insert into log (lane, seq, at) values (1, 1, '2026-12-31T12:00Z')");
  await expect(pool.query("insert into log (lane, seq, at) values (1, 0, '2026-12-31T12:00Z')")).rejects.toMatchObject({
    code: "23514",
  });
  await expect(pool.query("insert into log (lane, seq, at) values (1, 1, '2026-12-31T12:00Z')")).rejects.toMatchObject({
    code: "23505",
  });
  expect((await pool.query("select text, length from log_p20261231")).rows).toEqual([{ text: "x", length: 1 }]);
  expect((await pool.query("select 1 from pg_indexes where tablename = 'log_p20261231'")).rowCount).toBe(2);
});

test("several processes at once, and inside a transaction", async () => {
  const made = await Promise.all(
    [1, 2, 3, 4].map(() => transaction(pool, (client) => ensurePartitions(client, { ...plan, ahead: 10 }))),
  );
  expect(new Set(made.flat()).size).toBe(11);
  expect(await withClient((client) => listPartitions(client, "log"))).toHaveLength(11);
});

test("is held up by neither readers nor writers, and does not hold them up", async () => {
  await withClient((client) => ensurePartitions(client, plan));
  await transaction(pool, async (busy) => {
    await busy.query("insert into log (lane, seq, at) values (1, 2, '2026-12-31T12:00Z')");
    await busy.query("select * from log");
    await withClient(async (client) => {
      await client.query("set lock_timeout = '1s'");
      expect(await ensurePartitions(client, { ...plan, ahead: 4 })).toHaveLength(2);
      await client.query("reset lock_timeout");
    });
  });
});

test("drops what lies wholly before an instant, later if someone is reading it", async () => {
  await withClient((client) => ensurePartitions(client, plan));
  const before = "2027-01-01T00:00:00.000Z";
  await transaction(pool, async (reader) => {
    await reader.query("select * from log");
    expect(await withClient((client) => dropPartitions(client, { table: "log", before }))).toEqual({
      dropped: [],
      postponed: ["log_p20261230", "log_p20261231"],
    });
  });
  expect(await withClient((client) => dropPartitions(client, { table: "log", before }))).toEqual({
    dropped: ["log_p20261230", "log_p20261231"],
    postponed: [],
  });
  expect(await withClient((client) => listPartitions(client, "log"))).toEqual([
    { name: "log_p20270101", to: "2027-01-02T00:00:00.000Z" },
  ]);
});

test("a default partition is never dropped", async () => {
  await pool.query("create table log_rest partition of log default");
  expect(
    await withClient((client) => dropPartitions(client, { table: "log", before: "9999-01-01T00:00:00.000Z" })),
  ).toEqual({
    dropped: [],
    postponed: [],
  });
});
