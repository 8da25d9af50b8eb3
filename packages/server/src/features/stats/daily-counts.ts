import { firstIdAt, firstInstant, localDay } from "@threadmill/core";
import type { PoolClient } from "pg";
import { eventsOf, type FollowedRow, type Follower, type Following } from "../../followers/follower.ts";

const dayMs = 86_400_000;
/** A batch that began before midnight is long committed by then. */
const graceMs = 3_600_000;
/** Days that one look counts for an organization; after a long rest it takes several. */
const daysAtOnce = 31;

/** The day after, or so many days after: "2026-11-20". */
export const dayAfter = (day: string, days = 1): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) + days * dayMs).toISOString().slice(0, 10);

/** When a day begins in a zone, as an instant. */
export const beginOf = (day: string, zone: string): string =>
  new Date(firstInstant(zone, Date.parse(`${day}T00:00:00Z`))).toISOString();

/**
 * How many messages and runs an organization had on each day of its own zone (the zone of the moment when they are
 * counted). Messages follow the log. Runs are rows and no events, so a day's runs are those whose ids were made on it,
 * counted once when the day is over and kept after the runs themselves are gone; until then whoever asks counts them.
 */
export const dailyCounts: Follower = {
  name: "daily_counts",

  async follow(tx, { lane, since }, rows) {
    const counted = rows.map((row) => ({ row, messages: messagesOf(row) })).filter(({ messages }) => messages > 0);
    if (counted.length === 0) return;
    const zones = await zonesOf(tx, lane);
    const sums = new Map<string, { readonly organization: string; readonly day: string; messages: number }>();
    for (const { row, messages } of counted) {
      const zone = zones.get(row.organization);
      if (zone === undefined) continue;
      const day = localDay(row.at, zone);
      if (since !== null && day <= lastDayBefore(since, zone)) continue;
      const key = `${row.organization}/${day}`;
      const sum = sums.get(key);
      if (sum === undefined) sums.set(key, { organization: row.organization, day, messages });
      else sum.messages += messages;
    }
    await tx.query({
      name: "count_messages_by_day",
      text: `insert into daily_counts (lane, organization, day, messages)
select $1, organization, day, messages from json_to_recordset($2) r(organization uuid, day date, messages bigint)
on conflict (lane, organization, day) do update set messages = daily_counts.messages + excluded.messages`,
      values: [lane, JSON.stringify([...sums.values()])],
    });
  },

  async forget(tx, { lane, since }) {
    for (const [organization, zone] of await zonesOf(tx, lane)) {
      await tx.query(
        "update daily_counts set messages = 0 where lane = $1 and organization = $2 and ($3::date is null or day > $3)",
        [lane, organization, since === null ? null : lastDayBefore(since, zone)],
      );
    }
  },

  async tend(tx, lane) {
    const { rows } = await tx.query<OpenDays>(
      `select o.organization, o.zone, coalesce(c.day::text, '') as closed, o.created_at, clock_timestamp() as now,
  (select min(at) from leftovers l where l.lane = o.lane and l.organization = o.organization) as leftover
from organizations o left join daily_counts_closed c on c.lane = o.lane and c.organization = o.organization
where o.lane = $1 order by o.organization`,
      [lane],
    );
    for (const row of rows) await closeDays(tx, lane, row);
  },
};

interface OpenDays {
  readonly organization: string;
  readonly zone: string;
  /** the last day whose runs are counted; empty for none */
  readonly closed: string;
  readonly created_at: string;
  readonly now: string;
  /** the instant of work that a slice cut short: its runs still get ids of that instant */
  readonly leftover: string | null;
}

/** The last day of which a log that begins at an instant does not say everything. */
const lastDayBefore = (since: string, zone: string): string =>
  localDay(new Date(Date.parse(since) - 1).toISOString(), zone);

/** The messages that a row of the log tells of for the first time. */
function messagesOf(row: FollowedRow): number {
  let count = 0;
  for (const { changes } of eventsOf(row))
    for (const change of changes) if (change.table === "messages" && change.before === null) count += 1;
  return count;
}

async function zonesOf(tx: PoolClient, lane: Following["lane"]): Promise<ReadonlyMap<string, string>> {
  const { rows } = await tx.query<{ organization: string; zone: string }>({
    name: "zones_of_lane",
    text: "select organization, zone from organizations where lane = $1",
    values: [lane],
  });
  return new Map(rows.map((row) => [row.organization, row.zone]));
}

async function closeDays(tx: PoolClient, lane: number, row: OpenDays): Promise<void> {
  const { organization, zone, now, leftover } = row;
  const before = Math.min(Date.parse(now) - graceMs, leftover === null ? Infinity : Date.parse(leftover));
  // the day of that instant is not over
  const last = dayAfter(localDay(new Date(before).toISOString(), zone), -1);
  let closed = row.closed === "" ? dayAfter(localDay(row.created_at, zone), -1) : row.closed;
  if (closed >= last) return;
  for (let n = 0; closed < last && n < daysAtOnce; n += 1) {
    closed = dayAfter(closed);
    const runs = await countRuns(tx, { lane, organization, zone }, closed);
    if (runs > 0) {
      await tx.query(
        `insert into daily_counts (lane, organization, day, runs) values ($1, $2, $3, $4)
on conflict (lane, organization, day) do update set runs = excluded.runs`,
        [lane, organization, closed, runs],
      );
    }
  }
  await tx.query(
    `insert into daily_counts_closed (lane, organization, day) values ($1, $2, $3)
on conflict (lane, organization) do update set day = excluded.day`,
    [lane, organization, closed],
  );
}

/** How many runs began on a day, by the instants in their ids: two ranges of primary keys. */
export async function countRuns(
  tx: Pick<PoolClient, "query">,
  place: { readonly lane: number; readonly organization: string; readonly zone: string },
  day: string,
): Promise<number> {
  const { lane, organization, zone } = place;
  const bounds = [firstIdAt(beginOf(day, zone)), firstIdAt(beginOf(dayAfter(day), zone))];
  const { rows } = await tx.query<{ runs: number }>(
    `select (select count(*) from runs where lane = $1 and organization = $2 and id >= $3 and id < $4)
  + (select count(*) from runs_history where lane = $1 and organization = $2 and id >= $3 and id < $4 and finished_at >= $5) as runs`,
    [lane, organization, ...bounds, beginOf(day, zone)],
  );
  return (rows[0] as { runs: number }).runs;
}
