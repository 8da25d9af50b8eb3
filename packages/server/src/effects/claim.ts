import type { Effect } from "@threadmill/core";
import type { Pool, PoolClient } from "pg";

/** An effect that this process holds until its lease ends. */
export interface Claimed extends Effect {
  readonly lane: number;
  readonly organization: string;
  /** whether another worker held it and was never heard of again: what it did in the world is not known */
  readonly lost: boolean;
}

/** A lease is a minute at most: what a killed process held is done by another soon after. */
export const leaseSeconds = 60;

/**
 * Claims due effects: those whose instant has come, that nobody holds, and that are the oldest live one of their order
 * key, so that a conversation's messages leave in order. Each claim is an attempt of its own, so that whoever lost an
 * effect to another can neither settle nor postpone it. Locked in a second step, `skip locked` because a batch may be
 * settling one right now.
 *
 * Some lanes at a time, drawn anew each time so that none is passed over for long: with 30,000 due in 1,000 lanes a claim
 * takes 8 ms instead of 80. None of the lanes to `avoid`: what they settle just now stands still. The head of a key is a scalar subquery because the planner makes an anti-join of `not exists`,
 * and then may compare each message of a long conversation with each other.
 */
export async function claimEffects(pool: Pool, limit: number, avoid: readonly number[] = []): Promise<Claimed[]> {
  const { rows } = await pool.query<Claimed>({
    name: "claim_effects",
    text: `with drawn as materialized (
  select l.lane from (select distinct lane from directory_organizations) l
  where l.lane <> all($3) and exists (select from effects e where e.lane = l.lane and e.status = 'due' and e.due_at <= clock_timestamp())
  order by random() limit 64
), heads as (
  select h.* from drawn s cross join lateral (
    select e.lane, e.organization, e.id, e.due_at from effects e
    where e.lane = s.lane and e.status = 'due' and e.due_at <= clock_timestamp()
      and (e.lease_until is null or e.lease_until <= clock_timestamp())
      and e.id = (
        select o.id from effects o
        where o.lane = e.lane and o.organization = e.organization and o.order_key = e.order_key and o.status = 'due'
        order by o.created_at, o.ordinal limit 1)
    order by e.due_at limit 2 * $1) h
  order by h.due_at limit 2 * $1
), due as (
  select e.lane, e.organization, e.id, e.lease_until is not null as lost
  from heads h join effects e on e.lane = h.lane and e.organization = h.organization and e.id = h.id
  where e.status = 'due' and e.due_at <= clock_timestamp() and (e.lease_until is null or e.lease_until <= clock_timestamp())
  order by h.due_at limit $1 for update of e skip locked)
update effects e set attempt = e.attempt + 1, lease_until = clock_timestamp() + make_interval(secs => $2)
from due where e.lane = due.lane and e.organization = due.organization and e.id = due.id
returning e.*, due.lost`,
    values: [limit, leaseSeconds, avoid],
  });
  return rows.toSorted((a, b) => (a.created_at < b.created_at ? -1 : 1));
}

/** Gives an effect back for a later attempt. Nothing happens when another process took it over meanwhile. */
export async function postpone(pool: Pool, claimed: Claimed, dueInMs: number, error: object): Promise<void> {
  await pool.query({
    name: "postpone_effect",
    text: `update effects set lease_until = null, due_at = clock_timestamp() + make_interval(secs => $5), last_error = $6
where lane = $1 and organization = $2 and id = $3 and attempt = $4 and status = 'due'`,
    values: [claimed.lane, claimed.organization, claimed.id, claimed.attempt, dueInMs / 1000, JSON.stringify(error)],
  });
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

/** How many effects are due and how many are dead, for the metrics. */
export async function countEffects(pool: Pool): Promise<{ readonly due: number; readonly dead: number }> {
  const { rows } = await pool.query<{ due: number; dead: number }>({
    name: "count_effects",
    text: `select count(*) filter (where status = 'due' and due_at <= clock_timestamp()) as due, count(*) filter (where status = 'dead') as dead from effects`,
  });
  return rows[0] as { due: number; dead: number };
}
