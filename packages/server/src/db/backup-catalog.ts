import type { ClientBase } from "pg";
import type { BackupHeader, TableShape } from "./backup-format.ts";
import { DatabaseFault } from "./fault.ts";
import { type AppliedMigration, MIGRATIONS_TABLE, readApplied } from "./migrate.ts";
import { PROGRESS_TABLE } from "./migrate-long.ts";
import { readStorage } from "./storage.ts";

/** What the database's own catalog tells about the tables of the current schema, in the transaction's snapshot. */
export type Catalog = Pick<
  BackupHeader,
  "migrations" | "tables" | "partitions" | "storage" | "sequences" | "postgres_version"
>;

/**
 * Reads everything a backup must know beyond the rows. Partitions count as part of their table. Throws
 * `backup_not_supported` for partitions of partitions.
 */
export async function readCatalog(client: ClientBase): Promise<Catalog> {
  const version = await client.query<{ server_version: string }>("show server_version");
  return {
    postgres_version: version.rows[0]?.server_version ?? "",
    migrations: await readMigrationsTable(client),
    tables: sortByReferences(await readTables(client), await readReferences(client)),
    partitions: await readPartitions(client),
    storage: await readStorage(client),
    sequences: await readSequences(client),
  };
}

async function readMigrationsTable(client: ClientBase): Promise<AppliedMigration[]> {
  const { rows } = await client.query<{ there: boolean }>("select to_regclass($1) is not null as there", [
    MIGRATIONS_TABLE,
  ]);
  return rows[0]?.there === true ? readApplied(client) : [];
}

/** Tables that hold rows of their own or in partitions; generated columns are left out, as COPY refuses them. */
async function readTables(client: ClientBase): Promise<TableShape[]> {
  const { rows } = await client.query<TableShape>(
    `select c.relname as name, array_agg(a.attname::text order by a.attnum) as columns
     from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and c.relname <> all($1)
     group by c.relname order by c.relname`,
    [[MIGRATIONS_TABLE, PROGRESS_TABLE]],
  );
  return rows;
}

interface Reference {
  readonly from: string;
  readonly to: string;
}

async function readReferences(client: ClientBase): Promise<Reference[]> {
  const { rows } = await client.query<Reference>(
    `select distinct f.relname as "from", t.relname as "to"
     from pg_constraint k join pg_class f on f.oid = k.conrelid join pg_class t on t.oid = k.confrelid
     where k.contype = 'f' and k.conparentid = 0 and f.relnamespace = current_schema()::regnamespace and f.oid <> t.oid`,
  );
  return rows;
}

/** Referenced tables before those that refer to them, otherwise by name. Tables that refer to each other in a ring come as they are. */
export function sortByReferences(tables: readonly TableShape[], references: readonly Reference[]): TableShape[] {
  const byName = new Map(tables.map((table) => [table.name, table]));
  const sorted = new Set<TableShape>();
  const visited = new Set<string>();
  const visit = (name: string) => {
    const table = byName.get(name);
    if (table === undefined || visited.has(name)) return;
    visited.add(name);
    for (const { from, to } of references) if (from === name) visit(to);
    sorted.add(table);
  };
  for (const { name } of tables) visit(name);
  return [...sorted];
}

async function readPartitions(client: ClientBase): Promise<BackupHeader["partitions"]> {
  const { rows } = await client.query<{ table: string; name: string; bound: string; nested: boolean }>(
    `select p.relname as "table", c.relname as name, pg_get_expr(c.relpartbound, c.oid) as bound,
       c.relkind = 'p' or p.relispartition as nested
     from pg_class c join pg_inherits i on i.inhrelid = c.oid join pg_class p on p.oid = i.inhparent
     where c.relispartition and c.relkind in ('r', 'p') and p.relnamespace = current_schema()::regnamespace
     order by p.relname, c.relname`,
  );
  const nested = rows.find((row) => row.nested);
  if (nested !== undefined) {
    throw new DatabaseFault(
      "backup_not_supported",
      `The partition ${nested.name} is partitioned itself, which a backup cannot hold.`,
    );
  }
  return rows.map(({ table, name, bound }) => ({ table, name, bound }));
}

/** Sequences that were used; the others begin anew anyhow. */
async function readSequences(client: ClientBase): Promise<BackupHeader["sequences"]> {
  const { rows } = await client.query<{ name: string; value: string }>(
    `select sequencename as name, last_value::text as value from pg_sequences
     where schemaname = current_schema() and last_value is not null order by 1`,
  );
  return rows;
}
