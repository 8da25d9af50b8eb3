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

/**
 * Counts a list. What listings are counted by anyway, such as status, assignee and team, is summed up, whatever their
 * number; anything else is looked for, as far as `mostCounted`.
 */
export async function countListed(db: Kysely<Tables>, wanted: Wanted): Promise<Counted> {
  const { filter, only, place, reach } = wanted;
  if (only.length === 0 && (filter === null || isCounted(filter.node))) {
    const within = isEverywhere(reach) ? sql`true` : withinReach(reach, "l");
    const { rows } = await sql<{ count: number }>`select coalesce(sum(l.count), 0)::bigint as count from (
      select lane, organization, mailbox, status, count,
        nullif(assignee, '00000000-0000-0000-0000-000000000000') as assignee,
        nullif(team, '00000000-0000-0000-0000-000000000000') as team,
        case when waiting then 'epoch'::timestamptz end as waiting_since
      from listing_counts where lane = ${place.lane} and organization = ${place.organization}) l
    where ${within} and ${filter === null ? sql`true` : filterSql(filter, "l").where}`.execute(db);
    return { count: (rows[0] as { count: number }).count, more: false };
  }
  const { rows } = await sql<{
    count: number;
  }>`select count(*) as count from (select 1 ${listed(wanted)} limit ${mostCounted + 1}) one`.execute(db);
  const { count } = rows[0] as { count: number };
  return { count: Math.min(count, mostCounted), more: count > mostCounted };
}
