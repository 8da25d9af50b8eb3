import { columnsOf } from "../lanes/statements.ts";
import { worldTables } from "../lanes/tables.ts";
import type { Pool, PoolClient } from "pg";
import { type HeldEffect, isAlone, leaseSeconds } from "../lanes/births.ts";

/** An effect that this process holds until its lease ends. */
export type Claimed = HeldEffect;

/** Its instant has come. */
const isDue = (row: string): string => `${row}.status = 'due' and ${row}.due_at <= clock_timestamp()`;

/** Nobody holds it, or whoever did was not heard of again. */
const isFree = (row: string): string => `(${row}.lease_until is null or ${row}.lease_until <= clock_timestamp())`;

/**
 * It is the oldest live one of its order key, so that a conversation's messages leave in order. A scalar subquery because
 * the planner makes an anti-join of `not exists`, and then may compare each message of a long conversation with each other.
 * Not dead rather than due: without statistics the index of what is due looks as good as that of order keys, and each look
 * goes through all that is due in the lane; a claim took 10 s at 36,000 that were new.
 */
const isHead = (row: string): string => `${row}.id = (
  select o.id from effects o
  where o.lane = ${row}.lane and o.organization = ${row}.organization and o.order_key = ${row}.order_key and o.status <> 'dead'
  order by o.created_at, o.ordinal limit 1)`;

const isSame = (row: string, other: string): string =>
  `${row}.lane = ${other}.lane and ${row}.organization = ${other}.organization and ${row}.id = ${other}.id`;

/**
 * Fairness: some lanes at a time, drawn anew each time so that none is passed over for long; with 30,000 due in 1,000 lanes
 * a claim takes 8 ms instead of 80. None of the lanes to avoid (`$3`).
 */
const drawnLanes = `
  select l.lane from (select distinct lane from directory_organizations) l
  where l.lane <> all($3) and exists (select from effects e where e.lane = l.lane and ${isDue("e")} and ${isFree("e")})
  order by random() limit 64`;

/** Order: what may go of each lane, longest due first; twice as many as wanted, as others may take some meanwhile. */
const heads = `
  select h.* from drawn d cross join lateral (
    select e.ctid as place, e.due_at from effects e
    where e.lane = d.lane and ${isDue("e")} and ${isFree("e")} and ${isHead("e")} and ${isAlone("e")}
    order by e.due_at limit 2 * $1) h
  order by h.due_at limit 2 * $1`;

/**
 * Locked, and asked again with the lock in hand. `skip locked` because a batch may be settling one right now. By their places
 * in the table, which no planner without statistics can miss. One that was changed meanwhile stands elsewhere, and is left
 * for the next claim.
 */
const locked = `
  select e.ctid as place, e.lease_until is not null and e.begun as lost
  from heads h join effects e on e.ctid = h.place
  where ${isDue("e")} and ${isFree("e")}
  order by h.due_at limit $1 for update of e skip locked`;

const claimStatement = {
  name: "claim_effects",
  text: `with drawn as materialized (${drawnLanes}), heads as (${heads}), locked as (${locked})
update effects e set attempt = e.attempt + 1, lease_until = clock_timestamp() + make_interval(secs => $2), begun = locked.lost
from locked where e.ctid = locked.place returning e.lane, e.organization, ${columnsOf(worldTables.effects, "e")}, locked.lost`,
};

/**
 * Claims due effects that nobody holds and that are the heads of their order keys; none of the lanes to `avoid`: what they
 * settle just now stands still. Each claim is an attempt of its own, so that whoever lost an effect to another can neither
 * settle nor postpone it.
 */
export async function claimEffects(pool: Pool, limit: number, avoid: readonly number[] = []): Promise<Claimed[]> {
  const { rows } = await pool.query<Claimed>({ ...claimStatement, values: [limit, leaseSeconds, avoid] });
  return rows.toSorted((a, b) => (a.created_at < b.created_at ? -1 : 1));
}

/** The claims of a set as parameters: `$1` to `$4`, and how a statement reads them with more beside. */
const claims = (set: readonly Claimed[]): unknown[] => [
  set.map(({ lane }) => lane),
  set.map(({ organization }) => organization),
  set.map(({ id }) => id),
  set.map(({ attempt }) => attempt),
];
const given = (types: string, names: string): string =>
  `unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::integer[], ${types}) as g(lane, organization, id, attempt, ${names})`;

