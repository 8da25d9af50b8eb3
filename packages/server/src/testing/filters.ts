import {
  type Conversation,
  conversationDefaults,
  type Customer,
  customerDefaults,
  type Filter,
  type Json,
  type Message,
  messageDefaults,
  readFilter,
} from "@threadmill/core";
import { ids, sampleIndex, testId } from "@threadmill/core/testing";
import fc from "fast-check";
import type { Pool } from "pg";

// For tests of filters: worlds, conditions over them, and what a condition says of each row by core's own evaluation.

const at = "2026-11-20T17:00:00.000Z";
export const place = { lane: 1, organization: ids.organization };
const settings = sampleIndex();

const texts = [
  "",
  "refund",
  "REFUND",
  "Straße",
  "straſſe",
  "ΟΔΟΣ",
  "οδος",
  "İstanbul",
  "5",
  " 5 ",
  "-1.50",
  "1e3",
  "1e999",
  "-2e-400",
  ".5",
  "7.",
  "true",
  "False",
  "2026-11-20",
  "2026-02-30",
  "2026-11-20T12:00:00-05:00",
  "2026-11-20T17:00:00.000Z",
  "2026-02-30T00:00:00Z",
  "2026-11-19T24:00:00Z",
  "😀 money",
  "100%",
  "a_b\\c",
  "vip",
  "VIP",
];
const numbers = [0, 5, -1.5, 1000, 1e21, 1e-7, 0.1, 123456789012345680000, 2];
const instants = [
  "2026-11-20T17:00:00.000Z",
  "2026-11-20T05:00:00.000Z",
  "2026-11-20T04:59:59.999Z",
  "2026-11-21T05:00:00.000Z",
  "2026-11-10T12:30:00.123Z",
  "2027-01-01T00:00:00.000Z",
];
const anyText = fc.constantFrom(...texts);
const instant = fc.constantFrom(...instants);
const orNull = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(one, { freq: 2 });
const single: fc.Arbitrary<Json> = fc.oneof(anyText, fc.constantFrom(...numbers), fc.boolean(), instant);
const property: fc.Arbitrary<Json> = fc.oneof(
  { weight: 4, arbitrary: single },
  fc.array(fc.oneof({ weight: 6, arbitrary: single }, fc.constantFrom<Json>(null, {}, [], { a: 1 })), { maxLength: 3 }),
  fc.constantFrom<Json>({}, { a: { b: "refund" }, list: ["x", 5, null] }, { length: 3, "0": "zero" }),
);
const properties = fc.record({ plan: property, n: property }, { requiredKeys: [] });
const pick = (of: object) => fc.constantFrom(...(Object.values(of) as string[]));
const stamp = "2026-11-01T00:00:00.000Z";

const customerRow = fc.record({
  phone: orNull(fc.constant("+14155550101")),
  first_name: orNull(anyText),
  subscribed: fc.boolean(),
  unsubscribed_at: orNull(instant),
  assignee: orNull(pick(ids.users)),
  teams: fc.uniqueArray(pick(ids.teams), { maxLength: 2 }),
  tags: fc.array(anyText, { maxLength: 3 }),
  properties,
  state: fc.constantFrom("unreplied" as const, "replied" as const, "closed" as const),
  open_conversations: fc.constantFrom(0, 1, 5),
});
const conversationRow = fc.record({
  mailbox: pick(ids.mailboxes),
  channel: pick(ids.channels),
  subject: orNull(anyText),
  status: fc.constantFrom("open" as const, "pending" as const, "snoozed" as const, "closed" as const, "spam" as const),
  assignee: orNull(pick(ids.users)),
  team: orNull(fc.oneof(pick(ids.teams), fc.constant(testId(9999)))),
  tags: fc.array(anyText, { maxLength: 3 }),
  properties,
  snoozed_until: orNull(instant),
  waiting_since: orNull(instant),
  last_message_at: orNull(instant),
  inbound_count: fc.constantFrom(0, 1, 5, 1000),
  customer: fc.nat({ max: 5 }),
});
const messageRow = fc.record({
  conversation: fc.nat({ max: 24 }),
  text: anyText,
  tags: fc.array(anyText, { maxLength: 2 }),
  author: orNull(pick(ids.users)),
});

