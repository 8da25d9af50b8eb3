import { type WorldTable, worldTables } from "./tables.ts";

/**
 * Set-based statements, one per table: `$1` is the lane, `$2` a JSON list of rows that carry their organization. JSON
 * because one native JSON.stringify and one parameter cost less than an array per column: see bench/README.md.
 */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

const recordset = (table: WorldTable): string => {
  const columns = Object.entries(table.columns).map(([name, type]) => `${quoted(name)} ${type}`);
  return `json_to_recordset($2::json) as r(organization uuid, ${columns.join(", ")})`;
};

const quoted = (name: string): string => `"${name}"`;

/** Rows of these are put without being read first, so one may stand there already. */
const putBlindly = new Set(["addresses", "timers", "loads", "presences"]);

function insertStatement(table: WorldTable): Statement {
  const names = Object.keys(table.columns).map(quoted);
  const others = names.filter((name) => name !== quoted(table.id));
  const again = `
on conflict (lane, organization, ${quoted(table.id)}) do update set ${others.map((name) => `${name} = excluded.${name}`).join(", ")}`;
  return {
    name: `insert_${table.name}`,
    text: `insert into ${table.name} (lane, organization, ${names.join(", ")})
select $1, r.organization, ${names.map((name) => `r.${name}`).join(", ")} from ${recordset(table)}${putBlindly.has(table.name) ? again : ""}`,
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
  "kind",
  "key",
  "payload",
]);

function updateStatement(table: WorldTable): Statement {
  const names = Object.keys(table.columns).filter((name) => !fixed.has(name) && name !== table.id);
  return {
    name: `update_${table.name}`,
    text: `update ${table.name} t set ${names.map((name) => `${quoted(name)} = r.${quoted(name)}`).join(", ")}
from ${recordset(table)}
where t.lane = $1 and t.organization = r.organization and t.${quoted(table.id)} = r.${quoted(table.id)}`,
  };
}

function deleteStatement(table: WorldTable): Statement {
  const type = (table.columns as Record<string, string>)[table.id];
  return {
    name: `delete_${table.name}`,
    text: `delete from ${table.name} t using json_to_recordset($2::json) as r(organization uuid, ${quoted(table.id)} ${type})
where t.lane = $1 and t.organization = r.organization and t.${quoted(table.id)} = r.${quoted(table.id)}`,
  };
}

/** The statements of each table, made once. */
export const write = Object.fromEntries(
  Object.values(worldTables).map((table) => [
    table.name,
    { insert: insertStatement(table), update: updateStatement(table), delete: deleteStatement(table) },
  ]),
) as Record<keyof typeof worldTables, { insert: Statement; update: Statement; delete: Statement }>;

/** Columns of a table for a select list, from an alias. */
export const columnsOf = (table: WorldTable, alias: string): string =>
  Object.keys(table.columns)
    .map((name) => `${alias}.${quoted(name)}`)
    .join(", ");

export const insertReceipts: Statement = {
  name: "insert_receipts",
  text: `insert into receipts (lane, organization, id, key, answer, at)
select $1, r.organization, r.id, r.key, r.answer, r.at
from json_to_recordset($2::json) as r(organization uuid, id uuid, key text, answer json, at timestamptz)`,
};

export const insertLog: Statement = {
  name: "insert_log",
  text: `insert into log (lane, seq, at, organization, root, customer, count, events)
select $1, r.seq, r.at, r.organization, r.root, r.customer, r.count, r.events
from json_to_recordset($2::json)
  as r(seq bigint, at timestamptz, organization uuid, root text, customer uuid, count integer, events json)`,
};

export const insertParked: Statement = {
  name: "insert_parked",
  text: `insert into parked (lane, organization, id, item, error, at)
select $1, r.organization, r.id, r.item, r.error, r.at
from json_to_recordset($2::json) as r(organization uuid, id uuid, item jsonb, error jsonb, at timestamptz)
on conflict do nothing`,
};
