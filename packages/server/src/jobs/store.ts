import type { Actor, Json } from "@threadmill/core";
import type { Pool, PoolClient } from "pg";
import type { ScopedKey } from "../http/idempotency.ts";
import type { Place } from "../lanes/port.ts";
import type { ItemRefused } from "./kind.ts";
import { type JobRow, type JobState, liveStates } from "./row.ts";

const columns = `id, lane, organization, kind, parameters, actor, state, cursor, slice, slice_at, total, done, refused,
  result, failure, failures, created_at, started_at, finished_at`;

/** A job that is over stays to be looked at for so long. */
const keptDays = 30;
/** How long a process has a job to itself before others take it for dead; it says more often that it lives. */
export const leaseSeconds = 60;
/** A job to be made. */
export interface NewJob {
  readonly id: string;
  readonly kind: string;
  readonly parameters: unknown;
  readonly actor: Actor;
  readonly total: number | null;
  readonly key: ScopedKey | null;
}

/** What making a job came to: with a key that was used before, the job that was made then, or that it was for another. */
export type Made = { readonly row: JobRow; readonly repeated: boolean } | "key_reused";

/** Writes a new job. */
export async function insertJob(
  client: Pool | PoolClient,
  { lane, organization }: Place,
  { id, kind, parameters, actor, total, key }: NewJob,
): Promise<Made> {
  const made = await client.query<JobRow>(
    `insert into directory_jobs (id, lane, organization, kind, parameters, actor, total, key, fingerprint)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (organization, key) where key is not null do nothing returning ${columns}`,
    [
      id,
      lane,
      organization,
      kind,
      JSON.stringify(parameters),
      JSON.stringify(actor),
      total,
      key?.key ?? null,
      key?.fingerprint ?? null,
    ],
  );
  if (made.rows[0] !== undefined) return { row: made.rows[0], repeated: false };
  const { rows } = await client.query<JobRow & { fingerprint: string }>(
    `select ${columns}, fingerprint from directory_jobs where organization = $1 and key = $2`,
    [organization, key?.key],
  );
  const [known] = rows;
  if (known === undefined) throw new Error("The job of this key vanished just now");
  return known.fingerprint === key?.fingerprint ? { row: known, repeated: true } : "key_reused";
}

/** How many jobs of an organization are not over. */
export async function countLive(client: Pool | PoolClient, organization: string): Promise<number> {
  const { rows } = await client.query<{ n: number }>(
    "select count(*)::int as n from directory_jobs where organization = $1 and state = any($2)",
    [organization, liveStates],
  );
  return rows[0]?.n ?? 0;
}

/** Reads a job of an organization. */
export async function readJob(client: Pool | PoolClient, organization: string, id: string): Promise<JobRow | null> {
  const { rows } = await client.query<JobRow>(
    `select ${columns} from directory_jobs where organization = $1 and id = $2`,
    [organization, id],
  );
  return rows[0] ?? null;
}

/** Which jobs are listed. */
export interface JobsWanted {
  /** those that this user asked for; null: everybody's */
  readonly user: string | null;
  readonly kind?: string | undefined;
  readonly state?: JobState | undefined;
  readonly before?: string | undefined;
  readonly most: number;
}

/** Lists jobs, newest first. */
export async function listJobs(pool: Pool, organization: string, wanted: JobsWanted): Promise<JobRow[]> {
  const { rows } = await pool.query<JobRow>(
    `select ${columns.replace("parameters", "null as parameters").replace("slice,", "null as slice,")} from directory_jobs
where organization = $1 and ($2::text is null or actor ->> 'id' = $2) and ($3::text is null or kind = $3)
  and ($4::text is null or state = $4) and ($5::uuid is null or id < $5) order by id desc limit $6`,
    [organization, wanted.user, wanted.kind ?? null, wanted.state ?? null, wanted.before ?? null, wanted.most],
  );
  return rows;
}

