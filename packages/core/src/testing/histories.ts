import fc from "fast-check";
import { prepare } from "../domain/registry.ts";
import { indexSettings, type SettingsIndex } from "../domain/settings-index.ts";
import type { PublishedWorkflow } from "../match/active.ts";
import type { Item } from "../mill/types.ts";
import type { Json } from "../model/common.ts";
import type { ConversationRow } from "../model/conversation.ts";
import type { CustomerRow } from "../model/customer.ts";
import type { Outcome } from "../model/effect.ts";
import type { Actor } from "../model/event.ts";
import { addMs } from "../time/instant.ts";
import type { StepDocument, TriggerDocument, WorkflowDocument } from "../workflow/document.ts";
import { type MillShell, officeSettings, publish } from "./mill.ts";
import { actors, ids, testId } from "./settings.ts";
import { tableOf } from "./world.ts";

// Random workflows and random histories for the laws of the mill. A move is a few numbers; what exists when it is made
// decides what they mean, so that histories get somewhere and shrink well.

export const beginning = "2026-11-20T17:00:00.000Z";

// ---- workflows

const tags = ["t0", "t1", "t2"];
const triggers: readonly TriggerDocument[] = [
  { event: "message.received" },
  { event: "message.received" },
  { event: "message.received", when: { field: "message.text", op: "contains", value: "refund" } },
  { event: "message.received", when: { field: "message.text", op: "gt", value: 3 } },
  { event: "conversation.opened" },
  { event: "conversation.tags_added", when: { field: "conversation.tags", op: "contains", value: "t0" } },
  { event: "conversation.tags_added", when: { field: "conversation.tags", op: "contains", value: "t1" } },
  { event: "conversation.assigned" },
  { event: "conversation.closed" },
  { event: "conversation.reopened" },
  { event: "conversation.topic_set", when: { field: "conversation.topic", op: "changed" } },
  { event: "message.sent" },
  { event: "message.delivery_changed" },
  { event: "customer.tags_added" },
  { event: "customer.state_changed" },
  { event: "user.presence_changed" },
];
const timeTriggers: readonly TriggerDocument[] = [
  { time: { since: "conversation.waiting_since", for: "10m" } },
  { time: { since: "conversation.waiting_since", for: "1m" }, when: { field: "conversation.tags", op: "contains", value: "t1" } },
  { time: { since: "conversation.waiting_since", for: "1m" }, when: { field: "customer.tags", op: "contains", value: "t2" } },
  { time: { since: "conversation.waiting_since", for: "1m" }, when: { field: "conversation.last_inbound_at", op: "not_in_last", value: "1h" } },
  { time: { since: "conversation.created_at", for: "1h", in: "office" } },
  { time: { since: "customer.created_at", for: "30m" }, when: { not: { field: "customer.tags", op: "contains", value: "t2" } } },
];

const actions: readonly { readonly action: string; readonly input?: { readonly [name: string]: Json } }[] = [
  { action: "conversation.add_tags", input: { tags: ["t0"] } },
  { action: "conversation.add_tags", input: { tags: ["t1"] } },
  { action: "conversation.remove_tags", input: { tags: tags } },
  { action: "customer.add_tags", input: { tags: ["t2", "{{ event.type }}"] } },
  { action: "conversation.set_topic", input: { topic: "{{ message.text | default: 'none' }}" } },
  { action: "conversation.assign", input: { team: "support", by: "least_busy" } },
  { action: "conversation.assign", input: { user: "ben@acme.test", team: "billing" } },
  { action: "message.send", input: { text: "Hi {{ customer.first_name | default: 'there' }}" } },
  { action: "message.send", input: { text: "and again" } },
  { action: "message.send", input: { text: "{{ nothing }}" } },
  { action: "message.note", input: { text: "seen" } },
  { action: "conversation.close" },
  { action: "conversation.open" },
  { action: "conversation.snooze", input: { until: "2026-11-20T17:30:00.000Z" } },
  { action: "customer.close" },
  { action: "run.start", input: { workflow: "workflow-0", conversation: { ref: "conversation.id" } } },
  { action: "run.start", input: { workflow: "workflow-1", customer: { ref: "customer.id" }, inputs: { n: 1 } } },
];
const waits: readonly StepDocument[] = [
  { wait: { for: "1s" } },
  { wait: { for: "1m", unless: "message.received" } },
  { wait: { for: "2h", in: "office" } },
  { wait: { until: "2026-11-20T17:05:00.000Z" } },
  { wait: { until: { ref: "customer.created_at" } } },
  { wait: { until: { ref: "customer.first_name" } } },
  { wait: { unless: "message.received" } },
  { wait: { unless: "conversation.tags_added" } },
  { wait: { unless: "user.presence_changed", for: "10m" } },
  { wait: { for: "10m", unless: "message.delivery_changed" } },
];
const conditions: readonly Json[] = [
  { field: "conversation.tags", op: "contains", value: "t0" },
  { field: "customer.state", op: "is", value: "unreplied" },
  { field: "conversation.topic", op: "gt", value: 1 },
  { all: [{ field: "message.text", op: "contains", value: "refund" }, { not: { field: "conversation.assignee", op: "is_set" } }] },
];