/** Still ours: no other process took it over meanwhile, and it is not settled. */
const isOurs = `${isSame("e", "g")} and e.attempt = g.attempt and e.status = 'due'`;

/** An effect to be given back for a later attempt. */
export interface Postponed {
  readonly claimed: Claimed;
  readonly dueInMs: number;
  readonly error: object;
}

/**
 * Gives effects back for a later attempt. What is to follow them cannot go before, so it is put off as well, and no claim
 * looks at it in vain until then. Nothing happens to one that another process took over meanwhile.
 */
export async function postponeEffects(pool: Pool, set: readonly Postponed[]): Promise<void> {
  await pool.query({
    name: "postpone_effects",
    text: `with postponed as (
  update effects e set lease_until = null, begun = false, due_at = clock_timestamp() + make_interval(secs => g.seconds),
    last_error = g.error
  from ${given("$5::float8[], $6::jsonb[]", "seconds, error")} where ${isOurs} returning e.*
), behind as (
  select e.lane, e.organization, e.id, p.due_at from postponed p join effects e
    on e.lane = p.lane and e.organization = p.organization and e.order_key = p.order_key
  where e.status = 'due' and e.lease_until is null and e.due_at < p.due_at
    and (e.created_at, e.ordinal) > (p.created_at, p.ordinal)
  for update of e skip locked)
update effects e set due_at = behind.due_at from behind where ${isSame("e", "behind")}`,
    values: [
      ...claims(set.map(({ claimed }) => claimed)),
      set.map(({ dueInMs }) => dueInMs / 1000),
      set.map(({ error }) => JSON.stringify(error)),
    ],
  });
}

/**
 * Gives back effects that were held and not begun: others may take them at once. One that had never been tried counts no
 * attempt for it; one that was lost by somebody before stays so.
 */
export async function giveBackEffects(client: Pool | PoolClient, set: readonly Claimed[]): Promise<void> {
  await client.query({
    name: "give_back_effects",
    text: `update effects e set attempt = case when e.attempt = 1 then 0 else e.attempt end,
  lease_until = case when g.lost then clock_timestamp() end
from ${given("$5::boolean[]", "lost")} where ${isOurs} and e.lease_until is not null`,
    values: [...claims(set), set.map(({ lost }) => lost)],
  });
}

/**
 * Notes that effects are begun, which must be committed before the outside world hears of them: if their worker dies, what
 * became of these is not known. Answers which are still ours; no other may be begun.
 */
export async function beginEffects(pool: Pool, set: readonly Claimed[]): Promise<ReadonlySet<string>> {
  const { rows } = await pool.query<{ id: string }>({
    name: "begin_effects",
    text: `update effects e set begun = true
from unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::integer[]) as g(lane, organization, id, attempt)
where ${isOurs} returning e.id`,
    values: claims(set),
  });
  return new Set(rows.map(({ id }) => id));
}

/** Holds an effect for another lease; false when another process took it over meanwhile, or it is settled. */
export async function renewLease(client: Pool | PoolClient, claimed: Claimed): Promise<boolean> {
  const { rowCount } = await client.query({
    name: "renew_lease",
    text: `update effects set lease_until = clock_timestamp() + make_interval(secs => $5)
where lane = $1 and organization = $2 and id = $3 and attempt = $4 and status = 'due'`,
    values: [claimed.lane, claimed.organization, claimed.id, claimed.attempt, leaseSeconds],
  });
  return rowCount === 1;
}

/** Up to how many effects of a lane are counted: beyond it the number says no more, and counting would cost. */
const countedAtMost = 1000;

/** How many effects are due and how many are dead, for the metrics: up to 1,000 of each in a lane. */
export async function countEffects(pool: Pool): Promise<{ readonly due: number; readonly dead: number }> {
  const count = (condition: string): string =>
    `(select count(*) from (select from effects e where e.lane = l.lane and ${condition} limit ${countedAtMost}) c)`;
  const { rows } = await pool.query<{ due: number; dead: number }>({
    name: "count_effects",
    text: `select coalesce(sum(${count(isDue("e"))}), 0)::integer as due, coalesce(sum(${count("e.status = 'dead'")}), 0)::integer as dead
from (select distinct lane from directory_organizations) l`,
  });
  return rows[0] as { due: number; dead: number };
}
