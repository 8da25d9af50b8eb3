import type { PoolClient } from "pg";
import { eventsOf, type Follower } from "../../followers/follower.ts";

interface Mention {
  readonly organization: string;
  readonly user_id: string;
  readonly message: string;
  readonly conversation: string;
  readonly at: string;
}

/** Who is named in which note, as the notes' events say. */
export const mentions: Follower = {
  name: "mentions",

  async follow(tx, { lane }, rows) {
    const found: Mention[] = [];
    for (const row of rows) {
      // most rows tell of no note: they need not be made whole
      if (!row.events.some(({ type }) => type === "message.noted")) continue;
      for (const { type, refs, data, at } of eventsOf(row)) {
        if (type !== "message.noted" || data?.["mentions"] === undefined) continue;
        const { message, conversation } = refs as { readonly message: string; readonly conversation: string };
        for (const user_id of data["mentions"] as readonly string[])
          found.push({ organization: row.organization, user_id, message, conversation, at });
      }
    }
    if (found.length > 0) await write(tx, lane, found);
  },

  async forget(tx, { lane, since }) {
    await tx.query("delete from mentions where lane = $1 and ($2::timestamptz is null or at >= $2)", [lane, since]);
  },
};

async function write(tx: PoolClient, lane: number, found: readonly Mention[]): Promise<void> {
  await tx.query({
    name: "write_mentions",
    text: `insert into mentions (lane, organization, user_id, message, conversation, at)
select $1, r.* from json_to_recordset($2) r(organization uuid, user_id uuid, message uuid, conversation uuid, at timestamptz)
on conflict do nothing`,
    values: [lane, JSON.stringify(found)],
  });
}
