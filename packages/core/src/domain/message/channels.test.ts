import { describe, expect, test } from "vitest";
import type { Accepted } from "../../model/command.ts";
import type { ConversationRow } from "../../model/conversation.ts";
import type { CustomerRow } from "../../model/customer.ts";
import type { Message } from "../../model/message.ts";
import { actors, ids, testId } from "../../testing/settings.ts";
import { type Scene, scene } from "../../testing/scene.ts";
import { conversationRow, customerRow, memoryWorld } from "../../testing/world.ts";
import { key } from "../keys.ts";

const [ann, talk, texts] = [301, 401, 402].map(testId) as [string, string, string];
const { channels, mailboxes } = ids;
const number = "+14155550101";
const mail = "ann@example.com";
const mobile = `whatsapp:${number}`;

const onMail = (patch: Partial<ConversationRow> = {}) =>
  conversationRow({
    id: talk,
    customer: ann,
    mailbox: mailboxes.sales,
    channel: channels.email,
    address: mail,
    ...patch,
  });
const stage = (conversations: readonly ConversationRow[] = [onMail()], customer: Partial<CustomerRow> = {}) =>
  scene({
    world: memoryWorld({
      customers: [customerRow({ id: ann, phone: number, email: mail, open_conversations: 1, ...customer })],
      conversations,
    }),
  });
const write = (set: Scene, channel: string, from: string): string =>
  (set.issue("message.receive", { channel, from, text: "hi" }, { actor: actors.channel }).answer as Accepted).result[
    "conversation"
  ] as string;
const send = (set: Scene, more: Record<string, string> = {}) =>
  set.issue("message.send", { conversation: talk, text: "hello", ...more });
const row = (set: Scene) => set.ledger.get<ConversationRow>(key.conversation(talk)) as ConversationRow;

describe("a reply", () => {
  test("goes where the customer last wrote, message, effect and address alike", () => {
    const set = stage();
    const { answer, effects } = send(set);
    const message = (answer as Accepted).result["message"] as string;
    expect(set.ledger.get<Message>(key.message(message))).toMatchObject({ channel: channels.email, address: mail });
    expect(effects).toMatchObject([{ payload: { channel: channels.email, to: mail } }]);
    expect(row(set)).toMatchObject({ channel: channels.email, address: mail, other_channels: {} });
  });

  test("may name another channel; the answer to it comes to the same conversation, and replies go there from then on", () => {
    const set = stage();
    const { answer, effects } = send(set, { channel: "sms" });
    const message = (answer as Accepted).result["message"] as string;
    expect(set.ledger.get<Message>(key.message(message))).toMatchObject({ channel: channels.sms, address: number });
    expect(effects).toMatchObject([{ order_key: talk, payload: { channel: channels.sms, to: number } }]);
    expect(row(set)).toMatchObject({
      channel: channels.email,
      address: mail,
      other_channels: { [channels.sms]: number },
    });
    expect(write(set, "sms", number)).toBe(talk);
    expect(row(set)).toMatchObject({
      channel: channels.sms,
      address: number,
      other_channels: { [channels.email]: mail },
    });
    expect(send(set).effects).toMatchObject([{ payload: { channel: channels.sms, to: number } }]);
    // and back
    expect(write(set, "email", mail)).toBe(talk);
    expect(row(set)).toMatchObject({
      channel: channels.email,
      address: mail,
      other_channels: { [channels.sms]: number },
    });
  });

  test("goes to the address that the conversation knows on the channel, before any other of the customer's", () => {
    const second = "+14155550102";
    const set = stage([onMail({ other_channels: { [channels.sms]: second } })], { handles: [`phone:${second}`] });
    expect(send(set, { channel: channels.sms }).effects).toMatchObject([{ payload: { to: second } }]);
  });

  test.each([
    { channel: "chat", code: "address_missing", path: "/channel" },
    { channel: "messenger", code: "address_missing", path: "/channel" },
    { channel: channels.former, code: "channel_archived", path: "/channel" },
    { channel: "none", code: "channel_not_found", path: "/channel" },
  ])("on $channel, where the customer cannot be reached, is refused: $code", ({ channel, code, path }) => {
    expect(send(stage(), { channel })).toMatchObject({ answer: { ok: false, code, path }, events: [], effects: [] });
  });

  test("on another channel than an archived one gets through", () => {
    const set = stage([onMail({ channel: channels.former })]);
    expect(send(set).answer).toMatchObject({ code: "channel_archived", path: "/conversation" });
    expect(send(set, { channel: "sms" }).answer.ok).toBe(true);
  });
});