/** Sets the state of a job that is in one of some states; null when it is not. */
export async function setState(
  client: Pool | PoolClient,
  organization: string,
  id: string,
  state: "paused" | "cancelled" | "waiting",
  from: readonly JobState[],
): Promise<JobRow | null> {
  const { rows } = await client.query<JobRow>(
    `update directory_jobs set state = $3, due_at = clock_timestamp(), failures = 0,
  failure = case when $3 = 'waiting' then null else failure end,
  finished_at = case when $3 = 'cancelled' then clock_timestamp() end,
  expires_at = case when $3 = 'cancelled' then clock_timestamp() + make_interval(days => ${keptDays}) end
where organization = $1 and id = $2 and state = any($4) returning ${columns}`,
    [organization, id, state, from],
  );
  return rows[0] ?? null;
}

/** Takes the job that has waited longest for a turn, for a holder of its own; null when none waits. */
export async function claimJob(pool: Pool, holder: string): Promise<JobRow | null> {
  const { rows } = await pool.query<JobRow>({
    name: "claim_job",
    text: `update directory_jobs j set holder = $1, lease_until = clock_timestamp() + make_interval(secs => ${leaseSeconds}),
  state = 'running', started_at = coalesce(started_at, clock_timestamp())
from (select id from directory_jobs where state in ('waiting', 'running') and due_at <= clock_timestamp()
  and (lease_until is null or lease_until <= clock_timestamp()) order by due_at limit 1 for update skip locked) f
where j.id = f.id returning ${columns
      .split(",")
      .map((column) => `j.${column.trim()}`)
      .join(", ")}`,
    values: [holder],
  });
  return rows[0] ?? null;
}

/** Says that the holder lives. Answers the state; null when another has the job. */
export async function renewJob(pool: Pool, id: string, holder: string): Promise<JobState | null> {
  const { rows } = await pool.query<{ state: JobState }>({
    name: "renew_job",
    text: `update directory_jobs set lease_until = clock_timestamp() + make_interval(secs => ${leaseSeconds})
where id = $1 and holder = $2 returning state`,
    values: [id, holder],
  });
  return rows[0]?.state ?? null;
}

/** Keeps what a slice is going to do, before anything of it is done. Answers the state; null when another has the job. */
export async function beginSlice(
  pool: Pool,
  id: string,
  holder: string,
  slice: Json,
  total: number | null,
): Promise<JobState | null> {
  const { rows } = await pool.query<{ state: JobState }>({
    name: "begin_slice",
    text: `update directory_jobs set slice = $3, slice_at = clock_timestamp(), total = coalesce($4, total),
  lease_until = clock_timestamp() + make_interval(secs => ${leaseSeconds})
where id = $1 and holder = $2 returning state`,
    values: [id, holder, JSON.stringify(slice), total],
  });
  return rows[0]?.state ?? null;
}

/** What a slice came to. */
export interface SliceEnd {
  readonly cursor: Json;
  readonly done: number;
  readonly refused: readonly ItemRefused[];
}

/**
 * Moves the cursor behind a slice and counts it, within the transaction open on `tx`; null when another has the job by
 * now, which counts it then. Of refusals beyond `kept` only the number is kept.
 */
