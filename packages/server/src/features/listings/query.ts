import { type Filter, isEverywhere, type Reach } from "@threadmill/core";
import { type RawBuilder, sql, type SqlBool } from "kysely";
import { filterSql } from "../../filters/filter.ts";
import type { Place } from "../../lanes/port.ts";
import { withinReach } from "../../rights/reach.ts";
import { narrow } from "./narrow.ts";

/** The orders that lists of conversations have. */
export const sorts = ["newest", "oldest", "last_message", "waiting"] as const;
export type Sort = (typeof sorts)[number];

/** What a user has to do with the conversations of a list. */
export const onlyWords = ["mentioned", "followed", "unread"] as const;
export type Only = (typeof onlyWords)[number];

/** Which conversations are listed, and for whom. */
export interface Wanted {
  readonly place: Place;
  readonly reach: Reach;
  /** who looks; null for nobody: then nothing is unread, followed or mentioned */
  readonly user: string | null;
  readonly filter: Filter | null;
  /** what the one who looks has to do with them, all of it */
  readonly only: readonly Only[];
}

/** Where a page goes on: what the order compares, and the id. */
export type Spot = readonly [string | null, string];

/**
 * Listings whose conversations belong to a list: `from ... where ...` over `l`. The listing finds and orders; whether a row
 * belongs there is asked of the conversation as it is now, so that no list shows what does not hold any more. That is asked
 * row by row, behind a fence (`offset 0`): both say the same things twice, which the planner would take for few rows, and
 * sort all of them instead of going by the order's index until a page is full.
 */
export function listed({ place, reach, user, filter, only }: Wanted): RawBuilder<unknown> {
  const narrowed: RawBuilder<SqlBool>[] = [
    sql<SqlBool>`l.lane = ${place.lane} and l.organization = ${place.organization}`,
    ...(isEverywhere(reach) ? [] : [withinReach(reach, "l")]),
    ...(filter === null ? [] : narrow(filter).where),
    ...only.map((word) => onlyFor(user)[word]),
  ];
  const present: RawBuilder<SqlBool>[] = [
    sql<SqlBool>`c.lane = l.lane and c.organization = l.organization and c.id = l.id and c.merged_into is null`,
    ...(isEverywhere(reach) ? [] : [withinReach(reach, "c")]),
    ...(filter === null ? [] : [filterSql(filter, "c").where]),
  ];
  return sql`from listings l
cross join lateral (select from conversations c where ${sql.join(present, sql` and `)} offset 0) as belongs
where ${sql.join(narrowed, sql` and `)}`;
}

const own = (
  table: string,
  user: string | null,
): RawBuilder<SqlBool> => sql<SqlBool>`exists (select from ${sql.table(table)} o
  where o.lane = l.lane and o.organization = l.organization and o.user_id = ${user}::uuid and o.conversation = l.id)`;

const onlyFor = (user: string | null): Readonly<Record<Only, RawBuilder<SqlBool>>> => ({
  mentioned: own("mentions", user),
  followed: own("follows", user),
  unread: unreadBy(user),
});

/** Whether a customer wrote after the user last looked; what came before the user did counts as read. */
export const unreadBy = (
  user: string | null,
): RawBuilder<SqlBool> => sql<SqlBool>`coalesce(l.last_inbound_at > coalesce(
  (select r.read_at from read_marks r
    where r.lane = l.lane and r.organization = l.organization and r.user_id = ${user}::uuid and r.conversation = l.id),
  (select u.created_at from users u where u.lane = l.lane and u.organization = l.organization and u.id = ${user}::uuid)), false)`;

export const followedBy = (user: string | null): RawBuilder<SqlBool> => own("follows", user);

/** Behind a spot, in an order. */
export function behind(sort: Sort, [key, id]: Spot): RawBuilder<SqlBool> {
  switch (sort) {
    case "newest":
      return sql<SqlBool>`l.id < ${id}::uuid`;
    case "oldest":
      return sql<SqlBool>`l.id > ${id}::uuid`;
    case "last_message":
      return sql<SqlBool>`(l.moved_at, l.id) < (${key}::timestamptz, ${id}::uuid)`;
    case "waiting":
      return key === null
        ? sql<SqlBool>`l.waiting_since is null and l.id > ${id}::uuid`
        : sql<SqlBool>`((l.waiting_since, l.id) > (${key}::timestamptz, ${id}::uuid) or l.waiting_since is null)`;
  }
}

/** What an order compares, for the statement's end and for the spot of a row. */
export const orders: Readonly<
  Record<Sort, { readonly by: RawBuilder<unknown>; readonly key: RawBuilder<string | null> }>
> = {
  newest: { by: sql`l.id desc`, key: sql`null::timestamptz` },
  oldest: { by: sql`l.id`, key: sql`null::timestamptz` },
  last_message: { by: sql`l.moved_at desc, l.id desc`, key: sql`l.moved_at` },
  waiting: { by: sql`l.waiting_since, l.id`, key: sql`l.waiting_since` },
};