export interface World {
  readonly customers: readonly Customer[];
  readonly conversations: readonly Conversation[];
  readonly messages: readonly (Message & { seq: number })[];
}

/** Six customers, the third merged into the second and that one into the first; conversations and messages of theirs. */
export const world: fc.Arbitrary<World> = fc
  .tuple(
    fc.array(customerRow, { minLength: 6, maxLength: 6 }),
    fc.array(conversationRow, { minLength: 25, maxLength: 25 }),
    fc.array(messageRow, { maxLength: 20 }),
  )
  .map(([customers, conversations, messages]) => {
    const idOf = (kind: number, n: number) => testId(kind * 1000 + n);
    return {
      customers: customers.map((row, n): Customer => {
        const { wake_at: _, fired: _f, guards: _g, ...defaults } = customerDefaults;
        const merged_into = n === 1 || n === 2 ? idOf(1, n - 1) : null;
        return { ...defaults, ...row, merged_into, id: idOf(1, n), created_at: stamp, updated_at: stamp };
      }),
      conversations: conversations.map(({ customer, ...row }, n): Conversation => {
        const { wake_at: _, fired: _f, guards: _g, ...defaults } = conversationDefaults;
        const id = idOf(2, n);
        return {
          ...defaults,
          ...row,
          id,
          customer: idOf(1, customer),
          address: "+14155550101",
          created_at: stamp,
          updated_at: stamp,
        };
      }),
      messages: messages.map(({ conversation, ...row }, n) => ({
        ...messageDefaults,
        ...row,
        id: idOf(3, n),
        seq: n + 1,
        conversation: idOf(2, conversation),
        customer: idOf(1, 0),
        channel: ids.channels.sms,
        direction: "inbound" as const,
        created_at: stamp,
        updated_at: stamp,
      })),
    };
  });

/** Stores a world in the place of the one before. */
export async function store(pool: Pool, { customers, conversations, messages }: World): Promise<void> {
  for (const [table, rows, own] of [
    ["customers", customers, { fired: {} }],
    ["conversations", conversations, { fired: {} }],
    ["messages", messages, {}],
  ] as const) {
    await pool.query(`truncate ${table}`);
    await pool.query(`insert into ${table} select * from jsonb_populate_recordset(null::${table}, $1)`, [
      JSON.stringify(rows.map((row) => ({ ...place, ...row, ...own }))),
    ]);
  }
}

type Row = Readonly<Record<string, unknown>>;

/** What a filter's scope holds of a row: the oracle's side. */
export function rootsOf({ customers, messages }: World, subject: Filter["subject"], row: Conversation | Customer) {
  const survivor = (id: string): Customer | null => {
    const found = customers.find((one) => one.id === id) ?? null;
    return found === null || found.merged_into === null ? found : survivor(found.merged_into);
  };
  const conversation = subject === "conversation" ? (row as Conversation) : null;
  const customer = conversation === null ? (row as Customer) : survivor(conversation.customer);
  const { seq: _, ...message } = messages.findLast((one) => one.conversation === row.id) ?? { seq: 0 };
  const assignee = conversation?.assignee ?? customer?.assignee ?? null;
  const roots: Row = {
    customer,
    conversation,
    message: "id" in message ? message : null,
    assignee: assignee === null ? null : settings.user(assignee),
    team: conversation?.team ? settings.team(conversation.team) : null,
    mailbox: conversation === null ? null : settings.mailbox(conversation.mailbox),
    channel: conversation === null ? null : settings.channel(conversation.channel),
  };
  return (name: string | number): unknown => roots[name];
}