export async function endSlice(
  tx: PoolClient,
  { id, lane, organization }: Pick<JobRow, "id" | "lane" | "organization">,
  holder: string,
  { cursor, done, refused }: SliceEnd,
  kept: number,
): Promise<Pick<JobRow, "state" | "done" | "refused" | "total"> | null> {
  const { rows } = await tx.query<Pick<JobRow, "state" | "done" | "refused" | "total">>({
    name: "end_slice",
    text: `update directory_jobs set cursor = $3, slice = null, slice_at = null, done = done + $4, refused = refused + $5,
  failures = 0, lease_until = clock_timestamp() + make_interval(secs => ${leaseSeconds})
where id = $1 and holder = $2 returning state, done, refused, total`,
    values: [id, holder, JSON.stringify(cursor), done, refused.length],
  });
  const [row] = rows;
  if (row === undefined) return null;
  const before = row.refused - refused.length;
  const room = refused.slice(0, Math.max(0, kept - before));
  if (room.length > 0)
    await tx.query(
      `insert into job_refusals (lane, organization, job, number, item, code, message, path, detail)
select $1, $2, $3, $4 + r.number, r.item, r.code, r.message, r.path, r.detail
from jsonb_to_recordset($5::jsonb) as r(number bigint, item text, code text, message text, path text, detail jsonb)`,
      [lane, organization, id, before, JSON.stringify(room.map((each, n) => ({ ...each, number: n + 1 })))],
    );
  return row;
}

/** Lets go of a job for its next turn, or for somebody else: at once, or after a while. */
export async function releaseJob(pool: Pool, id: string, holder: string, afterMs: number): Promise<void> {
  await pool.query(
    `update directory_jobs set holder = null, lease_until = null, due_at = clock_timestamp() + make_interval(secs => $3),
  state = case when state = 'running' then 'waiting' else state end where id = $1 and holder = $2`,
    [id, holder, afterMs / 1000],
  );
}

/** Notes a fault and lets go; answers how many there were in a row. */
export async function noteFault(pool: Pool, id: string, holder: string): Promise<number> {
  const { rows } = await pool.query<{ failures: number }>(
    "update directory_jobs set failures = failures + 1 where id = $1 and holder = $2 returning failures",
    [id, holder],
  );
  return rows[0]?.failures ?? 0;
}

/** Ends a job, unless somebody else has it or has paused or cancelled it. */
export async function endJob(
  client: Pool | PoolClient,
  id: string,
  holder: string,
  end:
    | { readonly state: "done"; readonly result: JobRow["result"] }
    | { readonly state: "failed"; readonly failure: JobRow["failure"] },
): Promise<boolean> {
  const { rowCount } = await client.query(
    `update directory_jobs set state = $3, result = $4, failure = $5, holder = null, lease_until = null,
  finished_at = clock_timestamp(), expires_at = clock_timestamp() + make_interval(days => ${keptDays})
where id = $1 and holder = $2 and state = 'running'`,
    [
      id,
      holder,
      end.state,
      "result" in end ? JSON.stringify(end.result) : null,
      "failure" in end ? JSON.stringify(end.failure) : null,
    ],
  );
  return rowCount === 1;
}

/** What of a job was refused, as it is shown. */
export interface RefusalRow {
  readonly number: number;
  readonly item: string;
  readonly code: string;
  readonly message: string;
  readonly path: string | null;
  readonly detail: Json;
}

/** The refusals of a job behind a number. */
export async function listRefusals(
  pool: Pool,
  { lane, organization }: Place,
  job: string,
  after: number,
  most: number,
): Promise<RefusalRow[]> {
  const { rows } = await pool.query<RefusalRow>(
    `select number, item, code, message, path, detail from job_refusals
where lane = $1 and organization = $2 and job = $3 and number > $4 order by number limit $5`,
    [lane, organization, job, after, most],
  );
  return rows;
}

/** Removes jobs that are over for long, each with all that belongs to it. Answers how many. */
export async function removeExpiredJobs(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ id: string; lane: number; organization: string }>(
    "select id, lane, organization from directory_jobs where expires_at <= clock_timestamp() order by expires_at limit 100",
  );
  for (const { id, lane, organization } of rows) {
    await pool.query("delete from job_refusals where lane = $1 and organization = $2 and job = $3", [
      lane,
      organization,
      id,
    ]);
    await pool.query(
      "update job_files set expires_at = clock_timestamp() where lane = $1 and organization = $2 and job = $3",
      [lane, organization, id],
    );
    await pool.query("delete from directory_jobs where id = $1", [id]);
  }
  return rows.length;
}
