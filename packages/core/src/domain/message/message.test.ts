import { describe, expect, test } from "vitest";
import type { Accepted } from "../../model/command.ts";
import type { Json } from "../../model/common.ts";
import type { Delivery, Message } from "../../model/message.ts";
import { actors, ids, sampleIndex, sampleSettings, testId } from "../../testing/settings.ts";
import { scene } from "../../testing/scene.ts";
import { conversationRow, customerRow, memoryWorld, messageRow } from "../../testing/world.ts";
import { key } from "../keys.ts";

const [ann, shy, erased] = [301, 302, 303].map(testId) as [string, string, string];
const [talk, dead, quiet, gone, merged] = [401, 402, 403, 404, 405].map(testId) as [
  string,
  string,
  string,
  string,
  string,
];
const [sent, inbound, moved, ghost] = [601, 602, 603, 699].map(testId) as [string, string, string, string];
const { users, channels, mailboxes } = ids;
const then = "2026-11-10T00:00:00.000Z";
const at = "2026-11-20T17:00:01.000Z";

const place = { mailbox: mailboxes.support, channel: channels.sms, address: "+14155550101" };
const start = {
  customers: [
    customerRow({
      id: ann,
      phone: "+14155550101",
      open_conversations: 3,
      unreplied_conversations: 1,
      state: "unreplied",
    }),
    customerRow({ id: shy, subscribed: false, open_conversations: 1, state: "replied" }),
    customerRow({ id: erased, erased_at: then, open_conversations: 1, state: "replied" }),
  ],
  conversations: [
    conversationRow({ id: talk, customer: ann, ...place, waiting_since: then, inbound_count: 1 }),
    conversationRow({ id: dead, customer: ann, ...place, channel: channels.former }),
    conversationRow({ id: quiet, customer: shy, ...place }),
    conversationRow({ id: gone, customer: erased, ...place }),
    conversationRow({ id: merged, customer: ann, ...place, status: "closed", merged_into: talk }),
  ],
  messages: [
    messageRow({
      id: sent,
      conversation: talk,
      customer: ann,
      channel: channels.sms,
      direction: "outbound",
      delivery: "sent",
      provider_id: "p1",
      tags: ["vip"],
    }),
    messageRow({
      id: inbound,
      conversation: talk,
      customer: ann,
      channel: channels.sms,
      direction: "inbound",
      provider_id: "in1",
    }),
    messageRow({
      id: moved,
      conversation: merged,
      customer: ann,
      channel: channels.sms,
      direction: "outbound",
      delivery: "queued",
    }),
  ],
};
const stage = (messages: readonly Message[] = []) =>
  scene({
    world: memoryWorld({
      ...start,
      messages: [...start.messages.filter(({ id }) => !messages.some((each) => each.id === id)), ...messages],
    }),
  });

const refusals: readonly {
  type: string;
  input: Record<string, Json>;
  code: string;
  path?: string;
  actor?: (typeof actors)[keyof typeof actors];
}[] = [
  {
    type: "message.receive",
    input: { channel: "x", from: "a", text: "" },
    code: "channel_not_found",
    path: "/channel",
  },
  {
    type: "message.receive",
    input: { channel: channels.former, from: "+14155550101", text: "" },
    code: "channel_archived",
    path: "/channel",
  },
  {
    type: "message.receive",
    input: { channel: "sms", from: "+14155550101", text: "" },
    code: "not_permitted",
    actor: actors.agent,
  },
  {
    type: "message.send",
    input: { conversation: ghost, text: "a" },
    code: "conversation_not_found",
    path: "/conversation",
  },
  {
    type: "message.send",
    input: { conversation: merged, text: "a" },
    code: "conversation_merged",
    path: "/conversation",
  },
  { type: "message.send", input: { conversation: talk, text: " \n" }, code: "message_empty", path: "/text" },
  { type: "message.send", input: { conversation: dead, text: "a" }, code: "channel_archived", path: "/conversation" },
  { type: "message.send", input: { conversation: gone, text: "a" }, code: "customer_erased" },
  {
    type: "message.send",
    input: { conversation: quiet, text: "a" },
    code: "customer_unsubscribed",
    actor: actors.workflow,
  },
  {
    type: "message.note",
    input: { conversation: ghost, text: "a" },
    code: "conversation_not_found",
    path: "/conversation",
  },
  { type: "message.note", input: { conversation: talk, text: " " }, code: "message_empty", path: "/text" },
  { type: "message.tag", input: { message: ghost, tags: ["a"] }, code: "message_not_found", path: "/message" },
  { type: "message.tag", input: { message: sent, tags: ["\t"] }, code: "tag_invalid", path: "/tags/0" },
  {
    type: "message.tag",
    input: { message: sent, tags: Array.from({ length: 100 }, (_, n) => `t${n}`) },
    code: "too_many_tags",
    path: "/tags",
  },
  { type: "message.untag", input: { message: ghost, tags: ["a"] }, code: "message_not_found", path: "/message" },
  { type: "message.record_delivery", input: { delivery: "sent" }, code: "message_unidentified" },
  { type: "message.record_delivery", input: { delivery: "sent", channel: "sms" }, code: "message_unidentified" },
  {
    type: "message.record_delivery",
    input: { delivery: "sent", channel: "x", provider_id: "p" },
    code: "channel_not_found",
    path: "/channel",
  },
  {
    type: "message.record_delivery",
    input: { delivery: "sent", channel: "sms", provider_id: "p" },
    code: "message_not_found",
    path: "/provider_id",
  },
  {
    type: "message.record_delivery",
    input: { delivery: "sent", message: ghost },
    code: "message_not_found",
    path: "/message",
  },
  {
    type: "message.record_delivery",
    input: { delivery: "sent", message: inbound },
    code: "message_not_outbound",
    path: "/message",
  },
  {
    type: "message.record_delivery",
    input: { delivery: "sent", message: sent },
    code: "not_permitted",
    actor: actors.assistant,
  },
];

