import { ConversationSchema, MessageSchema, oneOf } from "@threadmill/core";
import { firstIdLater } from "../asked.ts";
import { Type } from "typebox";
import { shownColumns } from "../../features/columns.ts";
import type { Tables } from "../../features/tables.ts";
import { reachIn, withinReach } from "../../rights/reach.ts";
import { csvType, lineOf } from "../csv/cells.ts";
import { endExport, jsonLine, jsonLinesType, writeExport } from "../export-file.ts";
import { defineJob, type JobContext, type JobPlan } from "../kind.ts";

interface Parameters {
  readonly format: "csv" | "jsonl";
}
/** Conversations behind one and up to another. */
interface Range {
  readonly after: string | null;
  readonly to: string;
}

const conversationColumns = shownColumns<Tables["conversations"]>(ConversationSchema);
const messageColumns = shownColumns<Tables["messages"]>(MessageSchema);

const fileOf = ({ id, parameters: { format } }: JobContext<Parameters>) => ({
  name: `conversations-${id}.${format}`,
  mediaType: format === "csv" ? csvType : jsonLinesType,
});

const within = ({ db, place, settings, actor, askedAt }: JobContext<Parameters>, after: string | null) =>
  db
    .selectFrom("conversations")
    .where("lane", "=", place.lane)
    .where("organization", "=", place.organization)
    .where(withinReach(reachIn(settings, actor)))
    .where("id", "<", firstIdLater(askedAt))
    .$if(after !== null, (query) => query.where("id", ">", after));

/** Writes conversations with their messages into a file, as far as whoever asks may read them. */
export const exportConversations = defineJob({
  name: "conversations.export",
  summary: "Writes the conversations that you may read, with their messages, into a file",
  permission: "conversations.export",
  parameters: Type.Object(
    {
      format: oneOf(
        ["csv", "jsonl"] as const,
        "a table with a row for each message, or one JSON object a line for each conversation",
      ),
    },
    { additionalProperties: false },
  ),
  open: true,
  async plan(context: JobContext<Parameters>, after: string | null): Promise<JobPlan<string, Range> | null> {
    const rows = await within(context, after).select("id").orderBy("id").limit(context.sliceItems).execute();
    const to = rows.at(-1)?.id;
    return to === undefined ? null : { plan: { after, to }, cursor: to };
  },
  async work(context, { after, to }) {
    const { db, place, parameters } = context;
    const conversations = await within(context, after)
      .where("id", "<=", to)
      .select(conversationColumns)
      .orderBy("id")
      .execute();
    const messages =
      conversations.length === 0
        ? []
        : await db
            .selectFrom("messages")
            .select(messageColumns)
            .where("lane", "=", place.lane)
            .where("organization", "=", place.organization)
            .where(
              "conversation",
              "in",
              conversations.map(({ id }) => id),
            )
            .orderBy("conversation")
            .orderBy("seq")
            .execute();
    const of = Map.groupBy(messages, ({ conversation }) => conversation);
    const csv = parameters.format === "csv";
    const first = after === null;
    const head =
      csv && first
        ? lineOf([
            ...conversationColumns.map((name) => `conversation.${name}`),
            ...messageColumns.map((name) => `message.${name}`),
          ])
        : "";
    const text = conversations.map((row) => {
      const own = of.get(row.id) ?? [];
      if (!csv) return jsonLine({ ...row, messages: own });
      const left = conversationColumns.map((name) => row[name]);
      const rows = own.map((message) => lineOf([...left, ...messageColumns.map((name) => message[name])]));
      return rows.length === 0 ? lineOf([...left, ...messageColumns.map(() => null)]) : rows.join("");
    });
    return {
      items: [],
      done: conversations.length,
      write: (tx) => writeExport(context, { ...fileOf(context), first }, head + text.join(""), tx),
    };
  },
  finish: (context, tx) => endExport(context, fileOf(context), tx),
});
