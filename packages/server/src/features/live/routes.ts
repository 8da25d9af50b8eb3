import { IdSchema, oneOf, refuse } from "@threadmill/core";
import { Type } from "typebox";
import type { AppPorts } from "../../http/ports.ts";
import { userOf } from "../../http/rights.ts";
import { type Call, type Route, route, sentAlready } from "../../http/route.ts";
import type { AttentionWord } from "../../live/attentions.ts";
import { AttentionSchema, doings, LiveMessageSchema } from "../../live/messages.ts";
import { reachOf, withinReach } from "../../rights/reach.ts";

const params = Type.Object({ conversation: IdSchema });
const noConversation = () => refuse("not_found", "conversation_not_found", "There is no such conversation");

/** What is told to open pages, and who looks at what. */
export function liveRoutes({
  live,
  attention,
  db,
  clock,
}: Pick<AppPorts, "live" | "attention" | "db" | "clock">): Route[] {
  /** Where a conversation stands, if the caller may read it. */
  const standpointOf = async (call: Call<{ readonly conversation: string }>) => {
    const { lane, organization } = call.place;
    const reach = await reachOf(call);
    return db
      .selectFrom("conversations")
      .select(["mailbox", "team", "assignee"])
      .where((eb) => eb.and({ lane, organization, id: call.params.conversation }))
      .where(withinReach(reach))
      .executeTakeFirst();
  };

  return [
    route({
      method: "GET",
      url: "/live",
      tag: "Live",
      summary: "Tells of changes as they happen (server-sent events)",
      description:
        "Each message has a name and JSON as its data, as below. What you are told is what you may see, each event once and in the order of the log. A browser that comes back says the number that it was told last (`Last-Event-ID`) and is told what it missed; where that is too much, or not known any more, it is told to `reload`. `after` says the same for a page that begins where it has read. Who does not take what it is sent is cut off.",
      permission: null,
      query: Type.Object({
        after: Type.Optional(Type.Integer({ minimum: 0, description: "the number that is known already" })),
      }),
      answer: LiveMessageSchema,
      media: "text/event-stream",
      async handle({ place, caller, query, reply }) {
        const said = reply.request.headers["last-event-id"];
        const after = typeof said === "string" && said !== "" ? Number(said) : (query.after ?? null);
        userOf(caller);
        await live.attach({ place, caller, response: reply.raw, headers: reply.getHeaders(), after });
        return sentAlready(reply);
      },
    }),
    route({
      method: "POST",
      url: "/conversations/:conversation/attention",
      tag: "Live",
      summary: "Tells others that you look at a conversation, type in it, or do so no more",
      description:
        "It is told to open pages and kept nowhere. Looking ends by itself after 45 seconds and typing after 8, unless it is told again.",
      permission: "conversations.read",
      params,
      body: Type.Object({ doing: oneOf(doings) }, { additionalProperties: false }),
      answer: AttentionSchema,
      async handle(call) {
        const at = await standpointOf(call);
        if (at === undefined) return noConversation();
        const user = userOf(call.caller);
        const { conversation } = call.params;
        const word: AttentionWord = { ...call.place, conversation, user, doing: call.body.doing, at };
        return attention.say(word);
      },
    }),
    route({
      method: "GET",
      url: "/conversations/:conversation/attention",
      tag: "Live",
      summary: "Tells who looks at a conversation or types in it just now",
      permission: "conversations.read",
      params,
      answer: Type.Object({ items: Type.Array(AttentionSchema) }, { title: "Attentions" }),
      async handle(call) {
        if ((await standpointOf(call)) === undefined) return noConversation();
        const { conversation } = call.params;
        const found = attention.of(call.place, conversation, Date.parse(clock.now()));
        return {
          items: found.map(({ user, doing, untilMs }) => ({
            conversation,
            user,
            doing,
            until: new Date(untilMs).toISOString(),
          })),
        };
      },
    }),
  ];
}
