import { IdSchema, InstantSchema, orNull, refuse } from "@threadmill/core";
import type { Pool } from "pg";
import { Type } from "typebox";
import type { AppPorts } from "../../http/ports.ts";
import { userOf } from "../../http/rights.ts";
import { type Call, type Refused, type Route, route } from "../../http/route.ts";
import { isReadable } from "../../rights/readable.ts";
import { reachOf } from "../../rights/reach.ts";

const params = Type.Object({ conversation: IdSchema });
const nothing = Type.Object({}, { additionalProperties: false });
const OwnSchema = Type.Object(
  {
    conversation: IdSchema,
    read_at: orNull(InstantSchema),
    followed_since: orNull(InstantSchema),
    mentioned: Type.Boolean({ description: "whether a note in it names you" }),
  },
  { title: "OwnConversation" },
);

/** Whoever calls, if they may read the conversation of the address; else as if there were none. */
export async function readerOf(
  pool: Pool,
  call: Call<{ conversation: string }>,
): Promise<{ readonly user: string } | Refused> {
  const user = userOf(call.caller);
  if (await isReadable(pool, call.place, await reachOf(call), call.params.conversation)) return { user };
  return missing();
}

const missing = () => refuse("not_found", "conversation_not_found", "There is no such conversation");

/** Routes of what a conversation is to whoever calls: read or not, followed or not. Nobody else hears of it. */
export function ownConversationRoutes({ pool }: Pick<AppPorts, "pool">): Route[] {
  const about = { tag: "Conversations", permission: "conversations.read", params, answer: OwnSchema } as const;
  const keyOf = ({ place, params: { conversation } }: Call<{ conversation: string }>, user: string) => [
    place.lane,
    place.organization,
    user,
    conversation,
  ];
  const show = async (call: Call<{ conversation: string }>, user: string) => {
    const { rows } = await pool.query<object>(
      `select $4::uuid as conversation,
  (select read_at from read_marks where lane = $1 and organization = $2 and user_id = $3 and conversation = $4) as read_at,
  (select since from follows where lane = $1 and organization = $2 and user_id = $3 and conversation = $4) as followed_since,
  exists (select from mentions where lane = $1 and organization = $2 and conversation = $4 and user_id = $3) as mentioned`,
      keyOf(call, user),
    );
    return rows[0] as object;
  };
  /** A route that writes something and shows what is then. */
  const writing = (name: string, summary: string, text: string): Route =>
    route({
      ...about,
      method: "POST",
      url: `/conversations/:conversation/${name}`,
      summary,
      body: nothing,
      async handle(call) {
        const reader = await readerOf(pool, call);
        if ("ok" in reader) return reader;
        const { rowCount } = await pool.query(text, keyOf(call, reader.user));
        return rowCount === null ? missing() : show(call, reader.user);
      },
    });
  return [
    route({
      ...about,
      method: "GET",
      url: "/conversations/:conversation/own",
      summary: "Tells whether you have read a conversation, follow it and are named in it",
      async handle(call) {
        const reader = await readerOf(pool, call);
        return "ok" in reader ? reader : show(call, reader.user);
      },
    }),
    writing(
      "read",
      "Marks a conversation as read by you",
      `insert into read_marks (lane, organization, user_id, conversation, read_at) values ($1, $2, $3, $4, clock_timestamp())
on conflict (lane, organization, user_id, conversation) do update set read_at = excluded.read_at`,
    ),
    writing(
      "unread",
      "Marks a conversation as unread by you: its newest message from the customer is new again",
      `insert into read_marks (lane, organization, user_id, conversation, read_at)
select $1, $2, $3, $4, coalesce(last_inbound_at, created_at) - interval '1 millisecond'
from conversations where lane = $1 and organization = $2 and id = $4
on conflict (lane, organization, user_id, conversation) do update set read_at = excluded.read_at`,
    ),
    writing(
      "follow",
      "Follows a conversation",
      `insert into follows (lane, organization, user_id, conversation, since) values ($1, $2, $3, $4, clock_timestamp())
on conflict do nothing`,
    ),
    writing(
      "unfollow",
      "Follows a conversation no longer",
      "delete from follows where lane = $1 and organization = $2 and user_id = $3 and conversation = $4",
    ),
  ];
}
