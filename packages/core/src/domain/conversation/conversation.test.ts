import { describe, expect, test } from "vitest";
import type { Accepted } from "../../model/command.ts";
import type { Json } from "../../model/common.ts";
import type { ConversationRow } from "../../model/conversation.ts";
import { actors, ids, sampleSettings, sampleIndex, testId } from "../../testing/settings.ts";
import { scene } from "../../testing/scene.ts";
import { conversationRow, customerRow, memoryWorld, messageRow } from "../../testing/world.ts";
import type { Decision } from "../decide.ts";
import { key } from "../keys.ts";
import { needsOf } from "../registry.ts";

const [ann, bob, erased] = [301, 302, 304].map(testId) as [string, string, string];
const [open, closed, spam, merged, other, pending, ghost] = [401, 402, 403, 404, 405, 406, 499].map(testId) as [
  string,
  string,
  string,
  string,
  string,
  string,
  string,
];
const { users, teams, channels, mailboxes } = ids;
const then = "2026-11-10T00:00:00.000Z";
const at = "2026-11-20T17:00:01.000Z";

const talk = (id: string, patch: Partial<ConversationRow> = {}) =>
  conversationRow({
    id,
    customer: ann,
    mailbox: mailboxes.support,
    channel: channels.sms,
    address: "+14155550101",
    ...patch,
  });

const customers = [
  customerRow({
    id: ann,
    phone: "+14155550101",
    open_conversations: 2,
    unreplied_conversations: 1,
    state: "unreplied",
  }),
  customerRow({
    id: bob,
    email: "bob@example.com",
    handles: ["messenger:77"],
    open_conversations: 1,
    state: "replied",
  }),
  customerRow({ id: erased, erased_at: then }),
];
const conversations = [
  talk(open, {
    assignee: users.ben,
    team: teams.billing,
    topic: "billing",
    tags: ["vip"],
    properties: { text: "old" },
    waiting_since: then,
  }),
  talk(closed, { status: "closed", closed_at: then }),
  talk(spam, { status: "spam", closed_at: then }),
  talk(merged, { status: "closed", closed_at: then, merged_into: open }),
  talk(other, { customer: bob, channel: channels.email, address: "bob@example.com" }),
  talk(pending, { status: "pending" }),
];
const stage = (more: Record<string, unknown> = {}) => scene({ world: memoryWorld({ customers, conversations, more }) });
const told = (decision: Decision) =>
  decision.events.map((event) => [
    event.type,
    ...event.changes.map(({ table, before, after }) => (table === "conversations" ? [before, after] : after)),
  ]);

interface Case {
  readonly name: string;
  readonly type: string;
  readonly input: Record<string, Json>;
  readonly answer: Record<string, Json> | readonly [code: string, path?: string];
  readonly events?: readonly (readonly unknown[])[];
}

const counts = (open_conversations: number) => ({ open_conversations });
const state = (to: string) => ["customer.state_changed", { state: to }];

