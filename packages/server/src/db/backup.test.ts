import { createHash, randomBytes } from "node:crypto";
import { copyFile, mkdtemp, readFile, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import type { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MIGRATIONS_FOLDER, createTestDatabase } from "../testing/test-database.ts";
import { sortByReferences } from "./backup-catalog.ts";
import { inspectBackup } from "./backup-format.ts";
import { backupToFile, backupToStream } from "./backup.ts";
import { maintain } from "./maintenance.ts";
import { migrate } from "./migrate.ts";
import { ensurePartitions } from "./partitions.ts";
import { openPool } from "./pool.ts";
import { restore } from "./restore.ts";
import { applyStorage } from "./storage.ts";
import { transaction } from "./transaction.ts";

const FIRST = `
  create table lanes (lane int primary key);
  insert into lanes select generate_series(0, 9);
  create table a_notes (id bigint generated always as identity primary key, lane int not null references z_owners,
    parent bigint references a_notes, text text, raw bytea, doc jsonb, at timestamptz, tags text[], score float8,
    size int generated always as (length(text)) stored);
  create table log (lane int not null, seq bigint not null, at timestamptz not null, "Odd ""name" text,
    primary key (lane, seq, at)) partition by range (at);
  create table log_today partition of log for values from ('2026-11-20 00:00+00') to ('2026-11-21 00:00+00');
  create table empty_one (id uuid primary key);`;
const MIGRATIONS = {
  "20261119000000_owners.sql": "create table z_owners (lane int primary key);",
  "20261120000000_first.sql": FIRST,
};
const NEWER = {
  "20261201000000_newer.sql": "alter table a_notes add shout text; update a_notes set shout = upper(text);",
};
const options = { programVersion: "0.1.0", now: "2026-11-20T17:00:00.000Z" };

let dir = "";
let pool: Pool;
const cleanups: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

async function newDatabase(): Promise<Pool> {
  const database = await createTestDatabase({ empty: true });
  const opened = openPool({ url: database.url, max: 3 });
  cleanups.push(
    () => database.drop(),
    () => opened.end(),
  );
  return opened;
}

async function migrations(name: string, files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(dir, `${name}-`));
  for (const [file, sql] of Object.entries(files)) await writeFile(join(folder, file), sql);
  return folder;
}

let old = "";
let file = "";
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "threadmill-backup-"));
  cleanups.push(() => rm(dir, { recursive: true }));
  old = await migrations("old", MIGRATIONS);
  pool = await newDatabase();
  await migrate(pool, old);
  await transaction(pool, (client) =>
    ensurePartitions(client, { table: "log", unit: "day", now: "2026-11-25T00:00:00.000Z", ahead: 0 }),
  );
  await pool.query(`
    insert into z_owners values (1), (2);
    delete from lanes where lane > 3;
    insert into a_notes (lane, parent, text, raw, doc, at, tags, score) values
      (1, null, E'tab\\t newline\\n back\\\\slash \\\\N "quoted" ünï 😀', '\\x00ff0a5c', '{"a": [1, null, "x\\\\ny"]}',
        '2026-11-20 17:00:00.123456+00', array['a,b', null, 'c"d', ''], 0.1::float8 + 0.2::float8),
      (2, 1, '', null, 'null', 'infinity', '{}', 'NaN'), (2, 2, null, null, null, null, null, null);
    insert into log select 1, n, '2026-11-20 12:00+00', repeat('x', 300) from generate_series(1, 30000) n;
    insert into log values (1, 30001, '2026-11-25 12:00+00', null)`);
  file = join(dir, "backup.tar.gz");
  await backupToFile({ ...options, pool, files: { "secret.key": Buffer.from("key material") } }, file);
});

/** Everything a database holds, as text, table by table. */
async function contents(of: Pool, tables = ["lanes", "z_owners", "a_notes", "log", "empty_one"]) {
  const result: Record<string, unknown> = {};
  for (const table of tables) {
    const { rows } = await of.query(
      `select count(*)::int as rows, md5(coalesce(string_agg(t::text, e'\\n' order by t::text collate "C"), '')) as hash from ${table} t`,
    );
    result[table] = rows[0] as unknown;
  }
  return result;
}

