import { isId } from "@threadmill/core";
import type { Pool, PoolClient } from "pg";
import type { Place } from "../../lanes/port.ts";
import type { VersionRow, WorkflowRow } from "../tables.ts";

type Queryable = Pool | PoolClient;

/** A workflow by its id, or by its short name while it is live. */
export async function readWorkflow(
  db: Queryable,
  { lane, organization }: Place,
  name: string,
): Promise<WorkflowRow | null> {
  const where = isId(name) ? "id = $3::uuid" : "slug = $3 and archived_at is null";
  const { rows } = await db.query<WorkflowRow>(
    `select * from workflows where lane = $1 and organization = $2 and ${where}`,
    [lane, organization, name],
  );
  return rows[0] ?? null;
}

/** A version by its id. */
export async function readVersion(
  db: Queryable,
  { lane, organization }: Place,
  id: string,
): Promise<VersionRow | null> {
  const { rows } = await db.query<VersionRow>(
    "select * from workflow_versions where lane = $1 and organization = $2 and id = $3",
    [lane, organization, id],
  );
  return rows[0] ?? null;
}

/** The documents of a workflow that say where it acts: the draft, and what runs. */
export async function documentsOf(db: Queryable, place: Place, row: WorkflowRow): Promise<readonly unknown[]> {
  const version = row.published === null ? null : await readVersion(db, place, row.published);
  return version === null ? [row.draft] : [row.draft, version.document];
}

/** A version of a workflow by its number. */
export async function readNumbered(
  db: Queryable,
  { lane, organization }: Place,
  workflow: string,
  number: number,
): Promise<VersionRow | null> {
  const { rows } = await db.query<VersionRow>(
    "select * from workflow_versions where lane = $1 and organization = $2 and workflow = $3 and number = $4",
    [lane, organization, workflow, number],
  );
  return rows[0] ?? null;
}

/** Adds the next version of a workflow; the lane is held, so that numbers have no gaps. */
export async function insertVersion(tx: PoolClient, row: Omit<VersionRow, "number" | "due_from">): Promise<VersionRow> {
  const { rows } = await tx.query<VersionRow>(
    `insert into workflow_versions (lane, organization, id, workflow, number, document, hash, publisher, published_at, trigger_due_from)
select $1, $2, $3, $4, coalesce(max(number), 0) + 1, $5, $6, $7, $8, $9
from workflow_versions where lane = $1 and organization = $2 and workflow = $4 returning *`,
    [
      row.lane,
      row.organization,
      row.id,
      row.workflow,
      JSON.stringify(row.document),
      row.hash,
      row.publisher,
      row.published_at,
      JSON.stringify(row.trigger_due_from),
    ],
  );
  return rows[0] as VersionRow;
}

/** How many runs of a workflow wait in a version other than this one. */
export async function countWaiting(
  db: Queryable,
  { lane, organization }: Place,
  workflow: string,
  version: string,
): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    "select count(*) as count from runs where lane = $1 and organization = $2 and workflow = $3 and version <> $4 and status = 'waiting'",
    [lane, organization, workflow, version],
  );
  return rows[0]?.count ?? 0;
}

/** Some of the runs that `countWaiting` counts, after an id. */
export async function waitingRuns(
  db: Queryable,
  { lane, organization }: Place,
  {
    workflow,
    version,
    after,
    most,
  }: { readonly workflow: string; readonly version: string; readonly after: string | null; readonly most: number },
): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select id from runs where lane = $1 and organization = $2 and workflow = $3 and version <> $4 and status = 'waiting'
and ($5::uuid is null or id > $5) order by id limit $6`,
    [lane, organization, workflow, version, after, most],
  );
  return rows.map((row) => row.id);
}

/** Changes columns of a workflow; names come from our code. */
export async function updateWorkflow(
  tx: PoolClient,
  { lane, organization }: Place,
  id: string,
  columns: Partial<
    Pick<WorkflowRow, "name" | "draft" | "enabled" | "paused_reason" | "published" | "position" | "archived_at">
  >,
  at: string,
): Promise<WorkflowRow> {
  const entries = Object.entries({ ...columns, updated_at: at });
  const { rows } = await tx.query<WorkflowRow>(
    `update workflows set ${entries.map(([name], n) => `${name} = $${n + 4}`).join(", ")} where lane = $1 and organization = $2 and id = $3 returning *`,
    [lane, organization, id, ...entries.map(([name, value]) => (name === "draft" ? JSON.stringify(value) : value))],
  );
  return rows[0] as WorkflowRow;
}