const cases: readonly Case[] = [
  // status
  {
    name: "is open",
    type: "conversation.open",
    input: { conversation: open },
    answer: { conversation: open, changed: false },
    events: [],
  },
  {
    name: "opens again",
    type: "conversation.open",
    input: { conversation: closed },
    answer: { changed: true },
    events: [
      [
        "conversation.reopened",
        [
          { status: "closed", closed_at: then },
          { status: "open", closed_at: null },
        ],
        counts(3),
      ],
    ],
  },
  {
    name: "closes",
    type: "conversation.close",
    input: { conversation: open },
    answer: { changed: true },
    events: [
      [
        "conversation.closed",
        [
          { status: "open", closed_at: null, waiting_since: then },
          { status: "closed", closed_at: at, waiting_since: null },
        ],
        { open_conversations: 1, unreplied_conversations: 0 },
      ],
      state("replied"),
    ],
  },
  {
    name: "is closed",
    type: "conversation.close",
    input: { conversation: closed },
    answer: { changed: false },
    events: [],
  },
  {
    name: "is pending",
    type: "conversation.set_pending",
    input: { conversation: pending },
    answer: { changed: false },
    events: [],
  },
  {
    name: "is set pending",
    type: "conversation.set_pending",
    input: { conversation: open },
    answer: { changed: true },
    events: [["conversation.set_pending", [{ status: "open" }, { status: "pending" }]]],
  },
  {
    name: "is spam",
    type: "conversation.mark_spam",
    input: { conversation: spam },
    answer: { changed: false },
    events: [],
  },
  {
    name: "is marked as spam",
    type: "conversation.mark_spam",
    input: { conversation: pending },
    answer: { changed: true },
    events: [
      [
        "conversation.marked_spam",
        [
          { status: "pending", closed_at: null },
          { status: "spam", closed_at: at },
        ],
        counts(1),
      ],
    ],
  },
  {
    name: "snoozes until an instant",
    type: "conversation.snooze",
    input: { conversation: pending, until: "2026-12-01T09:00:00+01:00" },
    answer: { changed: true },
    events: [
      [
        "conversation.snoozed",
        [
          { status: "pending", snoozed_until: null },
          { status: "snoozed", snoozed_until: "2026-12-01T08:00:00.000Z" },
        ],
      ],
    ],
  },
  {
    name: "snoozes until the customer writes",
    type: "conversation.snooze",
    input: { conversation: pending },
    answer: { changed: true },
    events: [["conversation.snoozed", [{ status: "pending" }, { status: "snoozed" }]]],
  },
  {
    name: "snoozes into the past",
    type: "conversation.snooze",
    input: { conversation: pending, until: at },
    answer: ["snooze_in_past", "/until"],
  },
  {
    name: "snoozes until a leap second",
    type: "conversation.snooze",
    input: { conversation: pending, until: "2026-12-31T23:59:60Z" },
    answer: ["snooze_in_past", "/until"],
  },
  {
    name: "is not there",
    type: "conversation.close",
    input: { conversation: ghost },
    answer: ["conversation_not_found", "/conversation"],
  },
  {
    name: "is merged",
    type: "conversation.close",
    input: { conversation: merged },
    answer: ["conversation_merged", "/conversation"],
  },
  // assign
  { name: "to nobody", type: "conversation.assign", input: { conversation: open }, answer: ["assignee_missing"] },
  {
    name: "by without a team",
    type: "conversation.assign",
    input: { conversation: open, user: "ben@acme.test", by: "least_busy" },
    answer: ["by_needs_team", "/by"],
  },
  {
    name: "by with a user",
    type: "conversation.assign",
    input: { conversation: open, user: "ben@acme.test", team: "billing", by: "least_busy" },
    answer: ["by_needs_team", "/by"],
  },
  {
    name: "to no known user",
    type: "conversation.assign",
    input: { conversation: open, user: "x" },
    answer: ["user_not_found", "/user"],
  },
  {
    name: "to an archived user",
    type: "conversation.assign",
    input: { conversation: open, user: users.dan },
    answer: ["user_archived", "/user"],
  },
  {
    name: "to no known team",
    type: "conversation.assign",
    input: { conversation: open, team: "x" },
    answer: ["team_not_found", "/team"],
  },
  {
    name: "to an archived team",
    type: "conversation.assign",
    input: { conversation: open, team: teams.former },
    answer: ["team_archived", "/team"],
  },
  {
    name: "to a team of nobody",
    type: "conversation.assign",
    input: { conversation: open, team: "nobody", by: "least_busy" },
    answer: ["team_has_nobody", "/team"],
  },
  {
    name: "to a user, the team stays",
    type: "conversation.assign",
    input: { conversation: open, user: "Cleo@acme.test" },
    answer: { changed: true, assignee: users.cleo, team: teams.billing },
    events: [["conversation.assigned", [{ assignee: users.ben }, { assignee: users.cleo }]]],
  },
  {
    name: "to a team, the user stays",
    type: "conversation.assign",
    input: { conversation: open, team: "support" },
    answer: { changed: true, assignee: users.ben, team: teams.support },
    events: [["conversation.assigned", [{ team: teams.billing }, { team: teams.support }]]],
  },
  {
    name: "to both",
    type: "conversation.assign",
    input: { conversation: pending, user: "ada@acme.test", team: "billing" },
    answer: { changed: true },
    events: [
      [
        "conversation.assigned",
        [
          { assignee: null, team: null },
          { assignee: users.ada, team: teams.billing },
        ],
      ],
    ],
  },
  {
    name: "to whom it is",
    type: "conversation.assign",
    input: { conversation: open, user: users.ben },
    answer: { changed: false, assignee: users.ben, team: teams.billing },
    events: [],
  },
  {
    name: "from both",
    type: "conversation.unassign",
    input: { conversation: open },
    answer: { changed: true },
    events: [
      [
        "conversation.unassigned",
        [
          { assignee: users.ben, team: teams.billing },
          { assignee: null, team: null },
        ],
      ],
    ],
  },
  {
    name: "from the user",
    type: "conversation.unassign",
    input: { conversation: open, what: "user" },
    answer: { changed: true },
    events: [["conversation.unassigned", [{ assignee: users.ben }, { assignee: null }]]],
  },
  {
    name: "from the team",
    type: "conversation.unassign",
    input: { conversation: open, what: "team" },
    answer: { changed: true },
    events: [["conversation.unassigned", [{ team: teams.billing }, { team: null }]]],
  },
  {
    name: "from nobody",
    type: "conversation.unassign",
    input: { conversation: pending, what: "both" },
    answer: { changed: false },
    events: [],
  },
  // topic, tags, properties, mailbox
  {
    name: "gets a topic",
    type: "conversation.set_topic",
    input: { conversation: open, topic: " refund " },
    answer: { changed: true },
    events: [["conversation.topic_set", [{ topic: "billing" }, { topic: "refund" }]]],
  },
  {
    name: "loses its topic",
    type: "conversation.set_topic",
    input: { conversation: open, topic: " " },
    answer: { changed: true },
    events: [["conversation.topic_set", [{ topic: "billing" }, { topic: null }]]],
  },
  {
    name: "has no topic",
    type: "conversation.set_topic",
    input: { conversation: pending, topic: null },
    answer: { changed: false },
    events: [],
  },
  {
    name: "tags",
    type: "conversation.add_tags",
    input: { conversation: open, tags: ["late", "VIP"] },
    answer: { changed: true },
    events: [["conversation.tags_added", [{ tags: ["vip"] }, { tags: ["vip", "late"] }]]],
  },
  {
    name: "too many tags",
    type: "conversation.add_tags",
    input: { conversation: open, tags: Array.from({ length: 100 }, (_, n) => `t${n}`) },
    answer: ["too_many_tags", "/tags"],
  },
  {
    name: "untags",
    type: "conversation.remove_tags",
    input: { conversation: open, tags: ["Vip"] },
    answer: { changed: true },
    events: [["conversation.tags_removed", [{ tags: ["vip"] }, { tags: [] }]]],
  },
  {
    name: "has no such tag",
    type: "conversation.remove_tags",
    input: { conversation: open, tags: ["x"] },
    answer: { changed: false },
    events: [],
  },
  {
    name: "sets a property",
    type: "conversation.set_property",
    input: { conversation: open, name: "number", value: 3 },
    answer: { changed: true },
    events: [["conversation.property_set", [{ properties: {} }, { properties: { number: 3 } }]]],
  },
  {
    name: "null takes a property away",
    type: "conversation.set_property",
    input: { conversation: open, name: "text", value: null },
    answer: { changed: true },
    events: [["conversation.property_set", [{ properties: { text: "old" } }, { properties: {} }]]],
  },
  {
    name: "has the property",
    type: "conversation.set_property",
    input: { conversation: open, name: "text", value: "old" },
    answer: { changed: false },
    events: [],
  },
  {
    name: "a wrong type",
    type: "conversation.set_property",
    input: { conversation: open, name: "date", value: "2026-02-30" },
    answer: ["property_type", "/value"],
  },
  {
    name: "moves",
    type: "conversation.move",
    input: { conversation: open, mailbox: "sales" },
    answer: { changed: true },
    events: [["conversation.moved", [{ mailbox: mailboxes.support }, { mailbox: mailboxes.sales }]]],
  },
  {
    name: "is there",
    type: "conversation.move",
    input: { conversation: open, mailbox: mailboxes.support },
    answer: { changed: false },
    events: [],
  },
  {
    name: "moves to nowhere",
    type: "conversation.move",
    input: { conversation: open, mailbox: "x" },
    answer: ["mailbox_not_found", "/mailbox"],
  },
  {
    name: "moves to an archived mailbox",
    type: "conversation.move",
    input: { conversation: open, mailbox: mailboxes.former },
    answer: ["mailbox_archived", "/mailbox"],
  },
  // merge
  {
    name: "into itself",
    type: "conversation.merge",
    input: { conversation: open, into: open },
    answer: ["merge_with_itself", "/into"],
  },
  {
    name: "into another customer's",
    type: "conversation.merge",
    input: { conversation: open, into: other },
    answer: ["other_customer", "/into"],
  },
  {
    name: "into nothing",
    type: "conversation.merge",
    input: { conversation: open, into: ghost },
    answer: ["conversation_not_found", "/into"],
  },
  {
    name: "into a merged one",
    type: "conversation.merge",
    input: { conversation: pending, into: merged },
    answer: ["conversation_merged", "/into"],
  },
  {
    name: "of a merged one",
    type: "conversation.merge",
    input: { conversation: merged, into: pending },
    answer: ["conversation_merged", "/conversation"],
  },
  {
    name: "an open one into a closed one opens it while the customer waits",
    type: "conversation.merge",
    input: { conversation: open, into: closed },
    answer: { conversation: closed, merged: open },
    events: [
      [
        "conversation.merged",
        [
          { status: "open", closed_at: null, waiting_since: then, merged_into: null },
          { status: "closed", closed_at: at, waiting_since: null, merged_into: closed },
        ],
        { open_conversations: 1, unreplied_conversations: 0 },
        [
          {
            assignee: null,
            team: null,
            topic: null,
            tags: [],
            properties: {},
            waiting_since: null,
            status: "closed",
            closed_at: then,
          },
          {
            assignee: users.ben,
            team: teams.billing,
            topic: "billing",
            tags: ["vip"],
            properties: { text: "old" },
            waiting_since: then,
            status: "open",
            closed_at: null,
          },
        ],
        { open_conversations: 2, unreplied_conversations: 1 },
      ],
    ],
  },
  {
    name: "one that nobody waits in leaves the target closed",
    type: "conversation.merge",
    input: { conversation: pending, into: closed },
    answer: { conversation: closed },
    events: [
      [
        "conversation.merged",
        [
          { status: "pending", closed_at: null, merged_into: null },
          { status: "closed", closed_at: at, merged_into: closed },
        ],
        counts(1),
      ],
    ],
  },
  // start
  { name: "to nobody", type: "conversation.start", input: { channel: "sms" }, answer: ["recipient_missing", "/to"] },
  {
    name: "on no channel",
    type: "conversation.start",
    input: { channel: "x", to: "a" },
    answer: ["channel_not_found", "/channel"],
  },
  {
    name: "on an archived channel",
    type: "conversation.start",
    input: { channel: "former", customer: ann },
    answer: ["channel_not_found", "/channel"],
  },
  {
    name: "on an archived channel by id",
    type: "conversation.start",
    input: { channel: channels.former, customer: ann },
    answer: ["channel_archived", "/channel"],
  },
  {
    name: "to no address",
    type: "conversation.start",
    input: { channel: "email", to: "x" },
    answer: ["email_invalid", "/to"],
  },
  {
    name: "to no known customer",
    type: "conversation.start",
    input: { channel: "sms", customer: ghost },
    answer: ["customer_not_found", "/customer"],
  },
  {
    name: "to an erased customer",
    type: "conversation.start",
    input: { channel: "sms", customer: erased },
    answer: ["customer_erased", "/customer"],
  },
  {
    name: "to a customer without an address there",
    type: "conversation.start",
    input: { channel: "chat", customer: ann },
    answer: ["address_missing", "/customer"],
  },
  {
    name: "to another's address",
    type: "conversation.start",
    input: { channel: "email", customer: ann, to: "bob@example.com" },
    answer: ["address_taken", "/to"],
  },
  {
    name: "makes a customer and a conversation in which nobody waits",
    type: "conversation.start",
    input: { channel: "sms", to: "+1 415 555 0188", first_name: "Di", last_name: "Orr" },
    answer: { created: true, customer_created: true },
    events: [
      [
        "customer.created",
        { phone: "+14155550188", first_name: "Di", last_name: "Orr", state: "replied", open_conversations: 1 },
      ],
      ["conversation.opened", [null, expect.objectContaining({ address: "+14155550188" })]],
    ],
  },
  {
    name: "joins the one that is open",
    type: "conversation.start",
    input: { channel: "sms", customer: ann },
    answer: { conversation: pending, customer: ann, created: false, customer_created: false },
    events: [["conversation.reopened", [{ status: "pending" }, { status: "open" }]]],
  },
  {
    name: "a new address becomes the customer's, and has a conversation of its own",
    type: "conversation.start",
    input: { channel: "sms", customer: ann, to: "+14155550190", subject: "Your order" },
    answer: { customer: ann, created: true, customer_created: false },
    events: [
      ["customer.updated", { handles: ["phone:+14155550190"] }],
      [
        "conversation.opened",
        [null, expect.objectContaining({ address: "+14155550190", subject: "Your order" })],
        counts(3),
      ],
    ],
  },
  {
    name: "writes the address as the channel does",
    type: "conversation.start",
    input: { channel: "messenger", customer: bob },
    answer: { customer: bob, created: true },
    events: [["conversation.opened", [null, expect.objectContaining({ address: "messenger:77" })], counts(2)]],
  },
  {
    name: "finds the customer of a number on WhatsApp",
    type: "conversation.start",
    input: { channel: "whatsapp", to: "+14155550101" },
    answer: { customer: ann, created: true },
    events: [["conversation.opened", [null, expect.objectContaining({ address: "whatsapp:+14155550101" })], counts(3)]],
  },
];

