import { blankFields } from "@threadmill/core";
import { worldTables } from "../../lanes/tables.ts";
import { blanking } from "./blanking.ts";
import type { Sweep } from "./sweep.ts";

const conversationsAtATime = 100;
const messagesAtATime = 500;

/** Blanks what was said to and by the customer, and what was noted of it; answers the conversations' ids. */
export async function blankConversations(sweep: Sweep): Promise<string[]> {
  const all: string[] = [];
  for (;;) {
    const ids = await conversationSlice(sweep, all.at(-1) ?? null);
    all.push(...ids);
    for (let after: string | null = null; ids.length > 0;) {
      const last = await messageSlice(sweep, ids, after);
      if (last === null) break;
      after = last;
    }
    if (ids.length < conversationsAtATime) return all;
  }
}

function conversationSlice(
  { lane, organization, customer, inLane }: Sweep,
  after: string | null,
): Promise<readonly string[]> {
  const { set, values } = blanking(worldTables.conversations, blankFields.conversations, 5);
  return inLane(async (tx) => {
    const { rows } = await tx.query<{ id: string }>(
      `update conversations set ${set}
where lane = $1 and organization = $2 and id in (
  select id from conversations where lane = $1 and organization = $2 and customer = $3 and ($4::uuid is null or id > $4)
  order by id limit $5)
returning id`,
      [lane, organization, customer, after, conversationsAtATime, ...values],
    );
    return rows.map((row) => row.id).toSorted();
  });
}

function messageSlice(
  { lane, organization, inLane }: Sweep,
  conversations: readonly string[],
  after: string | null,
): Promise<string | null> {
  const { set, values } = blanking(worldTables.messages, blankFields.messages, 5);
  return inLane(async (tx) => {
    const { rows } = await tx.query<{ last: string | null }>(
      `with these as (
  select id from messages where lane = $1 and organization = $2 and conversation = any($3) and ($4::uuid is null or id > $4)
  order by id limit $5),
blanked as (
  update messages m set ${set} from these where m.lane = $1 and m.organization = $2 and m.id = these.id)
select max(id::text) as last from these`,
      [lane, organization, conversations, after, messagesAtATime, ...values],
    );
    return rows[0]?.last ?? null;
  });
}
