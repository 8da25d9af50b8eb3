import { IdSchema, MessageSchema, oneOf, refuse } from "@threadmill/core";
import { Type } from "typebox";
import { list, pageOf } from "../../http/pages.ts";
import type { AppPorts } from "../../http/ports.ts";
import { type Route, route } from "../../http/route.ts";
import { isReadable, readableFamily } from "../../rights/readable.ts";
import { reachOf } from "../../rights/reach.ts";
import { shownColumns } from "../columns.ts";
import type { Tables } from "../tables.ts";

export const messageColumns = shownColumns<Tables["messages"]>(MessageSchema);

/** Routes that read messages. Their order is that of the log, for ids of one instant tell nothing. */
export function messageRoutes({ db, pool }: Pick<AppPorts, "db" | "pool">): Route[] {
  const read = { method: "GET", tag: "Messages", permission: "conversations.read" } as const;
  return [
    list({
      ...read,
      url: "/conversations/:conversation/messages",
      summary: "Lists the messages of a conversation",
      description: "With those of the conversations that were merged with it.",
      params: Type.Object({ conversation: IdSchema }),
      query: { order: Type.Optional(oneOf(["newest", "oldest"] as const, "which come first; default: newest")) },
      item: MessageSchema,
      title: "MessagePage",
      spot: Type.Tuple([Type.Integer()]),
      async read(call, page) {
        const { place, params, query } = call;
        const at = { lane: place.lane, organization: place.organization };
        const conversations = await readableFamily(pool, place, await reachOf(call), params.conversation);
        if (conversations.length === 0)
          return refuse("not_found", "conversation_not_found", "There is no such conversation");
        const oldest = query.order === "oldest";
        let rows = db
          .selectFrom("messages")
          .select([...messageColumns, "seq"])
          .where((eb) => eb.and(at))
          .where("conversation", "in", conversations);
        if (page.after !== undefined) rows = rows.where("seq", oldest ? ">" : "<", page.after[0]);
        const found = await rows
          .orderBy("seq", oldest ? "asc" : "desc")
          .limit(page.rows)
          .execute();
        return pageOf(
          found,
          page,
          (row) => [row.seq],
          ({ seq: _, ...message }) => message,
        );
      },
    }),
    route({
      ...read,
      url: "/messages/:message",
      summary: "Reads a message",
      params: Type.Object({ message: IdSchema }),
      answer: MessageSchema,
      async handle(call) {
        const { place, params } = call;
        const row = await db
          .selectFrom("messages")
          .select(messageColumns)
          .where((eb) => eb.and({ lane: place.lane, organization: place.organization, id: params.message }))
          .executeTakeFirst();
        const readable = row !== undefined && (await isReadable(pool, place, await reachOf(call), row.conversation));
        return readable ? row : refuse("not_found", "message_not_found", "There is no such message");
      },
    }),
  ];
}