const relations = async (of: Pool) =>
  (await of.query<{ n: number }>("select count(*)::int as n from pg_class where relnamespace = 'public'::regnamespace"))
    .rows[0]?.n;

test("a restored database equals the one that was backed up", async () => {
  const target = await newDatabase();
  const result = await restore({ pool: target, path: file, migrations: old });
  expect(result.rows).toEqual({ a_notes: 3, empty_one: 0, lanes: 4, log: 30001, z_owners: 2 });
  expect(result.files.get("secret.key")?.toString()).toBe("key material");
  expect(await contents(target)).toEqual(await contents(pool));
  expect((await target.query("select count(*)::int as n from log_p20261125")).rows).toEqual([{ n: 1 }]);
  // identities go on where they were
  const { rows } = await target.query("insert into a_notes (lane) values (1) returning id");
  expect(rows).toEqual([{ id: 4 }]);
  expect(await migrate(target, old)).toEqual({ applied: [], version: "20261120000000_first" });
});

test("newer migrations run on the restored rows", async () => {
  const target = await newDatabase();
  const newer = await migrations("newer", { ...MIGRATIONS, ...NEWER });
  await restore({ pool: target, path: file, migrations: newer });
  expect((await target.query("select shout from a_notes where id = 2")).rows).toEqual([{ shout: "" }]);
  expect((await target.query("select 1 from a_notes where shout like '%ÜNÏ%'")).rowCount).toBe(1);
  expect((await migrate(target, newer)).applied).toEqual([]);
});

test("is one moment of a database that goes on changing", async () => {
  // the archive starts to flow only after the rows below were written: the first byte comes after the snapshot
  let written: Promise<unknown> | undefined;
  const parts: Buffer[] = [];
  const output = new Writable({
    write(chunk: Buffer, _, done) {
      parts.push(chunk);
      written ??= pool.query(
        "insert into z_owners values (3); insert into log values (3, 1, '2026-11-20 01:00+00', 'late')",
      );
      written.catch(() => {}).finally(done);
    },
  });
  const summary = await backupToStream({ ...options, pool }, output);
  await pool.query("delete from log where lane = 3; delete from z_owners where lane = 3");
  expect(summary).toEqual({
    schemaVersion: "20261120000000_first",
    rows: { a_notes: 3, empty_one: 0, lanes: 4, log: 30001, z_owners: 2 },
  });
  expect(await written).toHaveLength(2);
});

test("the file is private, whole or not there, and says what it is", async () => {
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await readdir(dir)).filter((name) => name.endsWith(".part"))).toEqual([]);
  const header = await inspectBackup(file);
  expect(header.created_at).toBe(options.now);
  expect(header.migrations.map(({ name }) => name)).toEqual(["20261119000000_owners", "20261120000000_first"]);
  const names = header.tables.map(({ name }) => name);
  expect(names.indexOf("z_owners")).toBeLessThan(names.indexOf("a_notes"));
});

test("an output that fails ends the backup and gives its connection back", async () => {
  let bytes = 0;
  const broken = () =>
    new Writable({
      write(chunk: Buffer, _, done) {
        bytes += chunk.length;
        done(bytes > 10_000 ? new Error("disk full") : null);
      },
    });
  const source = await newDatabase();
  await source.query("create table noise (text text)");
  const noise = Array.from({ length: 200 }, () => randomBytes(60_000).toString("base64"));
  await source.query("insert into noise select unnest($1::text[])", [noise]);
  for (let n = 0; n < 4; n++)
    await expect(backupToStream({ ...options, pool: source }, broken())).rejects.toThrow("disk full");
  expect((await source.query("select count(*)::int as n from noise")).rows).toEqual([{ n: 200 }]);
  await expect(backupToFile({ ...options, pool }, join(dir, "no", "such", "folder"))).rejects.toMatchObject({
    code: "ENOENT",
  });
});

