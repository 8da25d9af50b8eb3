import { sql } from "kysely";
import { afterAll, describe, expect, test } from "vitest";
import { createTestDatabase, onServer } from "../testing/test-database.ts";
import { classifyFault } from "./fault-table.ts";
import { kyselyOn, openKysely, openPool } from "./pool.ts";
import { transaction } from "./transaction.ts";

const database = await createTestDatabase({ empty: true });
const pool = openPool({ url: database.url, max: 4, applicationName: "pool test" });
afterAll(async () => {
  await pool.end();
  await database.drop();
});

test("values read as the design has them", async () => {
  const { rows } = await pool.query(`select
    '2026-11-20T18:00:00.25+01:00'::timestamptz as at, array['2026-11-20T17:00:00Z'::timestamptz, null] as ats,
    42::int8 as big, array[1, null, 3]::int8[] as bigs, 7::int4 as small, 1.50::numeric as numeric,
    array['a,"b', null, 'NULL']::text[] as texts, array['0193466e-7c00-7000-8000-000000000001']::uuid[] as ids,
    '{"a": [1]}'::json as j, '{"b": null}'::jsonb as jb, array['{"c": 1}'::jsonb] as jbs,
    date '2026-11-20' as day, timestamp '2026-11-20 17:00' as local`);
  expect(rows).toEqual([
    {
      at: "2026-11-20T17:00:00.250Z",
      ats: ["2026-11-20T17:00:00.000Z", null],
      big: 42,
      bigs: [1, null, 3],
      small: 7,
      numeric: "1.50",
      texts: ['a,"b', null, "NULL"],
      ids: ["0193466e-7c00-7000-8000-000000000001"],
      j: { a: [1] },
      jb: { b: null },
      jbs: [{ c: 1 }],
      day: "2026-11-20",
      local: "2026-11-20 17:00:00",
    },
  ]);
});

test("sessions are named and speak UTC", async () => {
  const { rows } = await pool.query(
    "select current_setting('TimeZone') as zone, current_setting('application_name') as name",
  );
  expect(rows).toEqual([{ zone: "UTC", name: "pool test" }]);
});

test("a bigint beyond a number fails its query and nothing else", async () => {
  await expect(pool.query("select 9223372036854775807::int8")).rejects.toThrow("does not fit");
  expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
});

describe("transaction", () => {
  test("commits what it returns and rolls back what throws", async () => {
    await pool.query("create table kept (n int)");
    expect(
      await transaction(pool, async (client) => (await client.query("insert into kept values (1)")).rowCount),
    ).toBe(1);
    await expect(
      transaction(pool, async (client) => {
        await client.query("insert into kept values (2)");
        throw new Error("no");
      }),
    ).rejects.toThrow("no");
    expect((await pool.query("select n from kept")).rows).toEqual([{ n: 1 }]);
  });

  test("takes a COMMIT answered with ROLLBACK for the failure it is", async () => {
    const attempt = transaction(pool, async (client) => {
      await client.query("select 1 / 0").catch(() => {});
    });
    await expect(attempt).rejects.toMatchObject({ code: "transaction_rolled_back" });
    await attempt.catch((error: unknown) => expect(classifyFault(error)).toBe("terminal"));
  });

  test("an error of the server at COMMIT is certain", async () => {
    await pool.query("create table later (n int unique deferrable initially deferred)");
    const attempt = transaction(pool, (client) => client.query("insert into later values (1), (1)"));
    await expect(attempt).rejects.toMatchObject({ code: "23505" });
    expect((await pool.query("select 1 from later")).rowCount).toBe(0);
  });

  test("a session that ends before COMMIT is retryable, and its connection is not used again", async () => {
    const attempt = transaction(pool, async (client) => {
      const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
      await onServer(database.url, (other) => other.query("select pg_terminate_backend($1, 5000)", [rows[0]?.pid]));
      await client.query("select 1");
    });
    const error: unknown = await attempt.catch((thrown: unknown) => thrown);
    expect(classifyFault(error)).toBe("retryable");
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });

  test("a session that ends during COMMIT leaves it in doubt", async () => {
    // a deferred trigger runs as part of COMMIT: it ends its own session there
    await pool.query(`create table doomed (n int);
      create function die() returns trigger language plpgsql as
        $$ begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(10); return null; end $$;
      create constraint trigger die after insert on doomed deferrable initially deferred for each row execute function die()`);
    const error: unknown = await transaction(pool, (client) => client.query("insert into doomed values (1)")).catch(
      (e: unknown) => e,
    );
    expect(error).toMatchObject({ code: "commit_in_doubt" });
    expect(classifyFault(error)).toBe("in_doubt");
    expect((await pool.query("select 1 from doomed")).rowCount).toBe(0);
  });

  test("opens as asked", async () => {
    const attempt = transaction(pool, (client) => client.query("create table no (n int)"), {
      begin: "begin read only",
    });
    await expect(attempt).rejects.toMatchObject({ code: "25006" });
  });
});

test("kysely reads through the pool, and writes within a transaction", async () => {
  interface Tables {
    things: { id: number; made_at: string };
  }
  await pool.query("create table things (id int8 primary key, made_at timestamptz not null)");
  const at = "2026-11-20T17:00:00.000Z";
  const attempt = transaction(pool, async (client) => {
    const tx = kyselyOn<Tables>(client);
    await tx.insertInto("things").values({ id: 1, made_at: at }).execute();
    expect(await openKysely<Tables>(pool).selectFrom("things").selectAll().execute()).toEqual([]);
    await sql`select no_such_function()`.execute(tx);
  });
  await expect(attempt).rejects.toMatchObject({ code: "42883" });
  await transaction(pool, (client) =>
    kyselyOn<Tables>(client).insertInto("things").values({ id: 2, made_at: at }).execute(),
  );
  expect(await openKysely<Tables>(pool).selectFrom("things").selectAll().execute()).toEqual([{ id: 2, made_at: at }]);
});

test.each([
  [{ code: "40001" }, "retryable"],
  [{ code: "08006" }, "retryable"],
  [{ code: "08007" }, "in_doubt"],
  [{ code: "23505" }, "terminal"],
  [{ code: "ECONNRESET" }, "retryable"],
  [{ code: "ENOSPC" }, "terminal"],
  [new Error("Connection terminated unexpectedly"), "retryable"],
  [new Error("something else"), "terminal"],
  ["not even an error", "terminal"],
] as const)("classifyFault(%o) is %s", (error, kind) => {
  expect(classifyFault(error)).toBe(kind);
});

test("a server that is not there is retryable", async () => {
  const nowhere = openPool({ url: "postgres://nobody@127.0.0.1:1/none" });
  const error: unknown = await nowhere.query("select 1").catch((thrown: unknown) => thrown);
  expect(classifyFault(error)).toBe("retryable");
  await nowhere.end();
});