describe("conversation commands", () => {
  test.each(cases)("$type: $name", ({ type, input, answer, events }) => {
    const decision = stage().issue(type, input);
    if (Array.isArray(answer)) {
      const [code, path] = answer as readonly [string, string?];
      expect(decision).toMatchObject({ answer: { ok: false, code }, events: [], effects: [] });
      expect((decision.answer as { readonly path?: string }).path).toBe(path);
      return;
    }
    expect(decision.answer).toMatchObject({ ok: true, result: answer });
    if (events !== undefined) expect(told(decision)).toEqual(events);
  });

  test("a conversation of a merged customer is told of, and counted, as of whom it stands for", () => {
    const into = customerRow({ id: bob, open_conversations: 1, state: "replied" });
    const world = memoryWorld({
      customers: [customerRow({ id: ann, merged_into: bob }), into],
      conversations: [talk(open)],
    });
    const { events } = scene({ world }).issue("conversation.close", { conversation: open });
    expect(events.map((event) => [event.type, event.refs.customer, event.changes.map((change) => change.id)])).toEqual([
      ["conversation.closed", bob, [open, bob]],
      ["customer.state_changed", bob, [bob]],
    ]);
  });

  test("nobody waits in a conversation that we start", () => {
    const set = stage();
    const { answer } = set.issue("conversation.start", { channel: "sms", to: "+14155550188" });
    const id = (answer as Accepted).result["conversation"] as string;
    expect(set.ledger.get(key.conversation(id))).toMatchObject({
      status: "open",
      waiting_since: null,
      last_inbound_at: null,
    });
  });

  test("merging keeps the facts of both and the earliest wait", () => {
    const early = {
      waiting_since: "2026-11-01T00:00:00.000Z",
      last_inbound_at: "2026-11-02T00:00:00.000Z",
      last_message_at: "2026-11-09T00:00:00.000Z",
      inbound_count: 2,
      outbound_count: 1,
      last_reply_at: "2026-11-03T00:00:00.000Z",
    };
    const late = {
      waiting_since: "2026-11-05T00:00:00.000Z",
      last_inbound_at: "2026-11-06T00:00:00.000Z",
      last_message_at: "2026-11-06T00:00:00.000Z",
      last_reply_at: then,
      inbound_count: 3,
    };
    const both = {
      waiting_since: early.waiting_since,
      last_inbound_at: late.last_inbound_at,
      last_message_at: early.last_message_at,
      last_reply_at: then,
      inbound_count: 5,
      outbound_count: 1,
    };
    const full = customerRow({ id: ann, open_conversations: 2, unreplied_conversations: 2, state: "unreplied" });
    for (const [a, b] of [
      [early, late],
      [late, early],
    ]) {
      const set = scene({
        world: memoryWorld({
          customers: [full],
          conversations: [talk(open, a), talk(pending, { ...b, status: "pending" })],
        }),
      });
      set.issue("conversation.merge", { conversation: open, into: pending });
      expect(set.ledger.get(key.conversation(pending))).toMatchObject({ ...both, status: "open" });
      expect(set.ledger.get(key.customer(ann))).toMatchObject({
        open_conversations: 1,
        unreplied_conversations: 1,
        state: "unreplied",
      });
    }
  });
});

