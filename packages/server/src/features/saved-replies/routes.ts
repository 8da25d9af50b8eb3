import {
  type Conversation,
  ConversationSchema,
  type Customer,
  CustomerSchema,
  IdSchema,
  InstantSchema,
  orNull,
  readSavedText,
  refuse,
  type SettingsIndex,
} from "@threadmill/core";
import { Type } from "typebox";
import { byId, list, pageById } from "../../http/pages.ts";
import type { AppPorts } from "../../http/ports.ts";
import { callerMay, userOf } from "../../http/rights.ts";
import { type Call, type Refused, type Route, route } from "../../http/route.ts";
import { freshId } from "../../lanes/fresh-id.ts";
import { shownColumns } from "../columns.ts";
import { readerOf } from "../conversations/own-routes.ts";
import { familyOf } from "../family.ts";
import type { Tables } from "../tables.ts";
import { countUse, deleteReply, insertReply, readReplies, readReply, type SavedReply, updateReply } from "./store.ts";

const fields = {
  name: Type.String({ minLength: 1, maxLength: 200 }),
  folder: orNull(Type.String({ minLength: 1, maxLength: 200, description: "where it is kept; slashes part folders" })),
  text: Type.String({
    minLength: 1,
    maxLength: 65_536,
    description: "may name the customer, the conversation, the settings and who writes: {{ customer.first_name }}",
  }),
};
const shared = Type.Boolean({ description: "everybody's; else it is your own" });
const ReplySchema = Type.Object(
  {
    id: IdSchema,
    shared,
    ...fields,
    uses: Type.Integer({ minimum: 0, description: "how often it was put into a reply" }),
    used_at: orNull(InstantSchema),
    created_at: InstantSchema,
    updated_at: InstantSchema,
  },
  { title: "SavedReply" },
);
const conversationColumns = shownColumns<Tables["conversations"]>(ConversationSchema);
const customerColumns = shownColumns<Tables["customers"]>(CustomerSchema);
const replyMissing = () => refuse("not_found", "saved_reply_not_found", "There is no such saved reply");

const shown = ({ owner, ...reply }: SavedReply) => ({ ...reply, shared: owner === null });

