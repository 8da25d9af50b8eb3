import { isEverywhere, type Event, type Reach } from "@threadmill/core";
import type { Pool } from "pg";
import { familyOf } from "../features/family.ts";
import type { Place } from "../lanes/port.ts";
import { customersWithinReachText, withinReachText } from "./reach.ts";

type Db = Pick<Pool, "query">;

/**
 * Which of some conversations may be read; what does not exist may not. Who may read one that others were merged into may read those too: they are
 * one thread now.
 */
export async function readableConversations(
  db: Db,
  { lane, organization }: Place,
  reach: Reach,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const values: unknown[] = [lane, organization, ids];
  const columns = (table: string) =>
    ["id", "mailbox", "team", "assignee", "merged_into"].map((name) => `${table}.${name}`).join(", ");
  const { rows } = await db.query<{ asked: string }>(
    `with recursive up as (
  select c.id as asked, ${columns("c")} from conversations c where c.lane = $1 and c.organization = $2 and c.id = any($3)
  union all
  select up.asked, ${columns("c")} from up join conversations c on c.lane = $1 and c.organization = $2 and c.id = up.merged_into)
select distinct asked from up where true${withinReachText(reach, values, "up")}`,
    values,
  );
  return new Set(rows.map((row) => row.asked));
}

/** Whether a conversation may be read; what does not exist may not. */
export const isReadable = async (db: Db, place: Place, reach: Reach, id: string): Promise<boolean> =>
  (await readableConversations(db, place, reach, [id])).has(id);

/** Which of some customers may be read; what does not exist may not. */
export async function readableCustomers(
  db: Db,
  { lane, organization }: Place,
  reach: Reach,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const values: unknown[] = [lane, organization, ids];
  const { rows } = await db.query<{ id: string }>(
    `select id from customers where lane = $1 and organization = $2 and id = any($3)${customersWithinReachText(reach, values)}`,
    values,
  );
  return new Set(rows.map((row) => row.id));
}

/**
 * The conversations that one stands together with (see `familyOf`), as far as they may be read. Empty where the one that
 * was asked for may not be, as where it does not exist.
 */
export async function readableFamily(pool: Pool, place: Place, reach: Reach, id: string): Promise<string[]> {
  const family = await familyOf(pool, place, "conversations", id);
  if (isEverywhere(reach)) return family;
  const readable = await readableConversations(pool, place, reach, family);
  return readable.has(id) ? family.filter((each) => readable.has(each)) : [];
}

/**
 * Those of some events that may be read: what is about a conversation by it, what is about a customer alone by that one.
 * What is about neither, such as a change of the settings, is for who may read everything, except for who is present.
 */
export async function readableEvents<E extends Event>(
  db: Db,
  place: Place,
  reach: Reach,
  events: readonly E[],
): Promise<readonly E[]> {
  if (isEverywhere(reach) || events.length === 0) return events;
  const named = (noun: "conversation" | "customer") => [...new Set(events.flatMap(({ refs }) => refs[noun] ?? []))];
  const [conversations, customers] = await Promise.all([
    readableConversations(db, place, reach, named("conversation")),
    readableCustomers(db, place, reach, named("customer")),
  ]);
  return events.filter(({ refs: { conversation, customer, user } }) => {
    if (conversation !== undefined) return conversations.has(conversation);
    return customer === undefined ? user !== undefined : customers.has(customer);
  });
}