describe("the least busy member", () => {
  const { ada, ben, cleo, aria } = users;
  /** who holds how many, and who is there: the assistant is away unless it is said otherwise */
  const busy = (loads: Record<string, number>, present: Record<string, string> = {}) => ({
    ...Object.fromEntries(Object.entries(loads).map(([user, n]) => [key.load(user), { user_id: user, open: n }])),
    ...Object.fromEntries(
      Object.entries({ [aria]: "away", ...present }).map(([user, status]) => [
        key.presence(user),
        { user_id: user, status, since: then },
      ]),
    ),
  });
  test.each([
    { name: "is the first by id when all are equal", more: busy({ [ben]: 0 }), pick: ada },
    { name: "has the smallest load", more: busy({ [ada]: 2, [ben]: 3, [cleo]: 1, [aria]: 2 }), pick: cleo },
    {
      name: "is online where somebody is",
      more: busy({ [ada]: 0, [cleo]: 9, [aria]: 9 }, { [cleo]: "online", [aria]: "online", [ada]: "away" }),
      pick: cleo,
    },
    {
      name: "is anybody when nobody is online",
      more: busy({ [ada]: 5, [ben]: 6, [cleo]: 4, [aria]: 4 }, { [ada]: "away", [cleo]: "offline" }),
      pick: cleo,
    },
    { name: "is an assistant when nobody else is online", more: { [key.load(aria)]: { open: 4 } }, pick: aria },
  ])("$name", ({ more, pick }) => {
    const set = stage(more);
    const { answer } = set.issue("conversation.assign", { conversation: pending, team: "support", by: "least_busy" });
    expect(answer).toMatchObject({ result: { assignee: pick, team: teams.support } });
    expect(set.ledger.get(key.load(pick))).toMatchObject({
      open: ((more as Record<string, { open?: number }>)[key.load(pick)]?.open ?? 0) + 1,
    });
  });

  test("is found with the needs that the command names, archived members left out", () => {
    const input = { conversation: pending, team: teams.billing, by: "least_busy" };
    const named = needsOf({ type: "conversation.assign", actor: actors.admin, input }, sampleIndex());
    expect(named).toEqual([
      key.conversation(pending),
      ...[ben, cleo].flatMap((id) => [key.load(id), key.presence(id)]),
    ]);
    const none = { conversation: pending, by: "least_busy" };
    expect(needsOf({ type: "conversation.assign", actor: actors.admin, input: none }, sampleIndex())).toEqual([
      key.conversation(pending),
    ]);
  });
});