describe("refuses, and leaves the database empty:", () => {
  async function refused(path: string, folder = old): Promise<unknown> {
    const target = await newDatabase();
    const error: unknown = await restore({ pool: target, path, migrations: folder }).catch((thrown: unknown) => thrown);
    expect(await relations(target)).toBe(0);
    return error;
  }

  test.each([0, 1, 100, 0.3, 0.9, 0.999])("a file that ends early (%d)", async (at) => {
    const cut = join(dir, `cut-${at}`);
    await copyFile(file, cut);
    await truncate(cut, at === 0 || at >= 1 ? at : Math.floor((await stat(file)).size * at));
    expect(await refused(cut)).toMatchObject({ code: "backup_damaged" });
  });

  test("a file that lost its tail at a member's end", async () => {
    const tar = await unzip(file);
    const end = tar.indexOf("manifest.json");
    // the manifest's pax header begins two blocks before the first mention of its name, at a block's edge
    const cut = join(dir, "no-manifest");
    await zip(Buffer.concat([tar.subarray(0, Math.floor(end / 512) * 512 - 1024), Buffer.alloc(1024)]), cut);
    expect(await refused(cut)).toMatchObject({ code: "backup_damaged" });
  });

  test("a changed row", async () => {
    const tar = await unzip(file);
    const at = tar.indexOf("xxxxxxxx");
    tar[at] = "y".charCodeAt(0);
    await zip(tar, join(dir, "changed"));
    const error = await refused(join(dir, "changed"));
    expect(error).toMatchObject({ code: "backup_damaged" });
    expect(String(error)).toContain("checksum");
  });

  test("a file that is something else", async () => {
    await writeFile(join(dir, "text"), "hello");
    expect(await refused(join(dir, "text"))).toMatchObject({ code: "backup_damaged" });
    expect(await refused(join(dir, "nothing"))).toMatchObject({ code: "backup_damaged" });
  });

  test("a backup of a newer program", async () => {
    const older = await migrations("older", { "20261119000000_owners.sql": MIGRATIONS["20261119000000_owners.sql"] });
    expect(await refused(file, older)).toMatchObject({ code: "schema_newer" });
  });

  test("rows that the schema does not take", async () => {
    const stricter = { ...MIGRATIONS, "20261201000000_strict.sql": "alter table lanes add check (lane > 2);" };
    expect(await refused(file, await migrations("stricter", stricter))).toMatchObject({ code: "23514" });
  });
});

test("a database that holds anything is refused", async () => {
  const target = await newDatabase();
  await target.query("create schema other; create table other.mine (n int)");
  await expect(restore({ pool: target, path: file, migrations: old })).rejects.toMatchObject({
    code: "database_not_empty",
  });
});

test("an empty database makes a backup too", async () => {
  const path = join(dir, "empty.tar.gz");
  await backupToFile({ ...options, pool: await newDatabase() }, path);
  const target = await newDatabase();
  expect((await restore({ pool: target, path, migrations: old })).rows).toEqual({});
  expect((await migrate(target, old)).version).toBe("20261120000000_first");
});

test("the program's own schema goes through a backup", async () => {
  await using own = await createTestDatabase();
  const source = openPool({ url: own.url, max: 2 });
  try {
    const path = join(dir, "own.tar.gz");
    const { schemaVersion } = await backupToFile({ ...options, pool: source }, path);
    const target = await newDatabase();
    const { header } = await restore({ pool: target, path, migrations: MIGRATIONS_FOLDER });
    expect(header.migrations.at(-1)?.name).toBe(schemaVersion);
    const tables = header.tables.map(({ name }) => `"${name}"`);
    expect(await contents(target, tables)).toEqual(await contents(source, tables));
  } finally {
    await source.end();
  }
});

/** All that the catalog says of the tables, their partitions, columns, indexes and constraints. */
async function catalogOf(of: Pool): Promise<Record<string, unknown>> {
  const ours = "relnamespace = current_schema()::regnamespace";
  const statements = {
    relations: `select c.relname, c.relkind, c.relpersistence, c.reloptions, t.reloptions as toast, pg_get_expr(c.relpartbound, c.oid) as bound
      from pg_class c left join pg_class t on t.oid = c.reltoastrelid where c.${ours} order by 1`,
    columns: `select c.relname, a.attname, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull, a.attidentity, a.attgenerated,
        a.attstorage, a.attcompression, a.attstattarget, a.attoptions, pg_get_expr(d.adbin, d.adrelid) as fallback
      from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum where c.${ours} order by 1, 2`,
    indexes: `select tablename, indexname, indexdef from pg_indexes where schemaname = current_schema() order by 1, 2`,
    constraints: `select conrelid::regclass::text as of, conname, pg_get_constraintdef(oid) as says from pg_constraint
      where connamespace = current_schema()::regnamespace order by 1, 2`,
  };
  const found: Record<string, unknown> = {};
  for (const [name, sql] of Object.entries(statements)) found[name] = (await of.query(sql)).rows;
  return found;
}