const oneOfThe = <T>(list: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...list);
const stepShape = fc.record({
  kind: fc.constantFrom("action", "action", "action", "action", "send", "branch", "wait", "wait", "stop"),
  action: oneOfThe(actions),
  wait: oneOfThe(waits),
  condition: oneOfThe(conditions),
  awaits: fc.boolean(),
  onError: fc.option(fc.nat(5), { nil: null }),
  other: fc.option(fc.nat(5), { nil: null }),
});
type StepShape = typeof stepShape extends fc.Arbitrary<infer T> ? T : never;

/** Steps in a row; other edges lead onward, so no circle lacks a wait. */
function stepsOf(shapes: readonly StepShape[], again: boolean): Record<string, StepDocument> {
  const steps: Record<string, StepDocument> = {};
  const onward = (at: number, by: number | null): string | undefined =>
    by === null || at + 1 + by >= shapes.length ? undefined : `s${at + 1 + by}`;
  for (const [at, shape] of shapes.entries()) {
    const next = onward(at, 0);
    const onError = onward(at, shape.onError);
    const other = onward(at, shape.other);
    const ways = { ...(next !== undefined && { next }), ...(onError !== undefined && { onError }) };
    if (shape.kind === "wait") steps[`s${at}`] = { ...shape.wait, ...ways, ...(other !== undefined && { onInterrupt: other }) } as StepDocument;
    else if (shape.kind === "branch") {
      steps[`s${at}`] = { branch: [{ when: shape.condition, ...(other !== undefined && { next: other }) }], ...ways };
    } else if (shape.kind === "stop") steps[`s${at}`] = { stop: at % 2 === 0 ? true : { reason: "enough", outputs: { at } } };
    else if (shape.kind === "send") steps[`s${at}`] = { action: "message.send", input: { text: "hello" }, await: shape.awaits, ...ways };
    else steps[`s${at}`] = { ...shape.action, await: shape.awaits, ...ways };
  }
  // now and then it goes round, by way of a wait
  const last = `s${shapes.length - 1}`;
  const first = steps["s0"] as StepDocument;
  if (again && shapes.length > 1 && "wait" in first && (first.wait.for ?? first.wait.until) !== undefined && "action" in (steps[last] as object)) {
    steps[last] = { ...(steps[last] as object), next: "s0" } as StepDocument;
  }
  return steps;
}

const document = (kind: WorkflowDocument["kind"]): fc.Arbitrary<Partial<WorkflowDocument> & Pick<WorkflowDocument, "steps">> =>
  fc
    .record({
      events: fc.array(oneOfThe(triggers), { minLength: 1, maxLength: 2 }),
      time: fc.option(oneOfThe(timeTriggers), { nil: null, freq: 3 }),
      shapes: fc.array(stepShape, { minLength: 1, maxLength: 5 }),
      again: fc.boolean(),
      order: fc.integer({ min: -1, max: 1 }),
      when_running: fc.constantFrom("start" as const, "start" as const, "skip" as const, "replace" as const),
      mailboxes: fc.option(fc.constantFrom<string[]>(["support"], ["sales"]), { nil: undefined, freq: 4 }),
      runs_per_day: fc.option(fc.constantFrom(1, 3), { nil: undefined, freq: 4 }),
    })
    .map(({ events, time, shapes, again, order, when_running, mailboxes, runs_per_day }) => ({
      kind,
      steps: stepsOf(shapes, again),
      order,
      when_running,
      ...(kind === "automatic" && { triggers: time === null ? events : [...events, time] }),
      ...(mailboxes !== undefined && { mailboxes }),
      ...(runs_per_day !== undefined && { limits: { runs_per_day } }),
    }));