test("the least busy of a thousand is found by one read of the team", () => {
  const crowd = Array.from({ length: 1000 }, (_, n) => testId(20_000 + n));
  const users = crowd.map((id) => ({ ...sampleSettings.users[1]!, id, email: `${id}@acme.test` }));
  const team = { ...sampleSettings.teams[0]!, slug: "crowd", members: crowd };
  const settings = sampleIndex({ users: [...sampleSettings.users, ...users], teams: [team] });
  const picked = crowd[777] as string;
  const loads = Object.fromEntries(crowd.map((id) => [key.load(id), { user_id: id, open: id === picked ? 1 : 2 }]));
  const set = scene({ world: memoryWorld({ customers, conversations, more: loads }), settings });
  const assign = () =>
    set.issue("conversation.assign", { conversation: pending, team: "crowd", by: "least_busy" }).answer;
  expect(assign()).toMatchObject({ ok: true, result: { assignee: picked } });
  expect(set.ledger.reads().size).toBeLessThan(10);
  // and it sees who took one meanwhile
  set.issue("conversation.assign", { conversation: open, user: picked });
  expect(
    set.issue("conversation.assign", { conversation: open, team: "crowd", by: "least_busy" }).answer,
  ).toMatchObject({
    result: { assignee: crowd[0] },
  });
});

