import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PoolClient } from "pg";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  type Home,
  incoming,
  phone,
  resultOf,
  testLanes,
  type TestEngine,
  type TestLanes,
} from "../lanes/test-lanes.ts";
import { createTestDatabase, MIGRATIONS_FOLDER } from "../testing/test-database.ts";
import { indexSteps } from "./build-index.ts";
import { migrate, type Migration, readMigrations } from "./migrate.ts";
import { mannerOf, runWithin } from "./migrate-long.ts";
import { ensurePartitions } from "./partitions.ts";
import { openPool } from "./pool.ts";
import { transaction } from "./transaction.ts";

let lanes: TestLanes;
let home: Home;
/** Knows nothing of what comes: it was started before. */
let older: TestEngine;
let dir = "";
beforeAll(async () => {
  lanes = await testLanes();
  home = await lanes.organization({ lane: 700 });
  older = lanes.engine();
  dir = await mkdtemp(join(tmpdir(), "threadmill-long-"));
});
afterAll(async () => {
  await lanes.close();
  await rm(dir, { recursive: true });
});

const added: Record<string, string> = {};
let folders = 0;
/** The program's migrations, those that tests added so far, and a new one. */
async function folderWith(name: string, sql: string): Promise<string> {
  const folder = join(dir, String(folders++));
  await cp(MIGRATIONS_FOLDER, folder, { recursive: true });
  added[`2099010100${String(folders).padStart(4, "0")}_${name}.sql`] = sql;
  for (const [file, text] of Object.entries(added)) await writeFile(join(folder, file), text);
  return folder;
}

let sent = 0;
/** The older process answers several callers while `fn` is under way. */
const serves = async (): Promise<void> => {
  for (let n = 0; n < 3; n++)
    resultOf(await older.submit(incoming(home, phone(sent % 7), `while it is migrated ${sent++}`)));
};

/** A reader with an old snapshot, for which every concurrent build waits; the build stands still until it is let go. */
async function oldSnapshot(): Promise<{ end(): Promise<void> }> {
  const client = await lanes.pool.connect();
  await client.query("begin isolation level repeatable read");
  await client.query("select count(*) from messages");
  return {
    async end() {
      await client.query("commit");
      client.release();
    },
  };
}

/** What an index and its parts say of themselves, by table. */
const indexes = (like: string) =>
  lanes.rows<{ of: string; valid: boolean }>(
    `select i.indrelid::regclass::text as of, i.indisvalid as valid from pg_index i join pg_class c on c.oid = i.indexrelid
where c.relname like $1 order by 1`,
    [like],
  );
const ensureLog = (now: string) =>
  transaction(lanes.pool, (client) => ensurePartitions(client, { table: "log", unit: "month", ahead: 1, now }));
const building = () =>
  vi.waitFor(async () => expect(await lanes.rows("select 1 from pg_stat_progress_create_index")).not.toEqual([]), {
    timeout: 30_000,
    interval: 50,
  });
const recorded = async (name: string) =>
  (await lanes.rows("select 1 from schema_migrations where name like $1", [`%_${name}`])).length === 1;

