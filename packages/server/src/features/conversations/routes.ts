import {
  ConversationSchema,
  conversationStatuses,
  CustomerSchema,
  idSchema,
  IdSchema,
  MessageSchema,
  oneOf,
  orNull,
  refuse,
} from "@threadmill/core";
import { sql } from "kysely";
import { Type } from "typebox";
import { byId, list, pageById } from "../../http/pages.ts";
import type { AppPorts } from "../../http/ports.ts";
import { type Route, route } from "../../http/route.ts";
import { customersSeen } from "../../rights/counts.ts";
import { readableFamily } from "../../rights/readable.ts";
import { customersWithinReach, reachOf, withinReach } from "../../rights/reach.ts";
import { settingsSeen } from "../../rights/mailboxes.ts";
import { shownColumns } from "../columns.ts";
import { familyOf } from "../family.ts";
import { customerColumns } from "../customers/columns.ts";
import { messageColumns } from "../messages/routes.ts";
import type { Tables } from "../tables.ts";

const columns = shownColumns<Tables["conversations"]>(ConversationSchema);
const newestMessages = 20;

const conversationMissing = () => refuse("not_found", "conversation_not_found", "There is no such conversation");

/** Routes that read conversations. */
export function conversationRoutes({ db, pool }: Pick<AppPorts, "db" | "pool">): Route[] {
  const read = { method: "GET", tag: "Conversations", permission: "conversations.read" } as const;
  return [
    list({
      ...read,
      url: "/conversations",
      summary: "Lists conversations, newest first",
      query: {
        status: Type.Optional(oneOf(conversationStatuses)),
        customer: Type.Optional(idSchema("with the conversations of customers merged with this one")),
        mailbox: Type.Optional(Type.String({ maxLength: 64, description: "id or short name" })),
        channel: Type.Optional(
          Type.String({ maxLength: 64, description: "id or short name; those that hold messages of it" }),
        ),
        assignee: Type.Optional(
          Type.String({ maxLength: 320, description: "id or e-mail address of a user; `none` for those without" }),
        ),
        team: Type.Optional(Type.String({ maxLength: 64, description: "id or short name" })),
        tag: Type.Optional(Type.String({ maxLength: 100 })),
      },
      item: ConversationSchema,
      title: "ConversationPage",
      spot: byId,
      async read(call, page) {
        const { place, query, settings } = call;
        let rows = db
          .selectFrom("conversations")
          .select(columns)
          .where("lane", "=", place.lane)
          .where("organization", "=", place.organization)
          .where(withinReach(await reachOf(call)));
        const index = settingsSeen(call, await settings());
        for (const noun of ["mailbox", "team", "channel"] as const) {
          const name = query[noun];
          if (name === undefined) continue;
          const found = index[noun](name);
          if (found === null) return refuse("invalid", `${noun}_not_found`, `There is no such ${noun}`, `/${noun}`);
          rows =
            noun === "channel"
              ? rows.where(sql<boolean>`(channel = ${found.id} or other_channels ? ${found.id})`)
              : rows.where(noun, "=", found.id);
        }
        if (query.assignee === "none") rows = rows.where("assignee", "is", null);
        else if (query.assignee !== undefined) {
          const user = index.user(query.assignee);
          if (user === null) return refuse("invalid", "user_not_found", "There is no such user", "/assignee");
          rows = rows.where("assignee", "=", user.id);
        }
        if (query.status !== undefined) rows = rows.where("status", "=", query.status);
        if (query.customer !== undefined) {
          const customers = await familyOf(pool, place, "customers", query.customer);
          rows = rows.where("customer", "in", customers.length === 0 ? [query.customer] : customers);
        }
        if (query.tag !== undefined) rows = rows.where(sql<boolean>`tags @> ${[query.tag]}::text[]`);
        if (page.after !== undefined) rows = rows.where("id", "<", page.after[0]);
        return pageById(await rows.orderBy("id", "desc").limit(page.rows).execute(), page);
      },
    }),
    route({
      ...read,
      url: "/conversations/:conversation",
      summary: "Reads a conversation with its customer and newest messages",
      description:
        "The messages are those of the conversations that were merged with it too; the customer is whom its own stands for now.",
      params: Type.Object({ conversation: IdSchema }),
      answer: Type.Object(
        {
          ...ConversationSchema.properties,
          customer_detail: orNull(CustomerSchema),
          messages: Type.Array(MessageSchema, { description: `the newest ${newestMessages}, oldest first` }),
        },
        { title: "ConversationDetail" },
      ),
      async handle(call) {
        const { place, params } = call;
        const at = { lane: place.lane, organization: place.organization };
        const conversations = await readableFamily(pool, place, await reachOf(call), params.conversation);
        if (conversations.length === 0) return conversationMissing();
        const row = await db
          .selectFrom("conversations")
          .select(columns)
          .where((eb) => eb.and({ ...at, id: params.conversation }))
          .executeTakeFirst();
        if (row === undefined) return conversationMissing();
        const customers = await familyOf(pool, place, "customers", row.customer);
        const [customer, messages] = await Promise.all([
          db
            .selectFrom("customers")
            .select(customerColumns)
            .where((eb) => eb.and(at))
            .where("id", "in", [row.customer, ...customers])
            .where("merged_into", "is", null)
            .where(customersWithinReach(await reachOf(call, "customers.read")))
            .executeTakeFirst(),
          db
            .selectFrom("messages")
            .select(messageColumns)
            .where((eb) => eb.and(at))
            .where("conversation", "in", conversations)
            .orderBy("seq", "desc")
            .limit(newestMessages)
            .execute(),
        ]);
        const detail = customer === undefined ? [] : await customersSeen(pool, place, await reachOf(call), [customer]);
        return { ...row, customer_detail: detail[0] ?? null, messages: messages.toReversed() };
      },
    }),
  ];
}
