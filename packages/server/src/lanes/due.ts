import type { Pool } from "pg";
import type { Metrics } from "../observe/metrics.ts";

/**
 * The lanes that have something due, how far behind the worst is, and how much is overdue (counted up to 1,000 a lane). One index probe a table and lane that has an
 * organization; polling alone is correct, whatever else hints at work.
 */
export async function dueLanes(pool: Pool, metrics: Metrics): Promise<number[]> {
  const { rows } = await pool.query<{ lane: number; since: string | null; now: string; overdue: number }>({
    name: "due_lanes",
    text: `select l.lane, clock_timestamp() as now,
  least(
    (select min(due_at) from timers t where t.lane = l.lane and t.due_at <= clock_timestamp()),
    (select min(wake_at) from conversations c where c.lane = l.lane and c.wake_at <= clock_timestamp()),
    (select min(wake_at) from customers u where u.lane = l.lane and u.wake_at <= clock_timestamp()),
    (select min(at) from leftovers o where o.lane = l.lane)
  ) as since,
  (select count(*) from (select from timers t where t.lane = l.lane and t.due_at <= clock_timestamp() limit 1000) o)
  + (select count(*) from (select from conversations c where c.lane = l.lane and c.wake_at <= clock_timestamp() limit 1000) o) as overdue
from (select distinct lane from directory_organizations) l`,
  });
  const due = rows.filter((row) => row.since !== null);
  const lag = due.map((row) => (Date.parse(row.now) - Date.parse(row.since as string)) / 1000);
  metrics.laneLagSeconds.set(Math.max(0, ...lag));
  metrics.timersOverdue.set(rows.reduce((sum, row) => sum + row.overdue, 0));
  return due.map((row) => row.lane);
}
