import { blank, type Json, type Leftover, worldNouns } from "@threadmill/core";
import { refreshListings } from "../../features/listings/listings.ts";
import type { Sweep } from "./sweep.ts";

const conversationsAtATime = 1000;
const receiptsAtATime = 5000;
const deliveriesAtATime = 2000;

/** What a slice cut short remembers the keys that it has read, and addresses are among them. */
export function blankLeftover({ lane, organization, addresses, inLane }: Sweep): Promise<void> {
  return inLane(async (tx) => {
    const { rows } = await tx.query<{ body: Leftover }>(
      "select body from leftovers where lane = $1 and organization = $2",
      [lane, organization],
    );
    for (const { body } of rows) {
      // as many as before: how much a root has read is limited
      const reads = body.reads.map((name, index) =>
        [...addresses].some((address) => name.endsWith(`/${address}`)) ? `addresses/erased:${index}` : name,
      );
      await tx.query("update leftovers set body = $3 where lane = $1 and organization = $2", [
        lane,
        organization,
        JSON.stringify({ ...body, reads }),
      ]);
    }
  });
}

/**
 * Blanks what commands about the customer were answered; these are kept a day or two. What was refused names nobody, so
 * that it cannot be told whose it was: it holds our own words and names of fields, and goes with its day.
 */
export async function blankReceipts({ lane, organization, customer, aside }: Sweep): Promise<void> {
  for (let after: string | null = null; ;) {
    const last: string | null = await aside(async (pool) => {
      const { rows } = await pool.query<{ id: string; last: string; answer: Json }>(
        `with these as (
  select id, answer from receipts where lane = $1 and organization = $2 and ($3::uuid is null or id > $3) order by id limit $4)
select l.last, t.id, t.answer from (select max(id::text) as last from these) l
left join these t on t.answer #>> '{result,customer}' = $5 where l.last is not null`,
        [lane, organization, after, receiptsAtATime, customer],
      );
      const theirs = rows.filter(({ id }) => id !== null);
      const { answer } = worldNouns.receipts.properties;
      await pool.query(
        `update receipts t set answer = r.answer from json_to_recordset($3::json) as r(id uuid, answer json)
where t.lane = $1 and t.organization = $2 and t.id = r.id`,
        [lane, organization, JSON.stringify(theirs.map((row) => ({ id: row.id, answer: blank(answer, row.answer) })))],
      );
      return rows[0]?.last ?? null;
    });
    if (last === null) return;
    after = last;
  }
}

/** Takes away what the recorder kept of the customer's messages. */
export async function dropRecorded({ lane, organization, customer, aside }: Sweep): Promise<void> {
  for (let after = ""; ;) {
    const last = await aside(async (pool) => {
      const { rows } = await pool.query<{ last: string | null }>(
        `with these as (
  select key, message from recorded_deliveries where lane = $1 and organization = $2 and key > $3 order by key limit $4),
gone as (
  delete from recorded_deliveries r using these t, messages m, conversations c
  where r.lane = $1 and r.organization = $2 and r.key = t.key
    and m.lane = $1 and m.organization = $2 and m.id = t.message
    and c.lane = $1 and c.organization = $2 and c.id = m.conversation and $5 in (m.customer, c.customer))
select max(key) as last from these`,
        [lane, organization, after, deliveriesAtATime, customer],
      );
      return rows[0]?.last ?? null;
    });
    if (last === null) return;
    after = last;
  }
}

/**
 * Takes away what was made of the customer's conversations beside them: what users are writing there, and the tags that
 * lists find them by, which are made anew from the blanked rows.
 */
export async function dropBeside(
  { lane, organization, aside }: Sweep,
  conversations: readonly string[],
): Promise<void> {
  for (let from = 0; from < conversations.length; from += conversationsAtATime) {
    const these = conversations.slice(from, from + conversationsAtATime);
    await aside(async (pool) => {
      await pool.query("delete from drafts where lane = $1 and organization = $2 and conversation = any($3)", [
        lane,
        organization,
        these,
      ]);
      await refreshListings(pool, lane, organization, these);
    });
  }
}
