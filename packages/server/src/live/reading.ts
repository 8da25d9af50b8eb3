import type { Event, Id, Standpoint } from "@threadmill/core";
import type { Pool } from "pg";
import { type LogRow, readEvents } from "../lanes/log-format.ts";
import type { Place } from "../lanes/port.ts";
import type { CustomerStandpoint, Standpoints } from "./sight.ts";

/** A row of the log, with its events made whole. */
export interface ReadRow {
  readonly organization: Id;
  /** the number of its last event */
  readonly end: number;
  readonly events: readonly (Event & { readonly seq: number })[];
}

/** An organization, and the last number that was read of it. */
export interface Reached extends Place {
  readonly reached: number;
}

type Row = LogRow & { readonly organization: string; readonly count: number };

const whole = (row: Row): ReadRow => ({
  organization: row.organization,
  end: row.seq + row.count - 1,
  events: readEvents(row),
});

/** How far the log of each lane reaches; a lane that is not there has none. */
export async function headsOf(pool: Pool, lanes: readonly number[]): Promise<Map<number, number>> {
  const { rows } = await pool.query<{ lane: number; head: number }>({
    name: "live_heads",
    text: `select l.lane, coalesce(n.head, f.seq_floor) as head from unnest($1::smallint[]) as l(lane)
join lanes f on f.lane = l.lane
left join lateral (select seq + count - 1 as head from log where log.lane = l.lane order by seq desc limit 1) n on true`,
    values: [lanes],
  });
  return new Map(rows.map(({ lane, head }) => [lane, head]));
}

/**
 * What the log holds of each organization behind the number that it was read to, at most so many rows of each: one
 * statement for all that have news.
 */
export async function readBehind(pool: Pool, wanted: readonly Reached[], most: number): Promise<ReadRow[]> {
  const { rows } = await pool.query<Row>({
    name: "live_behind",
    text: `select l.seq, l.at, l.organization, l.root, l.count, l.events
from unnest($1::smallint[], $2::uuid[], $3::bigint[]) as k(lane, organization, reached)
cross join lateral (
  select seq, at, organization, root, count, events from log
  where log.lane = k.lane and log.organization = k.organization and log.seq > k.reached
  order by log.seq limit $4) l`,
    values: [
      wanted.map((each) => each.lane),
      wanted.map((each) => each.organization),
      wanted.map((each) => each.reached),
      most,
    ],
  });
  return rows.sort((a, b) => a.seq - b.seq).map(whole);
}

/**
 * An organization's rows between two numbers, for those who come back; `after` may lie within a row. Null when they are
 * more than `most`, or when the log goes back no further.
 */
export async function readBetween(
  pool: Pool,
  { lane, organization }: Place,
  { after, upTo, most }: { readonly after: number; readonly upTo: number; readonly most: number },
): Promise<ReadRow[] | null> {
  const { rows } = await pool.query<Row & { readonly oldest: number }>({
    name: "live_between",
    text: `select seq, at, organization, root, count, events from log
where lane = $1 and organization = $2 and seq <= $4
  and seq >= (select coalesce(max(seq), 0) from log where lane = $1 and seq <= $3 + 1)
order by seq limit $5`,
    values: [lane, organization, after, upTo, most + 1],
  });
  if (rows.length > most) return null;
  return rows.map(whole).filter(({ end }) => end > after);
}

/** The first number that the log of a lane still holds. */
export async function oldestOf(pool: Pool, lane: number): Promise<number> {
  const { rows } = await pool.query<{ oldest: number }>({
    name: "live_oldest",
    text: "select coalesce((select seq from log where lane = $1 order by seq limit 1), (select seq_floor + 1 from lanes where lane = $1)) as oldest",
    values: [lane],
  });
  return rows[0]?.oldest ?? 1;
}

/** Where the conversations and customers stand that some events are about. What was merged stands where its survivor does. */
export async function readStandpoints(
  pool: Pool,
  { lane, organization }: Place,
  events: readonly Event[],
): Promise<Standpoints> {
  const ids = { conversations: new Set<Id>(), customers: new Set<Id>() };
  for (const { refs, changes } of events) {
    if (refs.conversation !== undefined) ids.conversations.add(refs.conversation);
    else if (refs.customer !== undefined) ids.customers.add(refs.customer);
    for (const { table, id } of changes) if (table === "conversations") ids.conversations.add(id);
  }
  const [conversations, customers] = await Promise.all([
    standingConversations(pool, { lane, organization }, [...ids.conversations]),
    standingCustomers(pool, { lane, organization }, [...ids.customers]),
  ]);
  return { conversations, customers };
}

async function standingConversations(pool: Pool, place: Place, ids: readonly Id[]): Promise<Map<Id, Standpoint>> {
  if (ids.length === 0) return new Map();
  const { rows } = await pool.query<Standpoint & { asked: Id }>({
    name: "live_conversations",
    text: `with recursive up as (
  select id as asked, mailbox, team, assignee, merged_into from conversations
  where lane = $1 and organization = $2 and id = any($3)
  union all
  select up.asked, c.mailbox, c.team, c.assignee, c.merged_into
  from up join conversations c on c.lane = $1 and c.organization = $2 and c.id = up.merged_into)
select asked, mailbox, team, assignee from up where merged_into is null`,
    values: [place.lane, place.organization, ids],
  });
  return new Map(rows.map(({ asked, mailbox, team, assignee }) => [asked, { mailbox, team, assignee }]));
}

async function standingCustomers(pool: Pool, place: Place, ids: readonly Id[]): Promise<Map<Id, CustomerStandpoint>> {
  if (ids.length === 0) return new Map();
  const { rows } = await pool.query<CustomerStandpoint & { id: Id }>({
    name: "live_customers",
    text: `with recursive family(asked, id) as (
  select id, id from customers where lane = $1 and organization = $2 and id = any($3)
  union all
  select f.asked, c.id from family f join customers c on c.lane = $1 and c.organization = $2 and c.merged_into = f.id)
select c.id, c.assignee, c.teams, coalesce((
  select json_agg(distinct jsonb_build_object('mailbox', t.mailbox, 'team', t.team, 'assignee', t.assignee))
  from family f join conversations t on t.lane = $1 and t.organization = $2 and t.customer = f.id
  where f.asked = c.id), '[]') as conversations
from customers c where c.lane = $1 and c.organization = $2 and c.id = any($3)`,
    values: [place.lane, place.organization, ids],
  });
  return new Map(rows.map(({ id, ...own }) => [id, own]));
}
