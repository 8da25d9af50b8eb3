import fc from "fast-check";
import { prepare } from "../domain/registry.ts";
import type { SettingsIndex } from "../domain/settings-index.ts";
import type { Item } from "../mill/types.ts";
import type { Json } from "../model/common.ts";
import type { ConversationRow } from "../model/conversation.ts";
import type { CustomerRow } from "../model/customer.ts";
import type { Outcome } from "../model/effect.ts";
import type { Actor } from "../model/event.ts";
import { addMs } from "../time/instant.ts";
import type { MillShell } from "./mill.ts";
import { actors, ids, testId } from "./settings.ts";
import { tags } from "./workflows.ts";
import { standsFor, tableOf } from "./world.ts";

// Random histories for the laws of the mill. A move is a few numbers; what exists when it is made decides what they
// mean, so that histories get somewhere and shrink well.

export const beginning = "2026-11-20T17:00:00.000Z";

export interface Move {
  readonly pick: number;
  readonly dice: readonly number[];
  readonly ms: number;
}

export const moves = (maxLength: number): fc.Arbitrary<readonly Move[]> =>
  fc.noBias(
    fc.array(
      fc.record({
        pick: fc.nat(999),
        dice: fc.array(fc.nat(999), { minLength: 4, maxLength: 4 }),
        ms: fc.constantFrom(0, 0, 0, 0, 0, 1, 1000, 1000, 60_000, 60_000, 600_000, 3_600_000, 86_400_000),
      }),
      { minLength: 1, maxLength, size: "max" },
    ),
  );

type Input = { readonly [name: string]: Json };
const of = <T>(list: readonly T[], n: number): T => list[n % list.length] as T;
const phones = ["+14155550101", "+14155550102", "+14155550103"];
const mails = ["ann@example.com", "bob@example.com"];
const texts = ["refund please", "hello", "12", "thanks"];
/** Names that jsonb puts into another order, and of which JavaScript puts some first. */
const patches: readonly Input[] = [
  { zebra: 1, ab: { y: 1, longer: 2, x: [{ b: 1, a: 2 }] }, "10": "ten", "9": "nine" },
  { é: 1, z: { last: true, first: null }, zebra: null },
  { b: 1, a: 2, "2": "two" },
];
const users = [ids.users.ben, ids.users.cleo];

/** What a command is asked with, given what there is. */
type Ask = (dice: readonly number[], shell: MillShell) => Input;
/** One of the newest few; now and then one that does not exist. */
const some = (table: string, n: number, shell: MillShell): string =>
  n % 19 === 0
    ? testId(999)
    : of(
        [
          ...tableOf<{ readonly id: string }>(shell.world.rows, table)
            .map((row) => row.id)
            .sort()
            .slice(-4),
          testId(999),
        ].slice(0, 4),
        n,
      );
const someConversation = (dice: readonly number[], shell: MillShell): string =>
  some("conversations", dice[0] as number, shell);