/** The same in a process of its own, to be killed. */
function migrateElsewhere(folder: string) {
  const script = `
    const { migrate } = await import(${JSON.stringify(new URL("./migrate.ts", import.meta.url).href)});
    const { openPool } = await import(${JSON.stringify(new URL("./pool.ts", import.meta.url).href)});
    await migrate(openPool({ url: ${JSON.stringify(lanes.url)}, max: 2 }), ${JSON.stringify(folder)});`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  return {
    async kill() {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}

describe("an index that is made concurrently", () => {
  test("is built beside an older process that serves, also where another one starts meanwhile", async () => {
    await serves();
    const folder = await folderWith(
      "by_author",
      "-- concurrently\ncreate index messages_by_author on messages (lane, organization, author) where author is not null;",
    );
    const reader = await oldSnapshot();
    const both = Promise.all([migrate(lanes.pool, folder), migrate(lanes.pool, folder)]);
    await building();
    await serves();
    // an older process that starts is not held up
    await migrate(lanes.pool, MIGRATIONS_FOLDER);
    expect(await recorded("by_author")).toBe(false);
    await reader.end();
    const applied = (await both).flatMap((each) => each.applied);
    expect(applied).toEqual([expect.stringContaining("by_author")]);
    expect(await indexes("messages_by_author")).toEqual([{ of: "messages", valid: true }]);
    expect(older.faults).toEqual([]);
  }, 60_000);

  test("of a partitioned table covers every partition, and those that are made later", async () => {
    await serves();
    const folder = await folderWith(
      "by_root",
      "-- concurrently\n-- for whoever asks what a command did\ncreate index log_by_root on log (lane, organization, root);\n",
    );
    const reader = await oldSnapshot();
    const migrated = migrate(lanes.pool, folder);
    await building();
    await serves();
    // partitions made while others are being indexed have theirs from the start
    await ensureLog("2031-05-05T00:00:00.000Z");
    await reader.end();
    await migrated;
    await ensureLog("2033-05-05T00:00:00.000Z");
    const partitions = await lanes.rows<{ name: string }>(
      "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'log'::regclass order by 1",
    );
    expect(partitions.length).toBeGreaterThan(5);
    const found = await lanes.rows<{ of: string; valid: boolean }>(
      `select i.indrelid::regclass::text as of, i.indisvalid as valid from pg_inherits h join pg_index i on i.indexrelid = h.inhrelid
where h.inhparent = 'log_by_root'::regclass order by 1`,
    );
    expect(found).toEqual(partitions.map(({ name }) => ({ of: name, valid: true })));
    expect(await indexes("log_by_root")).toEqual([{ of: "log", valid: true }]);
    expect(older.faults).toEqual([]);
  }, 60_000);

  test("goes on after a kill, and leaves nothing half made", async () => {
    const folder = await folderWith(
      "by_state",
      "-- concurrently\ncreate index customers_by_state on customers (lane, organization, state);\ncreate index log_by_seq on log (lane, organization, seq);\ndrop index messages_by_author;",
    );
    const reader = await oldSnapshot();
    const killed = migrateElsewhere(folder);
    await building();
    await killed.kill();
    // PostgreSQL goes on for a client that is gone; were it not waiting for us, it would end by itself
    await lanes.rows("select pg_terminate_backend(pid) from pg_stat_progress_create_index");
    await vi.waitFor(async () =>
      expect(await indexes("customers_by_state")).toEqual([{ of: "customers", valid: false }]),
    );
    expect(await recorded("by_state")).toBe(false);
    await serves();
    await reader.end();
    await migrate(lanes.pool, folder);
    expect(await indexes("customers_by_state")).toEqual([{ of: "customers", valid: true }]);
    expect(await indexes("messages_by_author")).toEqual([]);
    expect((await indexes("log_by_seq%")).every(({ valid }) => valid)).toBe(true);
    expect(await recorded("by_state")).toBe(true);
    expect((await migrate(lanes.pool, folder)).applied).toEqual([]);
  }, 60_000);
});

describe("a sliced migration", () => {
  const visit = (more = "") => `
with slice as (select id, lane from conversations where lane = $2 and id > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000') order by id limit 2),
noted as (insert into visits (lane, ids) select $2, array_agg(id) from slice having count(*) > 0),
changed as (update conversations c set topic = 'sliced' from slice s where c.lane = s.lane and c.id = s.id ${more})
select case when count(*) = 2 then max(id::text) end as cursor from slice;`;

  test("holds each lane for a slice at a time, goes on after a kill, and does no slice twice", async () => {
    await lanes.rows("create table visits (n int generated always as identity, lane smallint, ids uuid[])");
    const homes = [home, await lanes.organization({ lane: 701 })];
    for (const each of homes)
      for (let n = 0; n < 7; n++) resultOf(await older.submit(incoming(each, phone(n), "to be changed")));
    const held = await holdLane(701);
    const folder = await folderWith("topics", `-- sliced by lane\n${visit()}`);
    const killed = migrateElsewhere(folder);
    // lane 700 is done and free again; lane 701 is held by somebody else
    await vi.waitFor(
      async () => expect((await lanes.rows("select 1 from schema_progress where lane >= 700")).length).toBe(1),
      { timeout: 30_000 },
    );
    await serves();
    await killed.kill();
    await held.query("rollback");
    held.release();
    expect(await recorded("topics")).toBe(false);
    await migrate(lanes.pool, folder);
    expect(await lanes.rows("select 1 from conversations where topic is null")).toEqual([]);
    const visits = await lanes.rows<{ lane: number; ids: string[] }>("select lane, ids from visits order by n");
    const seen = visits.flatMap(({ ids }) => ids);
    expect(new Set(seen).size).toBe(seen.length);
    expect(visits.map(({ lane }) => lane)).toEqual([700, 700, 700, 700, 701, 701, 701, 701]);
    expect(await lanes.rows("select 1 from schema_progress")).toEqual([]);
    expect((await migrate(lanes.pool, folder)).applied).toEqual([]);
    expect(older.faults).toEqual([]);
  }, 60_000);

  test("that fails is told, and what it did stays done", async () => {
    await lanes.rows("create table numbers as select n from generate_series(1, 5) n");
    const next = (fails: string) => `-- sliced
with one as (select n from numbers where n > coalesce($1, '0')::int order by n limit 1),
done as (update numbers u set n = -(u.n / (case when u.n = 3 then ${fails} else 1 end)) from one where u.n = one.n)
select n::text as cursor from one`;
    const broken = await folderWith("numbers", next("0"));
    await expect(migrate(lanes.pool, broken)).rejects.toMatchObject({ code: "22012" });
    expect(await lanes.rows("select n from numbers where n < 0 order by n")).toEqual([{ n: -2 }, { n: -1 }]);
    // the same file, mended before it was ever applied
    added[Object.keys(added).at(-1) as string] = next("1");
    expect((await migrate(lanes.pool, await folderWith("last", "select 1;"))).applied).toHaveLength(2);
    expect(await lanes.rows("select n from numbers where n > 0")).toEqual([]);
  }, 60_000);

  test("is done at once, and whole, where a database is made or restored", async () => {
    await using database = await createTestDatabase({ empty: true });
    const pool = openPool({ url: database.url, max: 1 });
    const folder = await mkdtemp(join(dir, "fresh-"));
    await writeFile(
      join(folder, "20260101000000_a.sql"),
      "create table a (n int); insert into a select generate_series(1, 9);",
    );
    await writeFile(join(folder, "20260102000000_b.sql"), "-- concurrently\ncreate index a_by_n on a (n);");
    await writeFile(
      join(folder, "20260103000000_c.sql"),
      "-- sliced\nwith one as (delete from a where n = (select min(n) from a) returning n) select n::text || coalesce($1, '') as cursor from one",
    );
    expect((await migrate(pool, folder)).applied).toHaveLength(3);
    expect((await pool.query("select * from a")).rows).toEqual([]);
    await pool.end();
  });
});

test("receipts from before keys and fingerprints were apart are found by either", async () => {
  const migration = (await readMigrations(MIGRATIONS_FOLDER)).find(({ name }) => name.includes("keys_of_receipts"));
  const [key, fingerprint] = ["a".repeat(32), "b".repeat(32)];
  await lanes.rows(
    `insert into receipts (lane, organization, id, key, answer, at)
select $1, $2, gen_random_uuid(), k, '{}', now() from unnest($3::text[]) k`,
    [home.lane, home.id, [key + fingerprint, "c".repeat(32)]],
  );
  await transaction(lanes.pool, (client) => runWithin(client, migration as Migration));
  expect(
    await lanes.rows(
      "select key, fingerprint from receipts where lane = $1 and organization = $2 and key ~ '^(a|c){32}' order by key",
      [home.lane, home.id],
    ),
  ).toEqual([
    { key, fingerprint },
    { key: "c".repeat(32), fingerprint: null },
  ]);
});

async function holdLane(lane: number): Promise<PoolClient> {
  const client = await lanes.pool.connect();
  await client.query("begin");
  await client.query("select lane from lanes where lane = $1 for update", [lane]);
  return client;
}

test.each([
  ["-- concurrently\nalter table a add b int;", "is done concurrently"],
  ["-- concurrently\ncreate index on a (b);", "is done concurrently"],
  [`-- concurrently\ncreate index ${"x".repeat(51)} on a (b);`, "is done concurrently"],
  ["-- sliced\nupdate a set b = 1;", "does not take the cursor"],
])("refuses %j", async (sql, why) => {
  const folder = await mkdtemp(join(dir, "wrong-"));
  await writeFile(join(folder, "20260101000000_a.sql"), sql);
  await expect(readMigrations(folder)).rejects.toMatchObject({
    code: "migration_invalid",
    message: expect.stringContaining(why),
  });
});

test("reads what a file asks for", () => {
  expect(mannerOf("-- concurrent ideas\ncreate table a (n int);")).toEqual({ kind: "at_once" });
  expect(mannerOf("create table a (n int);\n-- sliced\n")).toEqual({ kind: "at_once" });
  expect(mannerOf("-- sliced by lane\nselect $1, $2")).toEqual({ kind: "sliced", byLane: true });
  expect(indexSteps("create unique index a_b on a\n  (b, lower(c)) where b > 1; -- why\ndrop index c;\n")).toEqual([
    { kind: "create", unique: true, index: "a_b", table: "a", rest: "(b, lower(c)) where b > 1" },
    { kind: "drop", index: "c" },
  ]);
});