const settingsVariants = {
  usual: officeSettings,
  tight: {
    ...officeSettings,
    organization: {
      ...officeSettings.organization,
      limits: { runs_per_subject_per_day: 4, chain_depth: 2, automated_messages_per_hour: 2, allowance: 12 },
    },
  },
  braked: { ...officeSettings, organization: { ...officeSettings.organization, automation: "braked" as const } },
};
const indexed = Object.fromEntries(Object.entries(settingsVariants).map(([name, all]) => [name, indexSettings(all)])) as Record<
  keyof typeof settingsVariants,
  SettingsIndex
>;

export interface Setting {
  readonly settings: SettingsIndex;
  readonly documents: readonly (Partial<WorkflowDocument> & Pick<WorkflowDocument, "steps">)[];
  readonly workflows: readonly PublishedWorkflow[];
}

/** An organization and its workflows. The first is manual, the second callable, the others start by themselves. */
export const anySetting: fc.Arbitrary<Setting> = fc
  .record({
    variant: fc.constantFrom("usual" as const, "usual" as const, "usual" as const, "usual" as const, "tight" as const, "tight" as const, "braked" as const),
    manual: document("manual"),
    callable: document("callable"),
    automatic: fc.array(document("automatic"), { minLength: 1, maxLength: 4 }),
  })
  .map(({ variant, manual, callable, automatic }) => {
    const settings = indexed[variant];
    const documents = [manual, callable, ...automatic];
    return { settings, documents, workflows: documents.map((each, n) => publish(n, each, { settings })) };
  });

// ---- histories

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
const texts = ["refund please", "hello", "12", "thanks"];
const users = [ids.users.ben, ids.users.cleo];

/** What a command is asked with, given what there is. */
type Ask = (dice: readonly number[], shell: MillShell) => Input;
/** One of the newest few; now and then one that does not exist. */
const some = (table: string, n: number, shell: MillShell): string =>
  n % 19 === 0 ? testId(999) : of([...tableOf<{ readonly id: string }>(shell.world.rows, table).map((row) => row.id).sort().slice(-4), testId(999)].slice(0, 4), n);
