import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pool } from "pg";
import { afterAll, beforeEach, expect, test } from "vitest";
import { MIGRATIONS_FOLDER, createTestDatabase, type TestDatabase } from "../testing/test-database.ts";
import { migrate, readMigrations } from "./migrate.ts";
import { openPool } from "./pool.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

let database: TestDatabase;
let pool: Pool;
beforeEach(async () => {
  database = await createTestDatabase({ empty: true });
  pool = openPool({ url: database.url });
  const [p, d] = [pool, database];
  cleanups.push(
    () => d.drop(),
    () => p.end(),
  );
});

async function folder(files: Record<string, string>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "threadmill-migrations-"));
  cleanups.push(() => rm(path, { recursive: true }));
  for (const [name, sql] of Object.entries(files)) await writeFile(join(path, name), sql);
  return path;
}

const FIRST = { "20261120000000_people.sql": "create table people (name text); insert into people values ('Ada');" };
const SECOND = { "20261121000000_age.sql": "alter table people add age int not null default 36;" };

test("runs what is missing, in order, once", async () => {
  expect(await migrate(pool, await folder(FIRST))).toEqual({
    applied: ["20261120000000_people"],
    version: "20261120000000_people",
  });
  const both = await folder({ ...SECOND, ...FIRST });
  expect((await migrate(pool, both)).applied).toEqual(["20261121000000_age"]);
  expect((await migrate(pool, both)).applied).toEqual([]);
  expect((await pool.query("select * from people")).rows).toEqual([{ name: "Ada", age: 36 }]);
});

test("an empty folder is fine", async () => {
  expect(await migrate(pool, await folder({}))).toEqual({ applied: [], version: undefined });
});

test("two processes at once: each migration runs once and both carry on", async () => {
  const path = await folder({
    "20261120000000_slow.sql": "select pg_sleep(0.2); create table runs (n int);",
    "20261121000000_count.sql": "insert into runs values (1);",
    "20261122000000_count_again.sql": "insert into runs values (2);",
  });
  const pools = [1, 2, 3].map(() => openPool({ url: database.url, max: 1 }));
  const results = await Promise.all(pools.map((each) => migrate(each, path)));
  await Promise.all(pools.map((each) => each.end()));
  expect(results.flatMap(({ applied }) => applied).sort()).toEqual([
    "20261120000000_slow",
    "20261121000000_count",
    "20261122000000_count_again",
  ]);
  expect(results.map(({ version }) => version)).toEqual(Array(3).fill("20261122000000_count_again"));
  expect((await pool.query("select n from runs order by n")).rows).toEqual([{ n: 1 }, { n: 2 }]);
});

test("a failing migration leaves nothing of itself, and all before it", async () => {
  const path = await folder({ ...FIRST, "20261121000000_bad.sql": "create table half (n int); select 1 / 0;" });
  await expect(migrate(pool, path)).rejects.toMatchObject({ code: "22012" });
  const { rows } = await pool.query(
    "select to_regclass('half') as half, (select string_agg(name, ' ') from schema_migrations) as done",
  );
  expect(rows).toEqual([{ half: null, done: "20261120000000_people" }]);
});

test("refuses a database that is ahead of the program", async () => {
  await migrate(pool, await folder({ ...FIRST, ...SECOND }));
  const attempt = migrate(pool, await folder(FIRST));
  await expect(attempt).rejects.toMatchObject({ code: "schema_newer" });
  await expect(attempt).rejects.toThrow("The database has the schema 20261121000000_age of a newer threadmill");
});

test("refuses a migration that was changed, but not for its line ends", async () => {
  await migrate(pool, await folder({ "20261120000000_a.sql": "create table a (\n n int);\n" }));
  expect(
    (await migrate(pool, await folder({ "20261120000000_a.sql": "create table a (\r\n n int);\r\n" }))).applied,
  ).toEqual([]);
  await expect(
    migrate(pool, await folder({ "20261120000000_a.sql": "create table a (n int8);" })),
  ).rejects.toMatchObject({
    code: "migration_changed",
  });
});

test("refuses a history that is not the program's", async () => {
  await migrate(pool, await folder({ ...FIRST, ...SECOND }));
  const late = { "20261120120000_late.sql": "select 1;" };
  await expect(migrate(pool, await folder({ ...FIRST, ...late, ...SECOND }))).rejects.toMatchObject({
    code: "migration_out_of_order",
  });
  await expect(migrate(pool, await folder(SECOND))).rejects.toMatchObject({ code: "migration_missing" });
});

test.each(["20261120000000-people.sql", "people.sql"])("refuses the file name %s", async (name) => {
  await expect(migrate(pool, await folder({ [name]: "select 1;" }))).rejects.toMatchObject({
    code: "migration_invalid",
  });
});

test("refuses a file that ends its own transaction", async () => {
  await expect(migrate(pool, await folder({ "20261120000000_a.sql": "select 1;\nCOMMIT;" }))).rejects.toMatchObject({
    code: "migration_invalid",
  });
});

test("the template database has all the program's own migrations", async () => {
  await using own = await createTestDatabase();
  const ownPool = openPool({ url: own.url });
  try {
    const expected = await readMigrations(MIGRATIONS_FOLDER).catch(() => []);
    const result = await migrate(ownPool, expected.length === 0 ? await folder({}) : MIGRATIONS_FOLDER);
    expect(result).toEqual({ applied: [], version: expected.at(-1)?.name });
  } finally {
    await ownPool.end();
  }
});
