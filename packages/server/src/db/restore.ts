import { once } from "node:events";
import { finished } from "node:stream/promises";
import type { ClientBase, Pool } from "pg";
import { from as copyFrom } from "pg-copy-streams";
import {
  type BackupHeader,
  type BackupManifest,
  MANIFEST,
  type Member,
  type TableShape,
  damaged,
  parseHeader,
  readMembers,
} from "./backup-format.ts";
import { DatabaseFault } from "./fault.ts";
import { type Migration, checkHistory, migrateWithin, readMigrations } from "./migrate.ts";
import { quoteName } from "./partitions.ts";
import { applyStorage } from "./storage.ts";
import { allowLongTransaction, transaction } from "./transaction.ts";

/** What to restore, and where. */
export interface RestoreOptions {
  /** A pool on an empty database. */
  readonly pool: Pool;
  /** The backup file. */
  readonly path: string;
  /** The program's migrations. */
  readonly migrations: string;
}

/** What a restore brought back. */
export interface Restored {
  readonly header: BackupHeader;
  readonly rows: Readonly<Record<string, number>>;
  /** How tables were stored and this server would not have it: slower perhaps, but nothing is missing. */
  readonly refused: readonly string[];
  /** The other files of the installation, by name; the caller puts them in their places. */
  readonly files: ReadonlyMap<string, Buffer>;
}

/**
 * Restores a backup into an empty database: the schema as it was then, the rows, then the migrations made since. All of
 * it is one transaction, so that any failure leaves the database as empty as it was. Throws `database_not_empty`,
 * `backup_damaged`, `schema_newer` and the other faults of migrations.
 */
export async function restore({ pool, path, migrations: folder }: RestoreOptions): Promise<Restored> {
  const migrations = await readMigrations(folder);
  const restored = await transaction(pool, (client) => restoreWithin(client, path, migrations));
  // rows that came by COPY have no statistics, and the planner should not have to wait for autovacuum
  await pool.query("analyze");
  return restored;
}

async function restoreWithin(client: ClientBase, path: string, migrations: readonly Migration[]): Promise<Restored> {
  await refuseFilled(client);
  await client.query("set local timezone = 'UTC'; set local datestyle = 'ISO'");
  await allowLongTransaction(client);
  const members = readMembers(path);
  const header = parseHeader(path, (await members.next()).value as Member | undefined);
  checkHistory(header.migrations, migrations, "backup");
  await prepareSchema(client, header, migrations);
  // before the rows: how they are compressed and packed is decided as they come
  const refused = await applyStorage(client, header.storage ?? []);
  const loaded = await loadMembers(client, path, header, members);
  for (const { name, value } of header.sequences)
    await client.query("select setval($1::regclass, $2)", [quoteName(name), value]);
  // checks that wait for the commit would stand in the way of the next migrations
  await client.query("set constraints all immediate");
  await migrateWithin(client, migrations);
  return { header, refused, ...loaded };
}

async function refuseFilled(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
       and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
     order by 1 limit 1`,
  );
  if (rows[0] === undefined) return;
  throw new DatabaseFault(
    "database_not_empty",
    `A backup is restored into an empty database only, and this one holds ${rows[0].name}. Give it a new database or data directory.`,
  );
}

/** The schema of the backup's time, without the rows that migrations put there, with the partitions it had then. */
async function prepareSchema(
  client: ClientBase,
  header: BackupHeader,
  migrations: readonly Migration[],
): Promise<void> {
  // a backup of a database without any migration has none to run, not all
  await migrateWithin(client, migrations, header.migrations.at(-1)?.name ?? "");
  if (header.tables.length === 0) return;
  await client.query(`truncate ${header.tables.map(({ name }) => quoteName(name)).join(", ")}`);
  const made = await client.query<{ name: string }>(
    `select c.relname as name from pg_class c
     where c.relispartition and c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace`,
  );
  // a migration may have made partitions for today, whose bounds need not fit those of the backup's day
  for (const { name } of made.rows) await client.query(`drop table ${quoteName(name)}`);
  for (const { table, name, bound } of header.partitions) {
    await client.query(`create table ${quoteName(name)} partition of ${quoteName(table)} ${checkBound(bound)}`);
  }
}

/** The one piece of SQL that comes from the file: it must not be able to end its statement. */
function checkBound(bound: string): string {
  if (/^(DEFAULT|FOR VALUES \w[^;]*)$/.test(bound) && !/--|\/\*/.test(bound)) return bound;
  throw new DatabaseFault("backup_not_supported", `The backup has a partition with the bound ${bound}.`);
}

async function loadMembers(client: ClientBase, path: string, header: BackupHeader, members: AsyncGenerator<Member>) {
  const tables = new Map(header.tables.map((table) => [table.name, table]));
  const rows: Record<string, number> = Object.fromEntries(header.tables.map(({ name }) => [name, 0]));
  const files = new Map<string, Buffer>();
  const seen: string[] = [];
  let manifest: BackupManifest | undefined;
  let load: TableLoad | undefined;
  const close = async () => {
    if (load !== undefined) rows[load.table] = await load.end();
    load = undefined;
  };
  try {
    for await (const member of members) {
      const [kind, name = "", ...rest] = member.name.split("/");
      if (kind === "tables") {
        if (load?.table !== name) {
          await close();
          const table = tables.get(name);
          if (table === undefined) throw damaged(path, `it has rows of ${name}, which its header does not know`);
          load = startLoad(client, table);
        }
        await load.write(member.content);
      } else if (kind === "files") files.set([name, ...rest].join("/"), member.content);
      else if (member.name === MANIFEST) manifest = JSON.parse(member.content.toString("utf8")) as BackupManifest;
      if (member.name !== MANIFEST) seen.push(`${member.name} ${member.sha256}`);
    }
    await close();
  } catch (error) {
    load?.abort();
    throw error;
  }
  checkWhole(path, manifest, seen, rows);
  return { rows, files };
}

function checkWhole(
  path: string,
  manifest: BackupManifest | undefined,
  seen: readonly string[],
  rows: Record<string, number>,
): void {
  if (manifest === undefined) throw damaged(path, "its end is missing");
  // the header was read before; its hash was checked with it
  const listed = manifest.members.slice(1).map(({ name, sha256 }) => `${name} ${sha256}`);
  if (listed.join("\n") !== seen.join("\n")) throw damaged(path, "its members are not those of its manifest");
  for (const [table, count] of Object.entries(manifest.rows)) {
    if (rows[table] !== count) throw damaged(path, `${table} should have ${count} rows and got ${rows[table] ?? 0}`);
  }
}

interface TableLoad {
  readonly table: string;
  write(content: Buffer): Promise<void>;
  /** Ends the COPY and tells how many rows it took. */
  end(): Promise<number>;
  /** Breaks the COPY off, without which the connection would wait for its rest. */
  abort(): void;
}

function startLoad(client: ClientBase, { name, columns }: TableShape): TableLoad {
  const stream = client.query(copyFrom(`copy ${quoteName(name)} (${columns.map(quoteName).join(", ")}) from stdin`));
  const done = finished(stream);
  // reported by whoever awaits next
  done.catch(() => {});
  return {
    table: name,
    async write(content) {
      if (!stream.write(content)) await Promise.race([once(stream, "drain"), done]);
    },
    async end() {
      stream.end();
      await done;
      return stream.rowCount;
    },
    abort() {
      stream.destroy();
    },
  };
}