const someConversation = (dice: readonly number[], shell: MillShell): string => some("conversations", dice[0] as number, shell);
const someCustomer = (dice: readonly number[], shell: MillShell): string => some("customers", dice[0] as number, shell);
const conversation: Ask = (dice, shell) => ({ conversation: someConversation(dice, shell) });
const receive: Ask = ([a, b, c]) => ({
  channel: of([ids.channels.sms, ids.channels.sms, ids.channels.whatsapp, ids.channels.chat], a as number),
  from: of(phones, b as number),
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
  ["conversation.set_topic", (dice, shell) => ({ ...conversation(dice, shell), topic: of(["a", null], dice[1] as number) })],
  ["conversation.assign", (dice, shell) => ({ ...conversation(dice, shell), user: of(users, dice[1] as number) })],
  ["conversation.unassign", conversation],
  ["conversation.snooze", (dice, shell) => ({ ...conversation(dice, shell), until: of(["2026-11-20T18:00:00.000Z", "2026-11-23T18:00:00.000Z"], dice[1] as number) })],
  ["conversation.merge", (dice, shell) => ({ ...conversation(dice, shell), into: someConversation([dice[1] as number], shell) })],
  ["conversation.move", (dice, shell) => ({ ...conversation(dice, shell), mailbox: of(["support", "sales"], dice[1] as number) })],
  ["message.send", (dice, shell) => ({ ...conversation(dice, shell), text: "from a person" })],
  ["message.note", (dice, shell) => ({ ...conversation(dice, shell), text: "note" })],
  ["message.tag", (dice, shell) => ({ message: some("messages", dice[0] as number, shell), tags: ["m"] })],
  ["customer.add_tags", (dice, shell) => ({ customer: someCustomer(dice, shell), tags: [of(tags, dice[1] as number)] })],
  ["customer.close", (dice, shell) => ({ customer: someCustomer(dice, shell) })],
  ["customer.unsubscribe", (dice, shell) => ({ customer: someCustomer(dice, shell) })],
  ["customer.merge", (dice, shell) => ({ customer: someCustomer(dice, shell), into: someCustomer([dice[1] as number], shell) })],
  ["user.set_presence", (dice) => ({ user: of(users, dice[0] as number), status: of(["online", "away"], dice[1] as number) })],
  ["run.start", (dice, shell) => ({ workflow: "workflow-0", ...conversation(dice, shell) })],
  ["run.start", (dice, shell) => ({ workflow: "workflow-1", customer: someCustomer(dice, shell), inputs: { n: 1 } })],
  ["run.start", (dice) => ({ workflow: of(["workflow-0", "workflow-1", "workflow-2", "none"], dice[1] as number), ...((dice[2] as number) % 2 === 0 && { user: of(users, dice[0] as number) }) })],
  ["run.cancel", (dice, shell) => ({ run: of([...shell.runs().map((run) => run.id), testId(999)], dice[0] as number) })],
  ["run.cancel", (dice, shell) => ({ run: of([...shell.timers().map((timer) => timer.run), testId(999)], dice[0] as number) })],
  ["message.send", () => ({ text: 1 })],
];

/** A command as the shell's edge makes it an item: prepared, or refused already. */
export function commandItem(settings: SettingsIndex, item: { id: string; at: string; key?: string; type: string; input: Input; actor?: Actor }): Extract<Item, { kind: "command" }> {
  const { id, at, type, input, actor = actors.admin } = item;
  const prepared = prepare(type, input, settings);
  const own = { kind: "command" as const, id, at, ...(item.key !== undefined && { key: item.key }) };
  return prepared.ok ? { ...own, command: { type, actor, input: prepared.input } } : { ...own, command: { type, actor, input }, refusal: prepared };
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
  for (const [n, from] of phones.slice(0, 2).entries()) {
    take(commandItem(settings, { id: testId(90_000 + part * 1_000_000 + n), at, type: "message.receive", input: { channel: ids.channels.sms, from, text: "hello" }, actor: actors.channel }));
  }
  for (const [n, { pick, dice, ms }] of list.entries()) {
    at = addMs(at, ms);
    const [a, b, c, d] = dice as [number, number, number, number];
    const due = shell.effects().filter((effect) => effect.status === "due");
    if (pick % 10 < 6) {
      const [type, ask] = of(commands, Math.floor(pick / 10));
      const actor = type === "message.receive" ? actors.channel : d % 8 === 0 ? actors.agent : actors.admin;
      take(commandItem(settings, { id: testId(100_000 + part * 1_000_000 + n), at, type, input: ask(dice, shell), actor, ...(d % 3 === 0 && { key: `key-${d % 5}` }) }));
    } else if (pick % 10 < 8 && due.length > 0) {
      const effect = of(due, a);
      take({ kind: "settled", at, effect: effect.id, attempt: b % 7 === 0 ? effect.attempt + 1 : effect.attempt, outcome: of(outcomes, c) });
    } else if (pick % 10 === 8) {
      // a command comes again under its key with another id; ids are fresh with each admission
      const past = items.filter((item) => item.kind !== "wake" && (item.kind !== "command" || item.key !== undefined));
      const again = past.length === 0 ? undefined : of(past, a);
      if (again !== undefined) take(again.kind === "command" ? { ...again, at, id: testId(200_000 + part * 1_000_000 + n) } : { ...again, at });
    } else {
      const instants = [...shell.timers().map((timer) => timer.due_at), ...wakes(shell).map((row) => row.wake_at as string)].sort();
      const next = of([...instants.slice(0, 2), at], b);
      if (next > at) at = next;
    }
    if (d % 6 === 0) continue;
    for (const timer of shell.timers().filter((each) => each.due_at <= at)) take({ kind: "timer", at, run: timer.run, wait: timer.wait });
    for (const row of wakes(shell).filter((each) => (each.wake_at as string) <= at)) {
      take({ kind: "wake", at, subject: { kind: "customer" in row ? "conversation" : "customer", id: row.id } });
    }
  }
  return items;
}

/** Subjects whose clock will ring, by id. */
const wakes = (shell: MillShell): readonly (ConversationRow | CustomerRow)[] =>
  [...tableOf<ConversationRow>(shell.world.rows, "conversations"), ...tableOf<CustomerRow>(shell.world.rows, "customers")].filter((row) => row.wake_at !== null);
