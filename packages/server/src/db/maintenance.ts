import type { Pool } from "pg";
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

const tables = (keep: { readonly eventsDays: number; readonly stepsDays: number }): readonly Kept[] => [
  { table: "log", unit: "month", ahead: 2, days: keep.eventsDays },
  { table: "runs_history", unit: "month", ahead: 2, days: keep.stepsDays },
  { table: "receipts", unit: "day", ahead: 3, days: receiptDays },
];

/**
 * Makes the partitions that the next weeks need and drops those that are past their time. Before log partitions go, each
 * lane remembers how far their sequence numbers went, so that numbering goes on where the log is empty.
 */
export async function maintain(
  pool: Pool,
  keep: { readonly eventsDays: number; readonly stepsDays: number },
  now: string,
): Promise<void> {
  const client = await pool.connect();
  try {
    for (const { table, unit, ahead, days } of tables(keep)) {
      // a few days back as well: the database's clock may be behind ours, and an instant never runs back in a lane
      const since = new Date(Date.parse(now) - dayMs).toISOString();
      await ensurePartitions(client, { table, unit, ahead, now, since });
      const before = new Date(Date.parse(now) - days * dayMs).toISOString();
      if (table === "log") {
        await client.query(
          `update lanes l set seq_floor = m.last from (select lane, max(seq + count - 1) as last from log where at < $1 group by lane) m
where l.lane = m.lane and m.last > l.seq_floor`,
          [before],
        );
      }
      await dropPartitions(client, { table, before });
    }
  } finally {
    client.release();
  }
}