test.each(refusals)("$type is refused: $code", ({ type, input, code, path, actor }) => {
  const decision = stage().issue(type, input, actor === undefined ? {} : { actor });
  expect(decision).toMatchObject({ answer: { ok: false, code }, events: [], effects: [] });
  expect((decision.answer as { readonly path?: string }).path).toBe(path);
});

describe("message.receive", () => {
  test("makes the customer and the conversation, and writes the customer once", () => {
    const set = scene();
    const { answer, events } = set.issue("message.receive", {
      channel: "email",
      from: "Cy@Example.COM",
      text: "hello",
      subject: "Help",
      first_name: "Cy",
      provider_id: "m1",
      media: [{ url: "https://example.com/a.png" }],
    });
    const { customer, conversation, message } = (answer as Accepted).result as Record<
      "customer" | "conversation" | "message",
      string
    >;
    expect(
      events.map((event) => [
        event.type,
        event.refs,
        event.changes.map(({ table, before, after }) => [table, before, after]),
      ]),
    ).toEqual([
      [
        "customer.created",
        { customer },
        [
          [
            "customers",
            null,
            {
              email: "cy@example.com",
              first_name: "Cy",
              state: "unreplied",
              open_conversations: 1,
              unreplied_conversations: 1,
            },
          ],
        ],
      ],
      [
        "conversation.opened",
        { customer, conversation },
        [
          [
            "conversations",
            null,
            {
              customer,
              mailbox: mailboxes.sales,
              channel: channels.email,
              address: "cy@example.com",
              subject: "Help",
              waiting_since: at,
            },
          ],
        ],
      ],
      [
        "message.received",
        { customer, conversation, message },
        [
          [
            "messages",
            null,
            {
              conversation,
              customer,
              channel: channels.email,
              address: "cy@example.com",
              direction: "inbound",
              text: "hello",
              media: [{ url: "https://example.com/a.png" }],
              provider_id: "m1",
            },
          ],
          [
            "conversations",
            { last_message_at: null, last_inbound_at: null, inbound_count: 0 },
            { last_message_at: at, last_inbound_at: at, inbound_count: 1 },
          ],
        ],
      ],
    ]);
    const again = set.issue("message.receive", {
      channel: "email",
      from: "other@example.com",
      text: "hello",
      provider_id: "m1",
    });
    expect(again).toMatchObject({
      answer: { result: { message, conversation, customer, duplicate: true } },
      events: [],
    });
  });

  test("a view that outlived its message still says that it is known", () => {
    const world = memoryWorld(start);
    const stale = { get: (name: string) => (name.startsWith("provider/") ? { id: ghost } : world.get(name)) };
    const { answer } = scene({ world: stale }).issue("message.receive", {
      channel: "sms",
      from: "+14155550101",
      text: "",
      provider_id: "p",
    });
    expect(answer).toMatchObject({ result: { message: ghost, conversation: null, customer: null, duplicate: true } });
  });

  test("joins, keeps the first wait, and finds a number on WhatsApp and SMS alike", () => {
    const set = stage();
    expect(set.issue("message.receive", { channel: "sms", from: "+14155550101", text: "again" }).answer).toMatchObject({
      result: { customer: ann },
    });
    expect(
      set.issue("message.receive", { channel: "whatsapp", from: "whatsapp:+14155550101", text: "here" }).answer,
    ).toMatchObject({ result: { customer: ann } });
    expect(set.ledger.get(key.customer(ann))).toMatchObject({ open_conversations: 4 });
  });
});

