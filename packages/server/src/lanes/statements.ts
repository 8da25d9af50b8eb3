import type { Event } from "@threadmill/core";
import { writeEvents } from "./log-format.ts";
import { type RowsInCopy, rowsInCopy, type RowsInJson, rowsInJson, type Shortened } from "./row-text.ts";
import { shortRun } from "./run-format.ts";
import { type WorldTable, worldTables } from "./tables.ts";

/**
 * Set-based statements, one per table: `$1` is a JSON list of rows that carry their lane and organization. JSON
 * because one native JSON.stringify and one parameter cost less than an array per column: see bench/README.md.
 */
export interface Statement {
  readonly name: string;
  readonly text: string;
  /** `$1` */
  readonly json: RowsInJson;
  /**
   * The same for many rows: COPY parses no JSON and writes a page of rows as one record of the write-ahead log. A message's row
   * costs PostgreSQL 10 us instead of 17, a finished run's 15 instead of 20.
   */
  readonly copy?: { readonly table: string; readonly rows: RowsInCopy };
}

/** What an insert needs to know of a table. */
type Insertable = Pick<WorldTable, "name" | "columns">;

const recordset = ({ columns }: Pick<WorldTable, "columns">): string => {
  const typed = Object.entries(columns).map(([name, type]) => `${quoted(name)} ${type}`);
  return `json_to_recordset($1::json) as r(lane smallint, organization uuid, ${typed.join(", ")})`;
};

const quoted = (name: string): string => `"${name}"`;

function insertText(table: Insertable): string {
  const names = Object.keys(table.columns).map(quoted);
  return `insert into ${table.name} (lane, organization, ${names.join(", ")})
select r.lane, r.organization, ${names.map((name) => `r.${name}`).join(", ")} from ${recordset(table)}`;
}

/** The statement that takes what a `RowsInCopy` wrote; columns that it does not name are null. */
export const copyInto = (table: string, columns: readonly string[]): string =>
  `copy ${table} (lane, organization, ${columns.map(quoted).join(", ")}) from stdin`;

/** Rows that are known not to be there. */
function insertStatement(table: Insertable, shortened?: Shortened): Statement {
  return {
    name: `insert_${table.name}`,
    text: insertText(table),
    json: rowsInJson(table.columns, shortened),
    copy: { table: table.name, rows: rowsInCopy(table.columns, shortened) },
  };
}

/** Rows that were never read, so one may stand there already. */
function putStatement(table: WorldTable): Statement {
  const others = Object.keys(table.columns).filter((name) => name !== table.id);
  return {
    name: `put_${table.name}`,
    text: `${insertText(table)}
on conflict (lane, organization, ${quoted(table.id)}) do update set ${others.map((name) => `${quoted(name)} = excluded.${quoted(name)}`).join(", ")}`,
    json: rowsInJson(table.columns),
  };
}

/** Fields that are fixed when a row is made need not be set again. */
const fixed = new Set([
  "id",
  "seq",
  "ordinal",
  "created_at",
  "root",
  "workflow",
  "version",
  "trigger",
  "actor",
  "started_by",
  "kind",
  "key",
  "payload",
]);

function updateStatement(table: WorldTable, title = table.name): Statement {
  const names = Object.keys(table.columns).filter((name) => !fixed.has(name) && name !== table.id);
  return {
    name: `update_${title}`,
    text: `update ${table.name} t set ${names.map((name) => `${quoted(name)} = r.${quoted(name)}`).join(", ")}
from ${recordset(table)}
where t.lane = r.lane and t.organization = r.organization and t.${quoted(table.id)} = r.${quoted(table.id)}`,
    json: rowsInJson(table.columns),
  };
}

function deleteStatement(table: WorldTable): Statement {
  const columns = { [table.id]: (table.columns as Record<string, string>)[table.id] as string };
  return {
    name: `delete_${table.name}`,
    text: `delete from ${table.name} t using ${recordset({ columns })}
where t.lane = r.lane and t.organization = r.organization and t.${quoted(table.id)} = r.${quoted(table.id)}`,
    json: rowsInJson(columns),
  };
}