const someCustomer = (dice: readonly number[], shell: MillShell): string => some("customers", dice[0] as number, shell);
const conversation: Ask = (dice, shell) => ({ conversation: someConversation(dice, shell) });
/** A conversation, and another of the same customer where there is one: these can become one. */
const twoConversations: Ask = (dice, shell) => {
  const { rows } = shell.world;
  const all = tableOf<ConversationRow>(rows, "conversations")
    .filter((row) => row.merged_into === null)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const pairs = all.flatMap((a) =>
    all.filter((b) => a !== b && standsFor(rows, a.customer) === standsFor(rows, b.customer)).map((b) => [a.id, b.id]),
  );
  const [conversation, into] = pairs.length === 0 ? [testId(999), testId(999)] : of(pairs, dice[1] as number);
  return { conversation: conversation as string, into: into as string };
};
/** Two customers: these can become one. */
const twoCustomers: Ask = (dice, shell) => {
  const all = tableOf<CustomerRow>(shell.world.rows, "customers")
    .filter((row) => row.merged_into === null)
    .map((row) => row.id)
    .sort();
  const [customer, into] = [dice[0] as number, dice[1] as number].map((n) => of(all, n));
  return { customer: customer as string, into: into as string };
};
const receive: Ask = ([a, b, c]) => ({
  channel: of(
    [ids.channels.sms, ids.channels.sms, ids.channels.whatsapp, ids.channels.chat, ids.channels.email],
    a as number,
  ),
  from: (a as number) % 5 === 4 ? of(mails, b as number) : of(phones, b as number),
  text: of(texts, c as number),
  ...((c as number) % 5 === 0 && { provider_id: `p${(b as number) % 4}` }),
});
const commands: readonly (readonly [string, Ask])[] = [
  ["message.receive", receive],
  ["message.receive", receive],
  ["message.receive", receive],
  ["message.receive", receive],
  ["conversation.close", conversation],
  ["conversation.open", conversation],
  ["conversation.add_tags", (dice, shell) => ({ ...conversation(dice, shell), tags: [of(tags, dice[1] as number)] })],
  [
    "conversation.set_topic",
    (dice, shell) => ({ ...conversation(dice, shell), topic: of(["a", null], dice[1] as number) }),
  ],
  ["conversation.assign", (dice, shell) => ({ ...conversation(dice, shell), user: of(users, dice[1] as number) })],
  ["conversation.unassign", conversation],
  [
    "conversation.snooze",
    (dice, shell) => ({
      ...conversation(dice, shell),
      until: of(["2026-11-20T18:00:00.000Z", "2026-11-23T18:00:00.000Z"], dice[1] as number),
    }),
  ],
  [
    "conversation.merge",
    (dice, shell) => ({ ...conversation(dice, shell), into: someConversation([dice[1] as number], shell) }),
  ],
  ["conversation.merge", twoConversations],
  ["conversation.merge", twoConversations],
  [
    "message.send",
    (dice, shell) => ({
      ...conversation(dice, shell),
      channel: of(["whatsapp", "sms", "email", "chat"], dice[1] as number),
      text: "on another channel",
    }),
  ],
  [
    "conversation.move",
    (dice, shell) => ({ ...conversation(dice, shell), mailbox: of(["support", "sales"], dice[1] as number) }),
  ],
  ["message.send", (dice, shell) => ({ ...conversation(dice, shell), text: "from a person" })],
  ["message.note", (dice, shell) => ({ ...conversation(dice, shell), text: "note" })],
  ["message.tag", (dice, shell) => ({ message: some("messages", dice[0] as number, shell), tags: ["m"] })],
  [
    "customer.add_tags",
    (dice, shell) => ({ customer: someCustomer(dice, shell), tags: [of(tags, dice[1] as number)] }),
  ],
  [
    "customer.upsert",
    (dice, shell) => ({ customer: someCustomer(dice, shell), properties: of(patches, dice[1] as number) }),
  ],
  ["customer.close", (dice, shell) => ({ customer: someCustomer(dice, shell) })],
  ["customer.unsubscribe", (dice, shell) => ({ customer: someCustomer(dice, shell) })],
  [
    "customer.merge",
    (dice, shell) => ({ customer: someCustomer(dice, shell), into: someCustomer([dice[1] as number], shell) }),
  ],
  ["customer.merge", twoCustomers],
  [
    "user.set_presence",
    (dice) => ({ user: of(users, dice[0] as number), status: of(["online", "away"], dice[1] as number) }),
  ],
  ["run.start", (dice, shell) => ({ workflow: "workflow-0", ...conversation(dice, shell) })],
  [
    "run.start",
    (dice, shell) => {
      const { conversation: about, into } = twoConversations(dice, shell) as { conversation: string; into: string };
      return { workflow: "workflow-0", conversation: about, inputs: { into } };
    },
  ],
  ["run.start", (dice, shell) => ({ workflow: "workflow-1", customer: someCustomer(dice, shell), inputs: { n: 1 } })],
  [
    "run.start",
    (dice) => ({
      workflow: of(["workflow-0", "workflow-1", "workflow-2", "none"], dice[1] as number),
      ...((dice[2] as number) % 2 === 0 && { user: of(users, dice[0] as number) }),
    }),
  ],
  [
    "run.cancel",
    (dice, shell) => ({ run: of([...shell.runs().map((run) => run.id), testId(999)], dice[0] as number) }),
  ],
  [
    "run.cancel",
    (dice, shell) => ({ run: of([...shell.timers().map((timer) => timer.run), testId(999)], dice[0] as number) }),
  ],
  ["message.send", () => ({ text: 1 })],
];