describe("message.send", () => {
  test("by a person answers the customer and asks for the delivery", () => {
    const set = stage();
    const { answer, events, effects } = set.issue(
      "message.send",
      { conversation: talk, text: "Hi", media: [] },
      { actor: actors.agent },
    );
    const { message, effect } = (answer as Accepted).result as Record<"message" | "effect", string>;
    const refs = { customer: ann, conversation: talk, message };
    expect(events.map((event) => [event.type, event.refs])).toEqual([
      ["message.sent", refs],
      ["customer.state_changed", { customer: ann }],
    ]);
    expect(events[0]?.changes).toEqual([
      {
        table: "messages",
        id: message,
        before: null,
        after: {
          conversation: talk,
          customer: ann,
          channel: channels.sms,
          address: "+14155550101",
          direction: "outbound",
          author: users.ben,
          text: "Hi",
          delivery: "queued",
        },
      },
      {
        table: "conversations",
        id: talk,
        before: { last_message_at: null, outbound_count: 0, last_reply_at: null, waiting_since: then },
        after: { last_message_at: at, outbound_count: 1, last_reply_at: at, waiting_since: null },
      },
      { table: "customers", id: ann, before: { unreplied_conversations: 1 }, after: { unreplied_conversations: 0 } },
    ]);
    expect(effects).toMatchObject([
      {
        id: effect,
        kind: "message.deliver",
        order_key: talk,
        key: effect,
        refs,
        payload: { message, channel: channels.sms, to: "+14155550101", text: "Hi", media: [] },
        due_at: at,
      },
    ]);
  });

  test("by a workflow is the robot's, leaves the customer waiting, and is counted", () => {
    const set = stage();
    const { events } = set.issue("message.send", { conversation: talk, text: "Soon" }, { actor: actors.workflow });
    expect(events.map((event) => event.type)).toEqual(["message.sent"]);
    expect(events[0]?.changes[0]?.after).toMatchObject({ author: users.robot, automated: true });
    expect(set.ledger.get(key.conversation(talk))).toMatchObject({ waiting_since: then, last_reply_at: null });
    expect(set.ledger.get(key.customer(ann))).toMatchObject({ guards: { sends: [at] } });
    set.issue("message.send", { conversation: talk, text: "Done", counts_as_reply: true }, { actor: actors.workflow });
    expect(set.ledger.get(key.conversation(talk))).toMatchObject({ waiting_since: null });
  });

  test("the limit of automated messages is of an hour", () => {
    const organization = {
      ...sampleSettings.organization,
      limits: { ...sampleSettings.organization.limits, automated_messages_per_hour: 2 },
    };
    const set = scene({ world: memoryWorld(start), settings: sampleIndex({ organization }) });
    const send = () => set.issue("message.send", { conversation: talk, text: "a" }, { actor: actors.system }).answer;
    expect([send().ok, send().ok]).toEqual([true, true]);
    expect(send()).toMatchObject({ kind: "limited", code: "too_many_automated_messages" });
    set.pass(3_599_000);
    expect(send().ok).toBe(true);
  });

  test("a person may write to who wants no automated messages", () => {
    expect(
      stage().issue("message.send", { conversation: quiet, text: "a", media: [{ url: "https://example.com/x" }] })
        .answer.ok,
    ).toBe(true);
  });
});

describe("message.note", () => {
  test("names users, each once, and nobody who does not work here", () => {
    const note = (mentions: string[]) =>
      stage().issue("message.note", { conversation: talk, text: "look at this", mentions }, { actor: actors.agent });
    expect(note([users.cleo, users.ada, users.cleo]).events).toMatchObject([
      { type: "message.noted", data: { mentions: [users.cleo, users.ada] } },
    ]);
    expect(note([]).events[0]).not.toHaveProperty("data");
    for (const wrong of [users.dan, testId(9999)])
      expect(note([users.ada, wrong]).answer).toMatchObject({ ok: false, code: "user_not_found", path: "/mentions/1" });
  });

  test.each([
    { actor: actors.agent, author: users.ben, automated: undefined },
    { actor: actors.workflow, author: users.robot, automated: true },
  ])("is written by $author and touches no fact", ({ actor, author, automated }) => {
    const { answer, events } = stage().issue("message.note", { conversation: talk, text: "call back" }, { actor });
    const message = (answer as Accepted).result["message"] as string;
    expect(events).toMatchObject([{ type: "message.noted", refs: { customer: ann, conversation: talk, message } }]);
    expect(events[0]?.changes).toEqual([
      {
        table: "messages",
        id: message,
        before: null,
        after: {
          conversation: talk,
          customer: ann,
          channel: channels.sms,
          direction: "note",
          author,
          text: "call back",
          ...(automated && { automated }),
        },
      },
    ]);
  });

  test("is left in a conversation whose customer is not there", () => {
    const world = memoryWorld({ conversations: start.conversations });
    expect(scene({ world }).issue("message.note", { conversation: talk, text: "a" }).events[0]?.refs.customer).toBe(
      ann,
    );
  });
});

