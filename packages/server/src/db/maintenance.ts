import type { Pool, PoolClient } from "pg";
import { dropPartitions, ensurePartitions, type PartitionUnit } from "./partitions.ts";

/** How long each partitioned table keeps its rows, and in what pieces. */
interface Kept {
  readonly table: string;
  readonly unit: PartitionUnit;
  readonly ahead: number;
  readonly days: number;
}

const dayMs = 86_400_000;
/** A client's idempotency key is good for a day; a day more covers those that straddle midnight. */
const receiptDays = 2;
/**
 * What a job has begun and not finished is taken up again within so many days, or never: the receipts that tell what of it
 * is done are kept for as long.
 */
export const sliceDays = 7;

const tables = (keep: { readonly eventsDays: number; readonly runsDays: number }): readonly Kept[] => [
  { table: "log", unit: "month", ahead: 2, days: keep.eventsDays },
  { table: "runs_history", unit: "month", ahead: 2, days: keep.runsDays },
  { table: "receipts", unit: "day", ahead: 3, days: receiptDays },
];

/**
 * Makes the partitions that the next weeks need and drops those that are past their time. Before log partitions go, each
 * lane remembers how far their sequence numbers went, so that numbering goes on where the log is empty.
 */
export async function maintain(
  pool: Pool,
  keep: { readonly eventsDays: number; readonly runsDays: number },
  now: string,
): Promise<void> {
  const client = await pool.connect();
  try {
    for (const { table, unit, ahead, days } of tables(keep)) {
      // a few days back as well: the database's clock may be behind ours, and an instant never runs back in a lane
      const since = new Date(Date.parse(now) - dayMs).toISOString();
      await ensurePartitions(client, { table, unit, ahead, now, since });
      const past = new Date(Date.parse(now) - days * dayMs).toISOString();
      const before = table === "receipts" ? await sinceOpenSlices(client, past) : past;
      // a lane that is held just now must not hold up the others, nor lose count: then next time
      if (table === "log" && !(await keepFloors(client, before))) continue;
      if (table === "receipts") await resolveRepeated(client, before, now);
      await dropPartitions(client, { table, before });
    }
  } finally {
    client.release();
  }
}

/**
 * What a job has begun and not finished is told by its receipts when the job goes on: as long as it may, they are kept.
 * Answers the earlier of an instant and the beginning of the oldest such slice.
 */
async function sinceOpenSlices(client: PoolClient, past: string): Promise<string> {
  const { rows } = await client.query<{ since: string | null }>(
    `select min(slice_at) as since from directory_jobs
where state in ('waiting', 'running', 'paused', 'failed') and slice_at > clock_timestamp() - make_interval(days => $1)`,
    [sliceDays],
  );
  const since = rows[0]?.since ?? null;
  return since !== null && since < past ? since : past;
}

/**
 * A parked command whose client had it done meanwhile, by asking again with the same key, is seen to: as long as there is
 * the receipt a retry finds the answer in it, and without it would do the same a second time.
 */
async function resolveRepeated(client: PoolClient, before: string, now: string): Promise<void> {
  await client.query(
    `update parked p set resolved_at = $2, resolution = 'retried' from receipts r
where p.resolved_at is null and p.item ->> 'kind' = 'command'
  and r.lane = p.lane and r.organization = p.organization and r.key = p.item ->> 'key' and r.at < $1
  and r.fingerprint is not distinct from p.item ->> 'fingerprint' and (r.answer ->> 'ok')::boolean`,
    [before, now],
  );
}

/** Each lane remembers how far the log went before an instant; answers whether all could be told. */
async function keepFloors(client: PoolClient, before: string): Promise<boolean> {
  const { rows } = await client.query<{ missing: number }>(
    `with gone as (select lane, max(seq + count - 1) as last from log where at < $1 group by lane),
behind as (select l.lane, g.last from lanes l join gone g on g.lane = l.lane and g.last > l.seq_floor),
free as (select l.lane from lanes l join behind b on b.lane = l.lane for update of l skip locked),
told as (update lanes l set seq_floor = b.last from behind b join free f on f.lane = b.lane where l.lane = b.lane returning l.lane)
select (select count(*) from behind) - (select count(*) from told) as missing`,
    [before],
  );
  return rows[0]?.missing === 0;
}
