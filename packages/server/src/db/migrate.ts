import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { ClientBase, Pool } from "pg";
import { DatabaseFault } from "./fault.ts";
import { applyLong, type Manner, mannerOf, runWithin } from "./migrate-long.ts";
import { transaction } from "./transaction.ts";

/** The one table whose name the shell knows. */
export const MIGRATIONS_TABLE = "schema_migrations";

/** Any number will do, as long as nothing else takes the same lock. */
const MIGRATION_LOCK = 7_401_926_311;

/** A migration file: `<timestamp>_<name>.sql`, in the order of its names. */
export interface Migration {
  /** The file's name without `.sql`. */
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
  /** how it is carried out where there may be many rows and somebody serves */
  readonly manner: Manner;
}

/** What a run of migrations did. */
export interface Migrated {
  /** Names applied by this run, in order. */
  readonly applied: readonly string[];
  /** The newest migration of the database; undefined if there are none at all. */
  readonly version: string | undefined;
}

/** A migration a database has been through. */
export interface AppliedMigration {
  readonly name: string;
  readonly checksum: string;
}

/** Reads a folder's migrations. Throws `migration_invalid` for a file that is not named or written like one. */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".sql")).sort();
  return Promise.all(
    files.map(async (file) => {
      if (!/^\d{8,14}_[a-z0-9_]+\.sql$/.test(file)) throw invalid(file, "is not named <timestamp>_<name>.sql");
      // what Git does to line ends on Windows is no change
      const sql = (await readFile(join(folder, file), "utf8")).replaceAll("\r\n", "\n");
      if (/^\s*(begin|commit|rollback)\s*;/im.test(sql))
        throw invalid(file, "must not open or end transactions itself");
      const manner = mannerOf(sql);
      if ("wrong" in manner) throw invalid(file, manner.wrong);
      return { name: file.slice(0, -4), sql, checksum: createHash("sha256").update(sql).digest("hex"), manner };
    }),
  );
}

/**
 * Brings a database up to the folder's newest migration, one transaction each; those that may take long beside whoever
 * serves, in the manner that their file asks for (see migrate-long.ts), for which the pool must have two connections.
 * Safe when several processes start at once, and when one is killed on the way. Throws `schema_newer` (the database is
 * ahead of this program), `migration_changed`, `migration_missing` or `migration_out_of_order` before anything is changed.
 */
export async function migrate(pool: Pool, folder: string, say: (text: string) => void = () => {}): Promise<Migrated> {
  const migrations = await readMigrations(folder);
  const applied: string[] = [];
  for (;;) {
    // in a database that is being made there are no rows, and nobody serves
    const { next, done } = await transaction(pool, (client) =>
      applyNext(client, migrations, (each) => each.manner.kind === "at_once" || migrations[applied.length] === each),
    );
    if (next === undefined) return { applied, version: migrations.at(-1)?.name };
    if (done || (await applyLong(pool, next, { record, isRecorded, say }))) applied.push(next.name);
  }
}

/** Applies, within the caller's transaction, every migration up to and including `upTo`. For a restore, which is all or nothing. */
export async function migrateWithin(
  client: ClientBase,
  migrations: readonly Migration[],
  upTo?: string,
): Promise<void> {
  const wanted = upTo === undefined ? migrations : migrations.filter(({ name }) => name <= upTo);
  while ((await applyNext(client, wanted, () => true)).next !== undefined);
}

/**
 * Finds the first migration that is missing, and applies it if it may be done `here`, in this transaction. The lock is one
 * of the transaction, so it works through a pooler and goes when we die. It is chosen over racing for a unique version row
 * because it also covers the making of the versions' table itself, which `if not exists` does not make safe.
 */
async function applyNext(
  client: ClientBase,
  migrations: readonly Migration[],
  here: (migration: Migration) => boolean,
): Promise<{ readonly next: Migration | undefined; readonly done: boolean }> {
  await client.query("select pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
  await client.query(
    `create table if not exists ${MIGRATIONS_TABLE} (
       name text primary key, checksum text not null, applied_at timestamptz not null default now())`,
  );
  const before = await readApplied(client);
  checkHistory(before, migrations);
  const next = migrations[before.length];
  if (next === undefined || !here(next)) return { next, done: false };
  await record(client, next);
  await runWithin(client, next);
  return { next, done: true };
}

async function record(client: ClientBase, { name, checksum }: Migration): Promise<void> {
  await client.query(`insert into ${MIGRATIONS_TABLE} (name, checksum) values ($1, $2)`, [name, checksum]);
}

async function isRecorded(client: ClientBase, { name }: Migration): Promise<boolean> {
  const { rows } = await client.query(`select 1 from ${MIGRATIONS_TABLE} where name = $1`, [name]);
  return rows.length > 0;
}

/** The migrations a database has been through, in order. The table must exist. */
export async function readApplied(client: ClientBase): Promise<AppliedMigration[]> {
  const { rows } = await client.query<AppliedMigration>(
    `select name, checksum from ${MIGRATIONS_TABLE} order by name collate "C"`,
  );
  return rows;
}

/** Throws unless what was applied is a beginning of what the program has. `whose` begins the sentence. */
export function checkHistory(
  applied: readonly AppliedMigration[],
  migrations: readonly Migration[],
  whose: "database" | "backup" = "database",
): void {
  const newest = migrations.at(-1)?.name ?? "";
  const ahead = applied.findLast(({ name }) => name > newest);
  if (ahead !== undefined) {
    throw new DatabaseFault(
      "schema_newer",
      `The ${whose} has the schema ${ahead.name} of a newer threadmill; this one knows nothing after ` +
        `${newest || "an empty database"}. Use that newer version, or restore a backup made before the upgrade.`,
    );
  }
  for (const [index, { name, checksum }] of applied.entries()) {
    const own = migrations[index];
    if (own !== undefined && own.name < name) {
      throw new DatabaseFault(
        "migration_out_of_order",
        `Migration ${own.name} is older than ${name}, which is applied already.`,
      );
    }
    if (own?.name !== name)
      throw new DatabaseFault("migration_missing", `Applied migration ${name} is missing from this program.`);
    if (own.checksum !== checksum)
      throw new DatabaseFault("migration_changed", `Migration ${name} was changed after it had been applied.`);
  }
}

function invalid(file: string, what: string): DatabaseFault {
  return new DatabaseFault("migration_invalid", `The migration ${file} ${what}.`);
}
