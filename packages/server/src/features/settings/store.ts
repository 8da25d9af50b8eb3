import { refuse, type Refusal } from "@threadmill/core";
import type { Pool, PoolClient } from "pg";
import type { Place } from "../../lanes/port.ts";
import type { Resource, Row } from "./resource.ts";

// Names of tables and columns come from the resources, never from a request.

/** Which rows of a resource are listed. */
export interface RowsAsked {
  readonly archived: boolean;
  readonly after: string | undefined;
  readonly most: number;
  /** only these; where it is given, more may have to be read */
  readonly fits?: (row: Row) => boolean;
}

/** Rows of a resource by id; archived ones only when asked for. */
export async function listRows(
  db: Pool,
  { plural }: Resource,
  { lane, organization }: Place,
  { archived, after, most, fits = () => true }: RowsAsked,
): Promise<Row[]> {
  const found: Row[] = [];
  for (let from = after ?? null; ;) {
    const { rows }: { rows: Row[] } = await db.query<Row>(
      `select * from ${plural} where lane = $1 and organization = $2 and ($3 or archived_at is null) and ($4::uuid is null or id > $4) order by id limit $5`,
      [lane, organization, archived, from, most],
    );
    found.push(...rows.filter(fits));
    const last = rows.at(-1);
    if (last === undefined || rows.length < most || found.length >= most) return found.slice(0, most);
    from = last.id;
  }
}

/** One row by id, archived or not. */
export async function readRow(
  db: Pool | PoolClient,
  { plural }: Resource,
  { lane, organization }: Place,
  id: string,
): Promise<Row | null> {
  const { rows } = await db.query<Row>(`select * from ${plural} where lane = $1 and organization = $2 and id = $3`, [
    lane,
    organization,
    id,
  ]);
  return rows[0] ?? null;
}

/** Writes a new row. */
export async function insertRow(
  tx: PoolClient,
  resource: Resource,
  { lane, organization }: Place,
  row: Row,
  at: string,
): Promise<Row> {
  const all: Readonly<Record<string, unknown>> = { lane, organization, ...row, created_at: at };
  const names = Object.keys(all);
  const { rows } = await tx.query<Row>(
    `insert into ${resource.plural} (${names.map(quoted).join(", ")}) values (${names.map((_, n) => `$${n + 1}`).join(", ")}) returning *`,
    names.map((name) => parameter(resource, name, all[name])),
  );
  return rows[0] as Row;
}

/** Writes changed columns of a row. */
export async function updateRow(
  tx: PoolClient,
  resource: Resource,
  { lane, organization }: Place,
  id: string,
  columns: Readonly<Record<string, unknown>>,
): Promise<Row> {
  const names = Object.keys(columns);
  const { rows } = await tx.query<Row>(
    `update ${resource.plural} set ${names.map((name, n) => `${quoted(name)} = $${n + 4}`).join(", ")} where lane = $1 and organization = $2 and id = $3 returning *`,
    [lane, organization, id, ...names.map((name) => parameter(resource, name, columns[name]))],
  );
  return rows[0] as Row;
}

/** The refusal of a row that would be the second live one of its name. */
export async function uniqueProblem(
  tx: PoolClient,
  { plural, unique, noun }: Resource,
  { lane, organization }: Place,
  row: Row,
): Promise<Refusal | null> {
  const last = unique.at(-1);
  if (last === undefined || row[last] === null || row[last] === undefined || row.archived_at !== null) return null;
  const { rows } = await tx.query(
    `select 1 from ${plural} where lane = $1 and organization = $2 and archived_at is null and id <> $3 and ${unique
      .map((name, n) => `lower(${name}) = lower($${n + 4})`)
      .join(" and ")}`,
    [lane, organization, row.id, ...unique.map((name) => row[name])],
  );
  return rows.length === 0 ? null : refuse("conflict", `${last}_taken`, `Another ${noun} has this ${last}`, `/${last}`);
}

/** A column may be named as a word of SQL. */
const quoted = (name: string): string => `"${name}"`;

const parameter = ({ json }: Resource, name: string, value: unknown): unknown =>
  json.includes(name) && value !== null ? JSON.stringify(value) : value;
