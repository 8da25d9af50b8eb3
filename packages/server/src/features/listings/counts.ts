import { isEverywhere } from "@threadmill/core";
import { type Kysely, sql } from "kysely";
import { filterSql } from "../../filters/filter.ts";
import { withinReach } from "../../rights/reach.ts";
import type { Tables } from "../tables.ts";
import { listings } from "./listings.ts";
import { isCounted } from "./narrow.ts";
import { listed, type Wanted } from "./query.ts";

/** A count goes no further than this where rows must be looked at; what is more is told as this many and `more`. */
export const mostCounted = 1000;

/** How many conversations a list has. */
export interface Counted {
  readonly count: number;
  /** whether there are more than were counted */
  readonly more: boolean;
}

/** Up to when the listings have come: all that happened until then is in them. */
export async function listedUpTo(db: Kysely<Tables>, lane: number): Promise<string> {
  const { rows } = await sql<{
    as_of: string;
  }>`select coalesce((select at from log where lane = ${lane} and seq > coalesce(
    (select seq from followers where lane = ${lane} and name = ${listings.name}), 0) order by seq limit 1), clock_timestamp()) as as_of`.execute(
    db,
  );
  return (rows[0] as { as_of: string }).as_of;
}

type Db = Kysely<Tables>;

/**
 * Counts lists of one user in one organization. What listings are counted by anyway, such as status, assignee and team, is
 * summed up, whatever its number, for all lists in one go; anything else is looked for, as far as `mostCounted`.
 */
export async function countLists(db: Db, wanted: readonly Wanted[]): Promise<readonly Counted[]> {
  const summed = wanted.filter(isSummed);
  const sums = new Map(zip(summed, await sumLists(db, summed)));
  const counts: Counted[] = [];
  for (const one of wanted) {
    const count = sums.get(one);
    counts.push(count === undefined ? await countRows(db, one) : { count, more: false });
  }
  return counts;
}

/** Counts one list. */
export const countListed = async (db: Db, wanted: Wanted): Promise<Counted> =>
  (await countLists(db, [wanted]))[0] as Counted;

const isSummed = ({ only, filter }: Wanted): boolean =>
  only.length === 0 && (filter === null || isCounted(filter.node));

const zip = (wanted: readonly Wanted[], counts: readonly number[]): [Wanted, number][] =>
  wanted.map((one, n) => [one, counts[n] as number]);

async function sumLists(db: Db, wanted: readonly Wanted[]): Promise<readonly number[]> {
  const [first] = wanted;
  if (first === undefined) return [];
  const { place, reach } = first;
  const sums = wanted.map(
    ({ filter }) =>
      sql`coalesce(sum(l.count) filter (where ${filter === null ? sql`true` : filterSql(filter, "l").where}), 0)::bigint`,
  );
  const within = isEverywhere(reach) ? sql`true` : withinReach(reach, "l");
  const { rows } = await sql<{ sums: readonly number[] }>`select array[${sql.join(sums)}] as sums from (
      select lane, organization, mailbox, status, count,
        nullif(assignee, '00000000-0000-0000-0000-000000000000') as assignee,
        nullif(team, '00000000-0000-0000-0000-000000000000') as team,
        case when waiting then 'epoch'::timestamptz end as waiting_since
      from listing_counts where lane = ${place.lane} and organization = ${place.organization} and count <> 0) l
    where ${within}`.execute(db);
  return (rows[0] as { sums: readonly number[] }).sums;
}

async function countRows(db: Db, wanted: Wanted): Promise<Counted> {
  const { rows } = await sql<{
    count: number;
  }>`select count(*) as count from (select 1 ${listed(wanted)} limit ${mostCounted + 1}) one`.execute(db);
  const { count } = rows[0] as { count: number };
  return { count: Math.min(count, mostCounted), more: count > mostCounted };
}