const right = fc.oneof(
  { weight: 3, arbitrary: single },
  fc.constantFrom<Json>(
    ...Object.values(ids.teams),
    ids.users.ben,
    ids.mailboxes.sales,
    "open",
    "CLOSED",
    { ref: "user.id" },
    { ref: "now" },
    "{{ organization.name }}",
  ),
);
const ordered: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(...numbers, "5", "2026-11-20", "2026-11-19"),
  instant,
);
const rights: Readonly<Record<string, fc.Arbitrary<Json | undefined>>> = {
  is: right,
  is_not: right,
  in: fc.array(right, { minLength: 1, maxLength: 3 }),
  not_in: fc.array(right, { minLength: 1, maxLength: 3 }),
  any_of: fc.array(right, { minLength: 1, maxLength: 3 }),
  all_of: fc.array(right, { minLength: 1, maxLength: 2 }),
  none_of: fc.array(right, { minLength: 1, maxLength: 3 }),
  contains: right,
  not_contains: right,
  starts_with: right,
  ends_with: right,
  matches: fc.constantFrom("refund|money", "vip", "5"),
  not_matches: fc.constantFrom("refund|money", "vip"),
  longer_than: fc.constantFrom(0, 4, 6.5),
  shorter_than: fc.constantFrom(1, 6),
  gt: ordered,
  gte: ordered,
  lt: ordered,
  lte: ordered,
  before: ordered,
  after: ordered,
  between: fc.tuple(ordered, ordered),
  in_last: fc.constantFrom("2h", "1d", "30d"),
  not_in_last: fc.constantFrom("2h", "30d"),
  in_next: fc.constantFrom("2h", "60d"),
  is_set: fc.constant(undefined),
  is_not_set: fc.constant(undefined),
  is_empty: fc.constant(undefined),
  is_not_empty: fc.constant(undefined),
  is_true: fc.constant(undefined),
  is_false: fc.constant(undefined),
};
export const customerFields = [
  "customer.id",
  "customer.phone",
  "customer.first_name",
  "customer.subscribed",
  "customer.unsubscribed_at",
  "customer.assignee",
  "customer.teams",
  "customer.tags",
  "customer.tags[0]",
  "customer.tags.length",
  "customer.properties.plan",
  "customer.properties.plan[0]",
  "customer.properties.plan.length",
  "customer.properties.n",
  "customer.properties.n.a.b",
  "customer.properties",
  "customer.state",
  "customer.open_conversations",
  "assignee.name",
  "assignee.archived_at",
  "user.name",
  "organization.name",
  "now",
];
export const conversationFields = [
  ...customerFields,
  "conversation.id",
  "conversation.subject",
  "conversation.subject.x",
  "conversation.status",
  "conversation.assignee",
  "conversation.team",
  "conversation.tags",
  "conversation.properties.plan",
  "conversation.properties.n.list",
  "conversation.properties.n.length",
  "conversation.waiting_since",
  "conversation.snoozed_until",
  "conversation.last_message_at",
  "conversation.inbound_count",
  "conversation.other_channels",
  "message.text",
  "message.tags",
  "message.author",
  "team.slug",
  "team.members",
  "mailbox.name",
  "mailbox.reopen_days",
  "channel.kind",
  "channel.address",
];

/** A condition over fields that these are some of. */
export const condition = (fields: readonly string[]): fc.Arbitrary<Json> => {
  const clause = fc.constantFrom(...Object.keys(rights)).chain((op) =>
    fc
      .record({
        field: fc.constantFrom(...fields),
        value: rights[op] as fc.Arbitrary<Json | undefined>,
        exact: fc.boolean(),
        match: fc.constantFrom("any", "all", "none"),
      })
      .map(({ field, value, exact, match }): Json => ({
        field,
        op,
        ...(value !== undefined && { value }),
        ...(exact && { exact }),
        ...(match !== "any" && { match }),
      })),
  );
  const { node } = fc.letrec<{ node: Json }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      clause,
      fc.array(tie("node"), { maxLength: 3 }).map((all): Json => ({ all })),
      fc.array(tie("node"), { minLength: 1, maxLength: 3 }).map((any): Json => ({ any })),
      tie("node").map((not): Json => ({ not })),
    ),
  }));
  return node;
};

/** What the clause alone does not take: an operator that is not about items has no `match`, one without text no `exact`. */
export function relaxed(json: Json, subject: Filter["subject"]): Filter | null {
  const found = readFilter(json, { subject, settings, at, user: ids.users.ben });
  if (found.ok) return found.filter;
  const strip = (one: Json): Json => {
    if (Array.isArray(one)) return one.map(strip);
    if (typeof one !== "object" || one === null) return one;
    const { exact: _, match: _m, ...rest } = one as { [name: string]: Json };
    return "field" in rest
      ? rest
      : Object.fromEntries(Object.entries(rest).map(([name, inner]) => [name, strip(inner)]));
  };
  const again = readFilter(strip(json), { subject, settings, at, user: ids.users.ben });
  return again.ok ? again.filter : null;
}
