import type { ClientBase } from "pg";
import { DatabaseFault } from "./fault.ts";
import { quoteName } from "./partitions.ts";

/** How a table or partition is stored: what decides how fast it is and how it grows, and nothing about its rows. */
export interface RelationStorage {
  readonly name: string;
  /** `fillfactor=85`, `autovacuum_vacuum_scale_factor=0.01` ... */
  readonly options: readonly string[];
  /** the same of its TOAST table */
  readonly toast: readonly string[];
  readonly columns: readonly ColumnStorage[];
}

/** How a column is stored, in the catalog's own letters. */
export interface ColumnStorage {
  readonly name: string;
  /** p, e, m or x */
  readonly storage: string;
  /** p, l, or empty for the server's default */
  readonly compression: string;
  /** the statistics target; null for the server's default */
  readonly statistics: number | null;
  /** `n_distinct=...` */
  readonly options: readonly string[];
}

/** Reads how every table and partition of the current schema is stored. */
export async function readStorage(client: ClientBase): Promise<RelationStorage[]> {
  const { rows } = await client.query<RelationStorage>(
    `select c.relname as name, coalesce(to_json(c.reloptions), '[]') as options, coalesce(to_json(t.reloptions), '[]') as toast,
       (select json_agg(json_build_object('name', a.attname, 'storage', a.attstorage, 'compression', a.attcompression,
          'statistics', nullif(a.attstattarget, -1), 'options', coalesce(to_json(a.attoptions), '[]')) order by a.attnum)
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
     from pg_class c left join pg_class t on t.oid = c.reltoastrelid
     where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') order by c.relname`,
  );
  return rows;
}

const storages: Readonly<Record<string, string>> = { p: "plain", e: "external", m: "main", x: "extended" };
const compressions: Readonly<Record<string, string>> = { p: "pglz", l: "lz4", "": "default" };

/**
 * Makes every table that is there stored as told, and tells what this server would not take: it may be of another version,
 * or built without a way of compressing. That costs speed and no rows, so it stops nothing.
 */
export async function applyStorage(client: ClientBase, wanted: readonly RelationStorage[]): Promise<string[]> {
  const present = new Map((await readStorage(client)).map((each) => [each.name, each]));
  const refused: string[] = [];
  for (const relation of wanted) {
    const now = present.get(relation.name);
    if (now === undefined) continue;
    for (const change of changes(now, relation)) {
      await client.query("savepoint storage");
      try {
        await client.query(`alter table ${quoteName(relation.name)} ${change}`);
        await client.query("release savepoint storage");
      } catch (error) {
        await client.query("rollback to savepoint storage");
        refused.push(`${relation.name}: ${change} (${error instanceof Error ? error.message : String(error)})`);
      }
    }
  }
  return refused;
}

function changes(now: RelationStorage, wanted: RelationStorage): string[] {
  const found = [
    ...optionChanges(now.options, wanted.options, ""),
    ...optionChanges(now.toast, wanted.toast, "toast."),
  ];
  const columns = new Map(now.columns.map((each) => [each.name, each]));
  for (const column of wanted.columns) {
    const before = columns.get(column.name);
    if (before === undefined) continue;
    const alter = `alter column ${quoteName(column.name)}`;
    if (before.storage !== column.storage) found.push(`${alter} set storage ${word(storages, column.storage)}`);
    if (before.compression !== column.compression)
      found.push(`${alter} set compression ${word(compressions, column.compression)}`);
    if (before.statistics !== column.statistics)
      found.push(`${alter} set statistics ${checkTarget(column.statistics ?? -1)}`);
    found.push(...optionChanges(before.options, column.options, "").map((change) => `${alter} ${change}`));
  }
  return found;
}

/** What has another value is set, and what is not there is taken back. */
function optionChanges(now: readonly string[], wanted: readonly string[], prefix: string): string[] {
  const set = wanted.filter((option) => !now.includes(option)).map((option) => `set (${prefix}${checkOption(option)})`);
  const names = new Set(wanted.map(nameOf));
  const gone = now.map(nameOf).filter((name) => !names.has(name));
  return [...set, ...gone.map((name) => `reset (${prefix}${name})`)];
}

const nameOf = (option: string): string => option.slice(0, option.indexOf("="));

/** These words come from a file: none may end its statement. */
function checkOption(option: string): string {
  if (/^[a-z_]+=[a-z0-9_.+-]+$/i.test(option)) return option;
  throw new DatabaseFault("backup_not_supported", `The backup has a table with the option ${option}.`);
}

function checkTarget(target: number): number {
  if (Number.isInteger(target)) return target;
  throw new DatabaseFault("backup_not_supported", `The backup has a column with the statistics target ${target}.`);
}

function word(words: Readonly<Record<string, string>>, letter: string): string {
  const found = Object.hasOwn(words, letter) ? words[letter] : undefined;
  if (found !== undefined) return found;
  throw new DatabaseFault("backup_not_supported", `The backup has a column stored as ${letter}.`);
}