/** Routes of saved replies: texts that people put into what they write, with variables. */
export function savedReplyRoutes({ pool, db, clock }: Pick<AppPorts, "pool" | "db" | "clock">): Route[] {
  const about = { tag: "Saved replies", permission: "conversations.read" } as const;
  const params = Type.Object({ reply: IdSchema });
  /** One that the caller may change: their own, or everybody's with the right. */
  const changeable = async (call: Call, id: string): Promise<SavedReply | Refused> => {
    const reply = await readReply(pool, call.place, id, call.caller.user);
    if (reply === null) return replyMissing();
    return reply.owner === null ? ((await mayShare(call)) ?? reply) : reply;
  };
  return [
    list({
      ...about,
      url: "/saved-replies",
      summary: "Lists saved replies: everybody's and your own",
      query: {
        folder: Type.Optional(Type.String({ maxLength: 200 })),
        search: Type.Optional(Type.String({ maxLength: 200, description: "a part of the name or text" })),
      },
      item: ReplySchema,
      title: "SavedReplyPage",
      spot: byId,
      async read({ place, query, caller }, page) {
        const rows = await readReplies(pool, place, caller.user, { ...query, after: page.after?.[0], most: page.rows });
        return pageById(rows, page, shown);
      },
    }),
    route({
      ...about,
      method: "POST",
      url: "/saved-replies",
      summary: "Makes a saved reply",
      description: "One for everybody needs the right `replies.write`.",
      body: Type.Object(
        { name: fields.name, text: fields.text, folder: Type.Optional(fields.folder), shared: Type.Optional(shared) },
        { additionalProperties: false },
      ),
      answer: ReplySchema,
      status: 201,
      async handle(call) {
        const { name, text, folder = null } = call.body;
        const forAll = call.body.shared === true;
        const refused = (forAll ? await mayShare(call) : null) ?? textProblem(text, await call.settings());
        if (refused !== null) return refused;
        const owner = forAll ? null : userOf(call.caller);
        return shown(await insertReply(pool, call.place, { id: freshId(), owner, name, text, folder }));
      },
    }),
    route({
      ...about,
      method: "PATCH",
      url: "/saved-replies/:reply",
      summary: "Changes a saved reply",
      description: "Fields that are left out stay as they are. One for everybody needs the right `replies.write`.",
      params,
      body: Type.Object(
        { name: Type.Optional(fields.name), text: Type.Optional(fields.text), folder: Type.Optional(fields.folder) },
        { additionalProperties: false },
      ),
      answer: ReplySchema,
      async handle(call) {
        const found = await changeable(call, call.params.reply);
        if ("ok" in found) return found;
        const { name = found.name, text = found.text, folder = found.folder } = call.body;
        const refused = textProblem(text, await call.settings());
        if (refused !== null) return refused;
        const written = await updateReply(pool, call.place, { id: found.id, name, text, folder });
        return written === null ? replyMissing() : shown(written);
      },
    }),
    route({
      ...about,
      method: "DELETE",
      url: "/saved-replies/:reply",
      summary: "Takes a saved reply away; what was written with it stays",
      params,
      answer: Type.Object({ id: IdSchema }, { title: "SavedReplyDeleted" }),
      async handle(call) {
        const found = await changeable(call, call.params.reply);
        if ("ok" in found) return found;
        await deleteReply(pool, call.place, found.id);
        return { id: found.id };
      },
    }),
    route({
      ...about,
      method: "POST",
      url: "/conversations/:conversation/saved-replies/:reply/use",
      summary: "Makes a saved reply into words for a conversation, and counts its use",
      params: Type.Object({ conversation: IdSchema, reply: IdSchema }),
      body: Type.Object({}, { additionalProperties: false }),
      answer: Type.Object({ reply: IdSchema, text: Type.String() }, { title: "SavedReplyText" }),
      async handle(call) {
        const { place, params: asked } = call;
        const reader = await readerOf(pool, call);
        if ("ok" in reader) return reader;
        const reply = await readReply(pool, place, asked.reply, call.caller.user);
        if (reply === null) return replyMissing();
        const read = readSavedText(reply.text, await call.settings(), "/text");
        if (!read.ok) return unfit(read.problems);
        const conversation = await rowOf<Conversation>("conversations", [asked.conversation], place);
        if (conversation === null)
          return refuse("not_found", "conversation_not_found", "There is no such conversation");
        const family = await familyOf(pool, place, "customers", conversation.customer);
        const customer = await rowOf<Customer>("customers", family, place);
        const made = read.text.render({ conversation, customer, user: reader.user, at: clock.now() });
        if (!made.ok) return refuse("conflict", made.code, made.message, "/text");
        await countUse(pool, place, reply.id);
        return { reply: reply.id, text: made.text };
      },
    }),
  ];

  /** The one of some rows that stands for itself, or the only one. */
  async function rowOf<R>(
    table: "customers" | "conversations",
    ids: readonly string[],
    place: { readonly lane: number; readonly organization: string },
  ): Promise<R | null> {
    const found = await db
      .selectFrom(table)
      .select((table === "customers" ? customerColumns : conversationColumns) as never[])
      .where("lane", "=", place.lane)
      .where("organization", "=", place.organization)
      .where("id", "in", ["00000000-0000-0000-0000-000000000000", ...ids])
      .orderBy("merged_into", (order) => order.asc().nullsFirst())
      .executeTakeFirst();
    return (found as R | undefined) ?? null;
  }
}

const textProblem = (text: string, settings: SettingsIndex): Refused | null => {
  const read = readSavedText(text, settings, "/text");
  return read.ok ? null : unfit(read.problems);
};

const unfit = (
  problems: readonly { readonly code: string; readonly path: string; readonly message: string }[],
): Refused => ({
  ...refuse("invalid", "text_invalid", "The text has mistakes", "/text"),
  problems: problems.map(({ code, path, message }) => ({ code, path, message })),
});

/** Why the caller may not change what is everybody's, or null. */
async function mayShare({ caller, settings }: Call): Promise<Refused | null> {
  if (callerMay(await settings(), caller, "replies.write")) return null;
  return refuse("forbidden", "forbidden", "This needs the right replies.write");
}