describe("a customer who comes again", () => {
  const old = (mailbox: string, days: number) => {
    const closed_at = new Date(Date.parse(at) - days * 86_400_000).toISOString();
    const patch: Partial<ConversationRow> = { status: "closed", closed_at, mailbox, customer: bob };
    return scene({
      world: memoryWorld({
        customers: [customerRow({ id: bob, phone: "+14155550101" })],
        conversations: [talk(closed, patch)],
      }),
      settings,
    });
  };
  // the channel leads to a mailbox that says otherwise: the conversation's own decides, wherever it was moved
  let settings = sampleIndex();
  test.each([
    { mailbox: mailboxes.support, days: 900, joins: true },
    { mailbox: mailboxes.sales, days: 7, joins: true },
    { mailbox: mailboxes.sales, days: 7.1, joins: false },
    { mailbox: mailboxes.desk, days: 0, joins: false },
    { mailbox: testId(998), days: 900, joins: true },
  ])("after $days days in $mailbox: re-opens $joins", ({ mailbox, days, joins }) => {
    const other = joins ? mailboxes.desk : mailboxes.support;
    settings = sampleIndex({ channels: sampleSettings.channels.map((each) => ({ ...each, mailbox: other })) });
    const { answer, events } = old(mailbox, days).issue("message.receive", {
      channel: "sms",
      from: "+14155550101",
      text: "again",
    });
    expect(answer).toMatchObject({
      ok: true,
      result: { conversation: joins ? closed : expect.not.stringMatching(closed) },
    });
    expect(events.map((event) => event.type)).toContain(joins ? "conversation.reopened" : "conversation.opened");
  });

  test("a closed one without an instant, or spam, is not re-opened", () => {
    const known = [customerRow({ id: bob, phone: "+14155550101" })];
    for (const patch of [{ status: "closed" as const }, { status: "spam" as const, closed_at: then }]) {
      const conversation = talk(closed, { ...patch, customer: bob, mailbox: mailboxes.sales });
      const { events } = scene({ world: memoryWorld({ customers: known, conversations: [conversation] }) }).issue(
        "message.receive",
        {
          channel: "sms",
          from: "+14155550101",
          text: "again",
        },
      );
      expect(events[0]?.type).toBe("conversation.opened");
    }
  });

  test("a merged conversation leads to the one it was merged into", () => {
    const late = talk(testId(450), { status: "closed", closed_at: then, merged_into: pending });
    const set = scene({ world: memoryWorld({ customers, conversations: [...conversations, late] }) });
    expect(set.issue("message.receive", { channel: "sms", from: "+14155550101", text: "hi" }).answer).toMatchObject({
      result: { conversation: pending },
    });
  });
});

