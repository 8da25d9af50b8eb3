import type { PoolClient } from "pg";
import type { Wanted } from "./loader.ts";

/** Who wrote the newest reply in each conversation: back from its last message, which is rarely far. */
export async function loadRepliers(client: PoolClient, wanted: Wanted): Promise<void> {
  if (wanted.length === 0) return;
  const { rows } = await client.query<{ organization: string; conversation: string; author: string }>({
    name: "load_repliers",
    text: `select k.organization, k.conversation, m.author
from unnest($1::smallint[], $2::uuid[], $3::uuid[]) as k(lane, organization, conversation)
cross join lateral (
  select author from messages
  where lane = k.lane and organization = k.organization and conversation = k.conversation
    and direction = 'outbound' and not automated and author is not null
  order by seq desc limit 1) m`,
    values: [
      wanted.map(({ world }) => world.lane),
      wanted.map(({ world }) => world.organization),
      wanted.map(({ rest }) => rest),
    ],
  });
  const found = new Map(rows.map((row) => [`${row.organization}/${row.conversation}`, row.author]));
  for (const { world, rest } of wanted) {
    const user = found.get(`${world.organization}/${rest}`);
    world.rows.set(`replier/${rest}`, user === undefined ? null : { user });
  }
}
