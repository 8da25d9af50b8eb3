import type { Change } from "@threadmill/core";
import type { PoolClient } from "pg";
import { eventsOf, type FollowedRow, type Follower } from "../../followers/follower.ts";

/** Fields by which two customers may be seen to be one, and those that say that one is none any more. */
const told = [
  "phone",
  "email",
  "external_id",
  "handles",
  "first_name",
  "last_name",
  "zip_code",
  "merged_into",
  "erased_at",
] as const;

/** More others than this are no hint for one customer: a switchboard's number, a household's name. */
const mostOthers = 20;

/**
 * Pairs of customers who may be one person: the same telephone number or e-mail address, or the same name and zip code. A
 * number that one has as a telephone number can only be another's under other words (their id in a chat or another system):
 * two never have the same address of one kind. E-mail addresses are one without what follows a plus. Who changed is
 * compared anew; a pair that somebody dismissed stays dismissed, and goes with either of the two.
 */
export const duplicates: Follower = {
  name: "duplicates",

  async follow(tx, { lane }, rows) {
    for (const [organization, changed] of changedBy(rows)) {
      const ids = [...changed.keys()];
      const at = [...changed.values()];
      await tx.query({
        name: "forget_duplicates",
        text: `delete from duplicates d where d.lane = $1 and d.organization = $2 and (d.a = any($3::uuid[]) or d.b = any($3::uuid[]))
  and (d.dismissed_at is null or exists (select from customers c where c.lane = $1 and c.organization = $2 and c.id in (d.a, d.b)
    and (c.merged_into is not null or c.erased_at is not null)))`,
        values: [lane, organization, ids],
      });
      await tx.query({
        name: "find_duplicates",
        text: findDuplicates,
        values: [lane, organization, ids, at, mostOthers],
      });
    }
  },

  async forget(tx, { lane, since }) {
    await tx.query(
      "delete from duplicates where lane = $1 and dismissed_at is null and ($2::timestamptz is null or found_at > $2)",
      [lane, since],
    );
  },
};

/** The customers who changed in what matters here, with the instant, by organization. */
function changedBy(rows: readonly FollowedRow[]): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const found = new Map<string, Map<string, string>>();
  for (const row of rows) {
    // most rows tell of messages alone: they need not be made whole
    if (!row.events.some(({ changes }) => changes?.some(names) === true)) continue;
    for (const { changes } of eventsOf(row)) {
      for (const change of changes) {
        if (change.table !== "customers" || !names(change)) continue;
        const own = found.get(row.organization) ?? new Map<string, string>();
        found.set(row.organization, own.set(change.id, row.at));
      }
    }
  }
  return found;
}

/** Whether a change names one of these fields. */
const names = ({ after }: Pick<Change, "after">): boolean => told.some((field) => Object.hasOwn(after, field));

/** What an address of any kind says: a telephone number in digits, or an e-mail address without what follows a plus. */
const isPhone = (text: string) => `${text} ~ '^[+]?[0-9]{7,15}$'`;
const isMail = (text: string) => `${text} ~ '^[^@ ]+@[^@ ]+[.][^@ ]+$'`;

/**
 * For each of some customers: whose addresses say the same, found by the keys under which these would stand, and who has
 * their name and zip code, found by an index.
 */
const findDuplicates = `with mine as (
  select c.id, k.at, c.phone, c.email, c.external_id, c.handles, c.first_name, c.last_name, c.zip_code
  from unnest($3::uuid[], $4::timestamptz[]) as k(id, at)
  join customers c on c.lane = $1 and c.organization = $2 and c.id = k.id and c.merged_into is null and c.erased_at is null),
said as (
  select m.id, m.at, s.text from mine m cross join lateral (
    select m.phone as text union select m.email union select m.external_id
    union select substr(h, strpos(h, ':') + 1) from unnest(m.handles) h) s where s.text is not null),
names as (
  select id, at, 'phone' as reason, kind || ':' || form as address
  from said cross join (values ('phone'), ('external'), ('chat'), ('api')) kinds(kind)
  cross join lateral (values (ltrim(text, '+')), ('+' || ltrim(text, '+'))) forms(form) where ${isPhone("text")}
  union all
  select id, at, 'email', kind || ':' || form
  from said cross join (values ('email'), ('external'), ('chat'), ('api')) kinds(kind)
  cross join lateral (values (lower(text)), (regexp_replace(lower(text), '[+][^@]*@', '@'))) forms(form) where ${isMail("text")}),
others as (
  select n.id, n.at, n.reason, a.customer as other from names n
  join addresses a on a.lane = $1 and a.organization = $2 and a.address = n.address
  where a.customer <> n.id
  union all
  select n.id, n.at, n.reason, d.customer from names n cross join lateral (
    select a.customer from addresses a where a.lane = $1 and a.organization = $2 and a.address like 'email:%+%@%'
      and regexp_replace(a.address, '[+][^@]*@', '@') = n.address and a.customer <> n.id limit $5) d
  where n.reason = 'email'
  union all
  select m.id, m.at, 'name', d.id from mine m cross join lateral (
    select c.id from customers c where c.lane = $1 and c.organization = $2
      and lower(c.zip_code) = lower(m.zip_code) and lower(c.last_name) = lower(m.last_name)
      and lower(c.first_name) = lower(m.first_name) and c.zip_code is not null and c.last_name is not null
      and c.id <> m.id and c.merged_into is null and c.erased_at is null
    order by c.id desc limit $5) d),
pairs as (
  select least(id, other) as a, greatest(id, other) as b, array_agg(distinct reason order by reason) as reasons, max(at) as at
  from others group by 1, 2)
insert into duplicates (lane, organization, a, b, reasons, found_at)
select $1, $2, a, b, reasons, at from pairs
on conflict (lane, organization, a, b) do update set reasons = excluded.reasons where duplicates.dismissed_at is null`;

/** Says that two customers are not one, or takes that back. Answers whether there is such a pair. */
export async function dismissDuplicate(
  db: Pick<PoolClient, "query">,
  { lane, organization }: { readonly lane: number; readonly organization: string },
  [one, other]: readonly [string, string],
  by: string | null,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update duplicates set dismissed_at = case when $5::uuid is null then null else coalesce(dismissed_at, clock_timestamp()) end,
  dismissed_by = case when $5::uuid is null then null else coalesce(dismissed_by, $5) end
where lane = $1 and organization = $2 and a = least($3::uuid, $4::uuid) and b = greatest($3::uuid, $4::uuid)`,
    [lane, organization, one, other, by],
  );
  return (rowCount ?? 0) > 0;
}
