import { describe, expect, test } from "vitest";
import type { Json } from "../model/common.ts";
import { sampleIndex, actors, ids, testId } from "../testing/settings.ts";
import { decide } from "./decide.ts";
import { eventTypes, noticeTypes } from "./events.ts";
import { key } from "./keys.ts";
import { Ledger } from "./ledger.ts";
import { permissions } from "./permissions.ts";
import { commands, needsOf, prepare } from "./registry.ts";

const settings = sampleIndex();

describe("every command", () => {
  test.each([...commands.values()])("$type is declared in full", (command) => {
    expect(command.type).toMatch(/^(customer|conversation|message|user|effect|run|parked)\.[a-z_]+$/);
    expect(command.summary).toMatch(/^[A-Z].*[^.]$/);
    expect(permissions).toContain(command.permission);
    expect(command.input).toHaveProperty("additionalProperties", false);
    for (const type of command.events) expect({ ...eventTypes, ...noticeTypes }).toHaveProperty([type]);
    // a workflow's step may leave its target out, so the input must have it
    if (command.target !== null) expect(command.input.properties).toHaveProperty(command.target);
  });

  test("no type is taken twice, and each event comes of some command", () => {
    const told = new Set([...commands.values()].flatMap((command) => command.events));
    // what was withheld nobody commanded
    const known = Object.keys({ ...eventTypes, ...noticeTypes }).filter((type) => type !== "run.withheld");
    expect([...told].sort()).toEqual(known.sort());
  });
});

describe("prepare", () => {
  test("knows no other command", () => {
    expect(prepare("customer.explode", {}, settings)).toMatchObject({ code: "command_unknown", path: "/type" });
  });

  test.each<{ input: unknown; path: string }>([
    { input: {}, path: "" },
    { input: { conversation: "x" }, path: "/conversation" },
    { input: null, path: "" },
  ])("says where an input does not fit: $path", ({ input, path }) => {
    expect(prepare("conversation.close", input, settings)).toMatchObject({ ok: false, code: "invalid_input", path });
  });

  test("brings names to ids", () => {
    const input = { conversation: testId(1), user: "ben@acme.test", team: "billing" };
    const id = { conversation: testId(1), user: ids.users.ben, team: ids.teams.billing };
    expect(prepare("conversation.assign", input, settings)).toEqual({ ok: true, input: id });
    // what is prepared can be prepared again
    expect(prepare("conversation.assign", id, settings)).toEqual({ ok: true, input: id });
  });
});

const [a, b] = [testId(1), testId(2)];
const every = Object.entries(ids.channels)
  .filter(([name]) => name !== "former")
  .map(([, id]) => id);
const needs: Record<string, { readonly input: Record<string, Json>; readonly keys: readonly string[] }> = {
  "customer.upsert": {
    input: { customer: a, phone: "+1", email: "e", external_id: "x" },
    keys: [key.customer(a), "addresses/phone:+1", "addresses/email:e", "addresses/external:x"],
  },
  "customer.close": { input: { customer: a }, keys: [key.customer(a), key.open(a)] },
  "customer.merge": {
    input: { customer: a, into: b },
    keys: [a, b].flatMap((id) => [key.customer(id), key.open(id), ...every.map((channel) => key.latest(id, channel))]),
  },
  "conversation.start": {
    input: { channel: ids.channels.whatsapp, to: "whatsapp:+1", customer: a },
    keys: [key.customer(a), "addresses/phone:+1"],
  },
  "conversation.merge": { input: { conversation: a, into: b }, keys: [key.conversation(a), key.conversation(b)] },
  "conversation.leave_behind": {
    input: { conversation: a, user: b },
    keys: [key.conversation(a), key.presence(b)],
  },
  "message.receive": {
    input: { channel: ids.channels.sms, from: "+1", provider_id: "p/1" },
    keys: [`sender/${ids.channels.sms}/phone:+1`, `provider/${ids.channels.sms}/p/1`],
  },
  "message.record_delivery": {
    input: { channel: a, provider_id: "p", delivery: "sent" },
    keys: [key.provider(a, "p")],
  },
  "message.tag": { input: { message: a, tags: [] }, keys: [key.message(a)] },
  "user.set_presence": { input: { user: a, status: "away" }, keys: [key.presence(a)] },
  "no.such": { input: {}, keys: [] },
};
test.each(Object.entries(needs))("%s names what it reads first", (type, { input, keys }) => {
  expect(needsOf({ type, actor: actors.admin, input }, settings)).toEqual(keys);
});

test.each(
  [...commands.values()].filter(
    ({ target, type }) => target !== null && target !== "user" && target !== "run" && !(type in needs),
  ),
)("$type reads its target first", ({ type, target }) => {
  const name = { customer: key.customer, conversation: key.conversation, message: key.message, note: key.note }[
    target as "customer" | "conversation" | "message" | "note"
  ];
  expect(needsOf({ type, actor: actors.admin, input: { [target as string]: a } }, settings)).toEqual([name(a)]);
});

test.each<{ type: string; input: Record<string, Json>; keys: readonly string[] }>([
  { type: "customer.upsert", input: { email: "e" }, keys: ["addresses/email:e"] },
  { type: "conversation.start", input: { channel: ids.channels.sms, customer: a }, keys: [key.customer(a)] },
  { type: "message.record_delivery", input: { message: a, delivery: "sent" }, keys: [key.message(a)] },
])("$type reads no more than its input names", ({ type, input, keys }) => {
  expect(needsOf({ type, actor: actors.admin, input }, settings)).toEqual(keys);
});

test("a channel that is gone since leaves needs that can be met", () => {
  const needed = (type: string, input: Record<string, Json>) => needsOf({ type, actor: actors.admin, input }, settings);
  expect(needed("message.receive", { channel: "gone", from: "x" })).toEqual(["sender/gone/api:x"]);
  expect(needed("conversation.start", { channel: "gone", to: "x" })).toEqual(["addresses/api:x"]);
});

describe("a command prepared with older settings", () => {
  // between preparing and deciding, what it names may have been archived or gone
  test.each<{ type: string; input: Record<string, Json>; code: string }>([
    { type: "message.receive", input: { channel: "gone", from: "x", text: "" }, code: "channel_not_found" },
    { type: "conversation.start", input: { channel: "gone", to: "x" }, code: "channel_not_found" },
    { type: "conversation.assign", input: { conversation: a, user: ids.users.dan }, code: "user_archived" },
    { type: "conversation.move", input: { conversation: a, mailbox: ids.mailboxes.former }, code: "mailbox_archived" },
    { type: "customer.assign", input: { customer: a, user: "gone" }, code: "user_not_found" },
    { type: "customer.add_to_team", input: { customer: a, team: ids.teams.former }, code: "team_archived" },
    { type: "customer.upsert", input: { customer: a, assignee: ids.users.dan }, code: "user_archived" },
    { type: "user.set_presence", input: { user: ids.users.dan, status: "away" }, code: "user_archived" },
    { type: "no.such", input: {}, code: "command_unknown" },
  ])("$type is refused: $code", ({ type, input, code }) => {
    const ledger = new Ledger({ get: () => null });
    const standing = {
      ledger,
      settings,
      workflows: { published: () => null },
      actor: actors.admin,
      at: "2026-11-20T17:00:00.000Z",
      root: "r",
      cause: {},
      depth: 0,
      mint: () => "never",
    };
    expect(decide({ type, actor: actors.admin, input }, standing)).toMatchObject({
      answer: { ok: false, code },
      events: [],
      effects: [],
    });
  });
});