describe("tags of messages", () => {
  test.each([
    { type: "message.tag", tags: ["late", "VIP"], before: ["vip"], after: ["vip", "late"], event: "message.tagged" },
    { type: "message.untag", tags: ["Vip"], before: ["vip"], after: [], event: "message.untagged" },
    { type: "message.tag", tags: ["vip"], before: null, after: null, event: null },
    { type: "message.untag", tags: ["late"], before: null, after: null, event: null },
  ])("$type $tags", ({ type, tags, before, after, event }) => {
    const { answer, events } = stage().issue(type, { message: sent, tags });
    expect(answer).toEqual({ ok: true, result: { message: sent, changed: event !== null } });
    const refs = { customer: ann, conversation: talk, message: sent };
    expect(events).toMatchObject(
      event === null ? [] : [{ type: event, refs, changes: [{ before: { tags: before }, after: { tags: after } }] }],
    );
  });

  test("what happens in a merged conversation is told of the one it was merged into", () => {
    expect(stage().issue("message.tag", { message: moved, tags: ["a"] }).events[0]?.refs).toEqual({
      customer: ann,
      conversation: talk,
      message: moved,
    });
  });

  test("a conversation that is not there is named as it was", () => {
    const world = memoryWorld({ messages: start.messages });
    expect(scene({ world }).issue("message.tag", { message: moved, tags: ["a"] }).events[0]?.refs).toEqual({
      customer: ann,
      conversation: merged,
      message: moved,
    });
  });
});

describe("message.record_delivery", () => {
  const all: readonly Delivery[] = ["queued", "held", "sent", "failed", "unsubscribed", "delivered", "read"];
  /** from each delivery, where news may lead */
  const onward: Record<string, readonly Delivery[]> = {
    queued: ["sent", "delivered", "read", "failed", "held", "unsubscribed"],
    held: ["sent", "delivered", "read", "failed", "unsubscribed"],
    sent: ["delivered", "read", "failed", "unsubscribed"],
    failed: ["delivered", "read"],
    unsubscribed: ["delivered", "read"],
    delivered: ["read"],
    read: [],
  };
  const pairs = all.flatMap((from) => all.filter((to) => to !== "queued").map((to) => ({ from, to })));

  test.each(pairs)("from $from, news of $to", ({ from, to }) => {
    const set = stage([messageRow({ ...(start.messages[0] as Message), delivery: from })]);
    const { answer, events } = set.issue("message.record_delivery", {
      channel: "sms",
      provider_id: "p1",
      delivery: to,
      error: "no route",
    });
    const moves = (onward[from] as readonly Delivery[]).includes(to);
    expect(answer).toEqual({ ok: true, result: { message: sent, changed: moves, delivery: moves ? to : from } });
    const error = to === "failed" || to === "held" ? { delivery_error: "no route" } : {};
    expect(
      events.map((event) => [event.type, event.changes[0]?.before?.["delivery"], event.changes[0]?.after]),
    ).toEqual(moves ? [["message.delivery_changed", from, { delivery: to, ...error }]] : []);
  });

  test("keeps the provider's id, even when it comes with late news, and finds the message by it", () => {
    const set = stage([messageRow({ ...(start.messages[2] as Message), delivery: "delivered" })]);
    expect(
      set.issue("message.record_delivery", { message: moved, delivery: "sent", provider_id: "q9" }).events[0]
        ?.changes[0]?.after,
    ).toEqual({ provider_id: "q9" });
    expect(
      set.issue("message.record_delivery", { channel: channels.sms, provider_id: "q9", delivery: "read" }).answer,
    ).toMatchObject({ result: { message: moved, delivery: "read" } });
  });

  test("a failed message goes out after all under another id; the error is gone", () => {
    const failed = messageRow({ ...(start.messages[0] as Message), delivery: "failed", delivery_error: "busy" });
    const same = stage([failed]).issue("message.record_delivery", {
      message: sent,
      delivery: "sent",
      provider_id: "p1",
    });
    expect(same.events).toEqual([]);
    const next = stage([failed]).issue("message.record_delivery", {
      message: sent,
      delivery: "sent",
      provider_id: "p2",
    });
    expect(next.events[0]?.changes[0]?.after).toEqual({ delivery: "sent", delivery_error: null, provider_id: "p2" });
  });

  test("a failure needs no words", () => {
    const { events } = stage().issue("message.record_delivery", { message: moved, delivery: "failed" });
    expect(events[0]?.changes[0]?.after).toEqual({ delivery: "failed" });
  });
});