describe("a customer who writes", () => {
  test("finds a merged conversation on the channels of both, and is answered where they wrote", () => {
    for (const [source, into] of [
      [texts, talk],
      [talk, texts],
    ] as const) {
      const sms = conversationRow({
        id: texts,
        customer: ann,
        mailbox: mailboxes.support,
        channel: channels.sms,
        address: number,
      });
      const set = stage([onMail(), sms], { open_conversations: 2 });
      expect(set.issue("conversation.merge", { conversation: source, into }).answer.ok).toBe(true);
      for (const [channel, from] of [
        ["sms", number],
        ["email", mail],
        ["sms", number],
      ] as const) {
        expect(write(set, channel, from)).toBe(into);
        const [effect] = set.issue("message.send", { conversation: into, text: "yes" }).effects;
        expect(effect?.payload).toMatchObject({ channel: channels[channel], to: from });
      }
    }
  });

  test("on a channel that the conversation does not hold starts another", () => {
    const set = stage();
    expect(write(set, "whatsapp", mobile)).not.toBe(talk);
  });
});

describe("nobody's message is refused for its sender", () => {
  test.each([
    { channel: "sms", from: "12345", address: "12345", handle: "short_code:12345", answered: true },
    { channel: "sms", from: "ACME", address: "ACME", handle: "alphanumeric:ACME", answered: false },
    { channel: "sms", from: "?!", address: "other:?!", handle: "other:sms:?!", answered: false },
    { channel: "whatsapp", from: "ACME", address: "other:ACME", handle: "other:whatsapp:ACME", answered: false },
    { channel: "email", from: "no-reply", address: "other:no-reply", handle: "other:email:no-reply", answered: false },
    { channel: "messenger", from: "x", address: "other:x", handle: "other:messenger:x", answered: false },
    { channel: "chat", from: " ", address: "other:unknown", handle: "other:chat:unknown", answered: false },
    { channel: "api", from: "", address: "other:unknown", handle: "other:api:unknown", answered: false },
  ])("$channel from $from", ({ channel, from, address, handle, answered }) => {
    const set = scene();
    const conversation = write(set, channel, from);
    expect(write(set, channel, from)).toBe(conversation);
    const found = set.ledger.get<ConversationRow>(key.conversation(conversation)) as ConversationRow;
    expect(found).toMatchObject({ address, inbound_count: 2 });
    expect(set.ledger.get<CustomerRow>(key.customer(found.customer))).toMatchObject({ handles: [handle], phone: null });
    const { answer } = set.issue("message.send", { conversation, text: "hello" });
    if (answered) expect(answer.ok).toBe(true);
    else {
      expect(answer).toMatchObject({ ok: false, code: "sender_unanswerable", path: "/conversation" });
      expect(answer).toHaveProperty("message", expect.stringContaining("cannot be answered"));
    }
  });

  test("where one cannot be answered, another channel can", () => {
    const set = stage([onMail({ channel: channels.sms, address: "ACME" })]);
    expect(send(set).answer).toMatchObject({ code: "sender_unanswerable" });
    expect(send(set, { channel: "email" }).answer.ok).toBe(true);
  });
});

test("who writes first means that very channel: a conversation that went on elsewhere is not joined", () => {
  const set = stage([onMail({ other_channels: { [channels.sms]: number } })]);
  const start = (channel: string) =>
    (set.issue("conversation.start", { channel, customer: ann }).answer as Accepted).result["conversation"];
  expect(start("email")).toBe(talk);
  expect(start("sms")).not.toBe(talk);
});