describe("who gets a conversation", () => {
  const { ada, ben, cleo } = users;
  const limited = (capacity: number | null) =>
    sampleIndex({
      users: sampleSettings.users.map((user) => (user.id === ben || user.id === cleo ? { ...user, capacity } : user)),
    });
  const fresh = (settings = sampleIndex(), more: Readonly<Record<string, unknown>> = {}) =>
    scene({
      settings,
      world: memoryWorld({
        customers,
        conversations: [open, pending, other].map((id) => talk(id)),
        more: { [key.presence(ben)]: { user_id: ben, status: "online" }, ...more },
      }),
    });
  const assign = (set: ReturnType<typeof fresh>, conversation: string, input: Readonly<Record<string, Json>>) =>
    set.issue("conversation.assign", { conversation, ...input }).answer as Accepted & { readonly code?: string };
  const whoGot = (answer: Accepted & { readonly code?: string }) => answer.code ?? answer.result["assignee"];

  test("in turn: the next of the team each time, and the row remembers who", () => {
    const set = fresh(sampleIndex(), { [key.presence(cleo)]: { user_id: cleo, status: "online" } });
    const turn = { team: "billing", by: "round_robin" };
    expect([open, pending, other].map((id) => whoGot(assign(set, id, turn)))).toEqual([ben, cleo, ben]);
    expect(set.ledger.get(key.turn(teams.billing))).toEqual({ team_id: teams.billing, user_id: ben });
    const input = { conversation: open, ...turn };
    expect(needsOf({ type: "conversation.assign", actor: actors.admin, input }, sampleIndex()).at(-1)).toBe(
      key.turn(teams.billing),
    );
    const gone = { ...input, team: "gone" };
    expect(needsOf({ type: "conversation.assign", actor: actors.admin, input: gone }, sampleIndex())).toEqual([
      key.conversation(open),
    ]);
  });

  test("nobody gets more than they are to hold, though two are given in one go; one that they hold is no other one", () => {
    const set = fresh(limited(1));
    const least = { team: "billing", by: "least_busy" };
    expect(whoGot(assign(set, open, least))).toBe(ben);
    // cleo is away, but ben is full
    expect(whoGot(assign(set, pending, least))).toBe(cleo);
    expect(whoGot(assign(set, other, least))).toBe("nobody_available");
    expect(whoGot(assign(set, open, least))).toBe(ben);
    set.issue("conversation.close", { conversation: open });
    expect(whoGot(assign(set, other, least))).toBe(ben);
    // a closed one is no load, so that nothing is taken off for it
    expect(whoGot(assign(set, open, { user: ben, only_available: true }))).toBe("nobody_available");
  });

  test("only who is available: cleo is not, whether named or picked; a team alone is asked for nobody", () => {
    const set = fresh(limited(2));
    const only = { only_available: true };
    expect(whoGot(assign(set, open, { user: cleo, ...only }))).toBe("nobody_available");
    expect(whoGot(assign(set, open, { user: ben, ...only }))).toBe(ben);
    expect(whoGot(assign(set, pending, { team: "billing", by: "round_robin", ...only }))).toBe(ben);
    expect(whoGot(assign(set, other, { team: "billing", by: "round_robin", ...only }))).toBe("nobody_available");
    expect(whoGot(assign(set, other, { team: "billing", ...only }))).toBe("only_available_of_whom");
    const named = { conversation: open, user: ben, ...only };
    expect(needsOf({ type: "conversation.assign", actor: actors.admin, input: named }, sampleIndex())).toEqual([
      key.conversation(open),
      key.load(ben),
      key.presence(ben),
    ]);
    const unknown = { conversation: open, user: "x", ...only };
    expect(needsOf({ type: "conversation.assign", actor: actors.admin, input: unknown }, sampleIndex())).toEqual([
      key.conversation(open),
      key.load("x"),
      key.presence("x"),
    ]);
  });

  test("who replied last: a user who still works here, of the team where one is named, with room", () => {
    const last = { by: "last_replied" };
    const set = fresh(limited(1));
    expect(whoGot(assign(set, open, last))).toBe("nobody_replied");
    const reply = (id: string, actor: { readonly kind: "user"; readonly id: string }) =>
      set.issue("message.send", { conversation: id, text: "yes" }, { actor });
    reply(open, actors.admin);
    expect(whoGot(assign(set, open, last))).toBe(ada);
    reply(open, actors.agent);
    set.issue("message.note", { conversation: open, text: "look" }, { actor: actors.admin });
    set.issue("message.send", { conversation: open, text: "auto" }, { actor: actors.workflow });
    expect(whoGot(assign(set, open, { ...last, team: "billing" }))).toBe(ben);
    reply(pending, actors.admin);
    expect(whoGot(assign(set, pending, { ...last, team: "billing" }))).toBe("nobody_replied");
    reply(other, actors.agent);
    expect(whoGot(assign(set, other, last))).toBe("nobody_available");
    expect(whoGot(assign(set, other, { ...last, user: ben }))).toBe("by_needs_team");
    const input = { conversation: open, ...last };
    expect(needsOf({ type: "conversation.assign", actor: actors.admin, input }, sampleIndex())).toEqual([
      key.conversation(open),
      key.replier(open),
    ]);
  });

  test.each([
    { name: "was archived since", user: users.dan },
    { name: "is the robot", user: users.robot },
    { name: "is not known any more", user: testId(998) },
  ])("who replied last and $name gets nothing", ({ user }) => {
    const message = messageRow({
      id: testId(900),
      conversation: open,
      customer: ann,
      channel: channels.sms,
      direction: "outbound",
      author: user,
    });
    const world = memoryWorld({ customers, conversations: [talk(open)], messages: [message] });
    const set = scene({ world });
    expect(set.issue("conversation.assign", { conversation: open, by: "last_replied" }).answer).toMatchObject({
      code: "nobody_replied",
    });
  });
});