test("tables, and partitions above all, are stored as they were: what an operator tuned comes back", async () => {
  await using own = await createTestDatabase();
  const source = openPool({ url: own.url, max: 2 });
  try {
    await maintain(source, { eventsDays: 400, runsDays: 30 }, "2026-11-21T12:00:00.000Z");
    await source.query(`
      alter table log_p202611 set (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.01, toast.autovacuum_enabled = false);
      alter table log_p202612 reset (toast_tuple_target);
      alter table log_p202611 alter column events set storage external, alter column events set statistics 500;
      alter table runs_history_p202611 alter column steps set compression pglz, alter column workflow set (n_distinct = -0.5);
      alter table conversations set (autovacuum_analyze_threshold = 1000), alter column tags set statistics 0;
      alter table customers reset (fillfactor)`);
    const path = join(dir, "tuned.tar.gz");
    await backupToFile({ ...options, pool: source }, path);
    const target = await newDatabase();
    expect(await restore({ pool: target, path, migrations: MIGRATIONS_FOLDER })).toMatchObject({ refused: [] });
    expect(await catalogOf(target)).toEqual(await catalogOf(source));
  } finally {
    await source.end();
  }
});

test("a way of storing that this server does not know stops no restore, and is told; words that are no option do", async () => {
  const target = await newDatabase();
  const apply = (more: object) =>
    transaction(target, async (client) => {
      await client.query("create table if not exists tuned (a text)");
      return applyStorage(client, [{ name: "tuned", options: [], toast: [], columns: [], ...more }]);
    });
  expect(await apply({ options: ["fillfactor=50", "of_the_future=1"] })).toEqual([
    expect.stringMatching(/^tuned: set \(of_the_future=1\) \(unrecognized parameter/),
  ]);
  expect((await target.query("select reloptions from pg_class where relname = 'tuned'")).rows).toEqual([
    { reloptions: ["fillfactor=50"] },
  ]);
  await expect(apply({ options: ["a=1); drop table tuned; --"] })).rejects.toMatchObject({
    code: "backup_not_supported",
  });
  const column = { name: "a", storage: "x", compression: "z", statistics: null, options: [] };
  await expect(apply({ columns: [column] })).rejects.toMatchObject({ code: "backup_not_supported" });
});

test("tables come after those they refer to, and a ring does not hang", () => {
  const tables = ["a", "b", "c", "d"].map((name) => ({ name, columns: [] }));
  const references = [
    { from: "a", to: "c" },
    { from: "c", to: "d" },
    { from: "b", to: "d" },
    { from: "d", to: "b" },
    { from: "a", to: "elsewhere" },
  ];
  expect(sortByReferences(tables, references).map(({ name }) => name)).toEqual(["b", "d", "c", "a"]);
});

async function unzip(path: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  const gunzip = createGunzip();
  gunzip.on("data", (part: Buffer) => parts.push(part));
  gunzip.end(await readFile(path));
  await new Promise((resolve) => gunzip.on("end", resolve));
  return Buffer.concat(parts);
}

async function zip(tar: Buffer, path: string): Promise<void> {
  const parts: Buffer[] = [];
  await pipeline([tar], createGzip(), async (zipped: AsyncIterable<Buffer>) => {
    for await (const part of zipped) parts.push(part);
  });
  await writeFile(path, Buffer.concat(parts));
  expect(createHash("sha256").update(Buffer.concat(parts)).digest("hex")).not.toBe(
    createHash("sha256")
      .update(await readFile(file))
      .digest("hex"),
  );
}