/** A command as the shell's edge makes it an item: prepared, or refused already. */
export function commandItem(
  settings: SettingsIndex,
  item: { id: string; at: string; key?: string; fingerprint?: string; type: string; input: Input; actor?: Actor },
): Extract<Item, { kind: "command" }> {
  const { id, at, type, input, actor = actors.admin } = item;
  const prepared = prepare(type, input, settings);
  const own = {
    kind: "command" as const,
    id,
    at,
    ...(item.key !== undefined && { key: item.key }),
    ...(item.fingerprint !== undefined && { fingerprint: item.fingerprint }),
  };
  return prepared.ok
    ? { ...own, command: { type, actor, input: prepared.input } }
    : { ...own, command: { type, actor, input }, refusal: prepared };
}

const outcomes: readonly Outcome[] = [
  { status: "done", output: { provider_id: "sent-1" } },
  { status: "done", output: {} },
  { status: "failed", error: { code: "rejected", message: "no such number" } },
  { status: "unknown", error: { code: "timeout", message: "it did not say" } },
];

/**
 * Plays moves on a shell, one item a call, and gives back every item that was made on the way. What falls due is
 * delivered as it falls due, or left lying for a while; some items come twice or too late. `part` counts the histories
 * that one world goes through, so that each has ids and days of its own.
 */
export function playHistory(shell: MillShell, list: readonly Move[], part = 0): Item[] {
  const { settings } = shell.config;
  const items: Item[] = [];
  let at = addMs(beginning, part * 10 * 86_400_000);
  const take = (item: Item): void => {
    items.push(item);
    shell.feed([item]);
  };
  const [first, second] = phones as [string, string];
  const beginnings = [
    [ids.channels.sms, first],
    [ids.channels.sms, second],
    [ids.channels.whatsapp, first],
  ] as const;
  for (const [n, [channel, from]] of beginnings.entries()) {
    take(
      commandItem(settings, {
        id: testId(90_000 + part * 1_000_000 + n),
        at,
        type: "message.receive",
        input: { channel, from, text: "hello" },
        actor: actors.channel,
      }),
    );
  }
  for (const [n, { pick, dice, ms }] of list.entries()) {
    at = addMs(at, ms);
    const [a, b, c, d] = dice as [number, number, number, number];
    const due = shell.effects().filter((effect) => effect.status === "due");
    if (pick % 10 < 6) {
      const [type, ask] = of(commands, Math.floor(pick / 10));
      const actor = type === "message.receive" ? actors.channel : d % 8 === 0 ? actors.agent : actors.admin;
      take(
        commandItem(settings, {
          id: testId(100_000 + part * 1_000_000 + n),
          at,
          type,
          input: ask(dice, shell),
          actor,
          ...(d % 3 === 0 && { key: `key-${d % 5}` }),
        }),
      );
    } else if (pick % 10 < 8 && due.length > 0) {
      const effect = of(due, a);
      take({
        kind: "settled",
        at,
        effect: effect.id,
        attempt: b % 7 === 0 ? effect.attempt + 1 : effect.attempt,
        outcome: of(outcomes, c),
      });
    } else if (pick % 10 === 8) {
      // a command comes again under its key with another id; ids are fresh with each admission
      const past = items.filter((item) => item.kind !== "wake" && (item.kind !== "command" || item.key !== undefined));
      const again = past.length === 0 ? undefined : of(past, a);
      if (again !== undefined)
        take(
          again.kind === "command" ? { ...again, at, id: testId(200_000 + part * 1_000_000 + n) } : { ...again, at },
        );
    } else {
      const instants = [
        ...shell.timers().map((timer) => timer.due_at),
        ...wakes(shell).map((row) => row.wake_at as string),
      ].sort();
      const next = of([...instants.slice(0, 2), at], b);
      if (next > at) at = next;
    }
    if (d % 6 === 0) continue;
    for (const timer of shell.timers().filter((each) => each.due_at <= at))
      take({ kind: "timer", at, run: timer.run, wait: timer.wait });
    for (const row of wakes(shell).filter((each) => (each.wake_at as string) <= at)) {
      take({ kind: "wake", at, subject: { kind: "customer" in row ? "conversation" : "customer", id: row.id } });
    }
  }
  return items;
}

/** Subjects whose clock will ring, by id. */
const wakes = (shell: MillShell): readonly (ConversationRow | CustomerRow)[] =>
  [
    ...tableOf<ConversationRow>(shell.world.rows, "conversations"),
    ...tableOf<CustomerRow>(shell.world.rows, "customers"),
  ].filter((row) => row.wake_at !== null);