/** The statements of each table, made once. */
export const write = Object.fromEntries(
  Object.values(worldTables).map((table) => [
    table.name,
    {
      insert: insertStatement(table, table.name === "runs_history" ? shortRun : undefined),
      put: putStatement(table),
      update: updateStatement(table),
      delete: deleteStatement(table),
    },
  ]),
) as Record<keyof typeof worldTables, Record<"insert" | "put" | "update" | "delete", Statement>>;

/** What only the shell gives and reads: a row must look to the mill as it did before it was written (MILL law 1). */
const unseen = new Set(["seq", "ordinal"]);

/** Columns of a table for a select list, from an alias, as the mill sees them. */
export const columnsOf = (table: WorldTable, alias: string): string =>
  Object.keys(table.columns)
    .filter((name) => !unseen.has(name))
    .map((name) => `${alias}.${quoted(name)}`)
    .join(", ");

type Values = Readonly<Record<string, unknown>>;

/** An update of a few columns, for rows of which nothing else changed: what they say stays at home. */
interface Narrow {
  readonly statement: Statement;
  /** whether only these columns changed */
  readonly fits: (base: Values, row: Values) => boolean;
}

function narrow(table: WorldTable, title: string, names: readonly string[]): Narrow {
  const columns = Object.entries(table.columns).filter(([name]) => names.includes(name));
  const others = Object.keys(table.columns).filter((name) => !names.includes(name));
  return {
    statement: updateStatement({ ...table, columns: Object.fromEntries(columns) }, title),
    // a row that changed shares with the one before what did not
    fits: (base, row) => others.every((name) => base[name] === row[name]),
  };
}

/** What changes most often: how far a message has come; and of a customer who wrote, or was written to, the counts. */
export const narrowUpdates: { readonly [table in keyof typeof worldTables]?: Narrow } = {
  messages: narrow(worldTables.messages, "deliveries", [
    "id",
    "delivery",
    "delivery_error",
    "provider_id",
    "updated_at",
  ]),
  customers: narrow(worldTables.customers, "counts", [
    "id",
    "state",
    "open_conversations",
    "unreplied_conversations",
    "updated_at",
    "wake_at",
    "fired",
    "guards",
  ]),
};

const effectNames = Object.keys(worldTables.effects.columns).map(quoted);

/**
 * New effects that are held from birth, but only if none of their order key goes before them; then they are written as
 * nobody's, and come no sooner than that one does. Gives the id of each and whether it is held (`first`).
 */
export const insertEffectsIfFirst: Statement = {
  name: "insert_effects_if_first",
  text: `insert into effects (lane, organization, ${effectNames.join(", ")})
select r.lane, r.organization, ${effectNames
    .map((name) => {
      if (name === quoted("attempt")) return "case when ahead.due_at is null then r.attempt else 0 end";
      if (name === quoted("lease_until")) return "case when ahead.due_at is null then r.lease_until end";
      return name === quoted("due_at") ? "greatest(r.due_at, ahead.due_at)" : `r.${name}`;
    })
    .join(", ")}
from ${recordset(worldTables.effects)} left join lateral (
  select o.due_at from effects o
  where o.lane = r.lane and o.organization = r.organization and o.order_key = r.order_key and o.status <> 'dead'
    and (o.created_at, o.ordinal) < (r.created_at, r.ordinal)
  order by o.created_at, o.ordinal limit 1) ahead on true
returning id, lease_until is not null as first`,
  json: rowsInJson(worldTables.effects.columns),
};

export const insertReceipts = insertStatement({
  name: "receipts",
  columns: { id: "uuid", key: "text", fingerprint: "text", answer: "json", at: "timestamptz" },
});

export const insertLog = insertStatement(
  {
    name: "log",
    columns: { seq: "bigint", at: "timestamptz", root: "text", customer: "uuid", count: "integer", events: "json" },
  },
  { events: (words, row) => writeEvents(words, row["events"] as readonly Event[]) },
);

const parked: Insertable = {
  name: "parked",
  columns: { id: "uuid", item: "jsonb", error: "jsonb", at: "timestamptz" },
};

export const insertParked: Statement = {
  name: "insert_parked",
  text: `${insertText(parked)}
on conflict do nothing`,
  json: rowsInJson(parked.columns),
};
