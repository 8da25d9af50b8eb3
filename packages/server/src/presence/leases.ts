import type { Pool } from "pg";
import type { Place } from "../lanes/port.ts";

/** A user of an organization. */
export interface Someone extends Place {
  readonly user: string;
}

const columns = (all: readonly Someone[]): [number[], string[], string[]] => [
  all.map((each) => each.lane),
  all.map((each) => each.organization),
  all.map((each) => each.user),
];

/** Says that a process has pages of these users open, for so many seconds from now: one statement for all. */
export async function renewLeases(
  pool: Pool,
  process: string,
  users: readonly Someone[],
  seconds: number,
): Promise<void> {
  if (users.length === 0) return;
  await pool.query({
    name: "renew_presence",
    text: `insert into presence_leases (lane, organization, user_id, process, until)
select k.lane, k.organization, k.user_id, $4, clock_timestamp() + make_interval(secs => $5)
from unnest($1::smallint[], $2::uuid[], $3::uuid[]) as k(lane, organization, user_id)
order by 1, 2, 3
on conflict (lane, organization, user_id, process) do update set until = excluded.until`,
    values: [...columns(users), process, seconds],
  });
}

/** Who of these is not known to be online by their pages. */
export async function notSeenOnline(pool: Pool, users: readonly Someone[]): Promise<Someone[]> {
  if (users.length === 0) return [];
  const { rows } = await pool.query<Someone>({
    name: "not_seen_online",
    text: `select k.lane, k.organization, k.user_id as user from unnest($1::smallint[], $2::uuid[], $3::uuid[]) as k(lane, organization, user_id)
left join presences p on p.lane = k.lane and p.organization = k.organization and p.user_id = k.user_id
where p.seen is distinct from 'online'`,
    values: columns(users),
  });
  return rows;
}

/**
 * Who is known to be online by their pages and has none open in any process that lives: the few who are online are looked
 * through, by an index of their own. Leases that are over are taken away.
 */
export async function seenButGone(pool: Pool, most: number): Promise<Someone[]> {
  const { rows } = await pool.query<Someone>({
    name: "seen_but_gone",
    text: `select p.lane, p.organization, p.user_id as user from presences p
join users u on u.lane = p.lane and u.organization = p.organization and u.id = p.user_id and u.hours is null
where p.seen = 'online' and not exists (
  select from presence_leases l
  where l.lane = p.lane and l.organization = p.organization and l.user_id = p.user_id and l.until > clock_timestamp())
limit $1`,
    values: [most],
  });
  await pool.query({
    name: "drop_presence",
    text: "delete from presence_leases where until < clock_timestamp() - interval '1 minute'",
  });
  return rows;
}

/** Users whose working hours say whether they are there, with their calendar and what is known of them. */
export async function usersByHours(
  pool: Pool,
): Promise<(Someone & { readonly hours: string; readonly seen: string | null; readonly now: string })[]> {
  const { rows } = await pool.query<Someone & { hours: string; seen: string | null; now: string }>({
    name: "users_by_hours",
    text: `select u.lane, u.organization, u.id as user, u.hours, p.seen, clock_timestamp() as now from users u
left join presences p on p.lane = u.lane and p.organization = u.organization and p.user_id = u.id
where u.hours is not null and u.archived_at is null`,
  });
  return rows;
}
