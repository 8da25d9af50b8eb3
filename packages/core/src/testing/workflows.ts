import fc from "fast-check";
import { indexSettings, type SettingsIndex } from "../domain/settings-index.ts";
import type { PublishedWorkflow } from "../match/active.ts";
import type { CompiledVersion } from "../workflow/compiled.ts";
import type { Json } from "../model/common.ts";
import type { StepDocument, TriggerDocument, WorkflowDocument } from "../workflow/document.ts";
import { officeSettings, publish } from "./mill.ts";

// Random workflows for the laws of the mill: they tag, route, answer, branch, wait, and start each other.

/** The tags that workflows and histories meet over. */
export const tags = ["t0", "t1", "t2"];
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
  {
    time: { since: "conversation.waiting_since", for: "1m" },
    when: { field: "conversation.tags", op: "contains", value: "t1" },
  },
  {
    time: { since: "conversation.waiting_since", for: "1m" },
    when: { field: "customer.tags", op: "contains", value: "t2" },
  },
  {
    time: { since: "conversation.waiting_since", for: "1m" },
    when: { field: "conversation.last_inbound_at", op: "not_in_last", value: "1h" },
  },
  { time: { since: "conversation.created_at", for: "1h", in: "office" } },
  {
    time: { since: "customer.created_at", for: "30m" },
    when: { not: { field: "customer.tags", op: "contains", value: "t2" } },
  },
];

const actions: readonly { readonly action: string; readonly input?: { readonly [name: string]: Json } }[] = [
  { action: "conversation.add_tags", input: { tags: ["t0"] } },
  { action: "conversation.add_tags", input: { tags: ["t1"] } },
  { action: "conversation.remove_tags", input: { tags: tags } },
  { action: "customer.add_tags", input: { tags: ["t2", "{{ event.type }}"] } },
  { action: "conversation.set_topic", input: { topic: "{{ message.text | default: 'none' }}" } },
  { action: "conversation.assign", input: { team: "support", by: "least_busy" } },
  { action: "conversation.assign", input: { team: "billing", by: "round_robin" } },
  { action: "message.send", input: { text: "Hi {{ customer.first_name | default: 'there' }}" } },
  { action: "message.send", input: { text: "and again" } },
  { action: "message.send", input: { text: "{{ nothing }}" } },
  { action: "message.note", input: { text: "seen" } },
  // whatever goes through the members of something prints them
  {
    action: "message.note",
    input: {
      text: "{% for each in customer.properties %}{{ each[0] }}={{ each[1] }} {% endfor %}{{ customer.properties }}",
    },
  },
  {
    action: "message.note",
    input: { text: "{{ message }}{{ conversation.size }}{% for each in steps %}{{ each }}{% endfor %}" },
  },
  {
    action: "customer.set_property",
    input: { name: "twice", value: [{ ref: "customer.properties" }, { ref: "customer.properties" }] },
  },
  {
    action: "message.note",
    input: {
      text: "{{ customer.properties.twice | uniq | size }}{% if customer.properties.twice.first == customer.properties.twice.last %}same{% endif %}",
    },
  },
  { action: "conversation.close" },
  { action: "conversation.open" },
  { action: "conversation.snooze", input: { until: "2026-11-20T17:30:00.000Z" } },
  { action: "customer.close" },
  { action: "conversation.merge", input: { into: { ref: "inputs.into" } } },
  { action: "message.send", input: { text: "elsewhere", channel: "whatsapp" } },
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
  { wait: { unless: "customer.tags_added", for: "1h" } },
  { wait: { unless: "customer.unsubscribed" } },
  { wait: { unless: "customer.state_changed" } },
  { wait: { unless: "user.presence_changed", for: "10m" } },
  { wait: { for: "10m", unless: "message.delivery_changed" } },
];
const conditions: readonly Json[] = [
  { field: "conversation.tags", op: "contains", value: "t0" },
  { field: "customer.state", op: "is", value: "unreplied" },
  { field: "conversation.topic", op: "gt", value: 1 },
  { field: "conversation.tags", op: "gt", value: 1 },
  { field: "customer.properties", op: "is_set" },
  {
    all: [
      { field: "message.text", op: "contains", value: "refund" },
      { not: { field: "conversation.assignee", op: "is_set" } },
    ],
  },
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
    if (shape.kind === "wait")
      steps[`s${at}`] = { ...shape.wait, ...ways, ...(other !== undefined && { onInterrupt: other }) };
    else if (shape.kind === "branch") {
      steps[`s${at}`] = { branch: [{ when: shape.condition, ...(other !== undefined && { next: other }) }], ...ways };
    } else if (shape.kind === "stop")
      steps[`s${at}`] = { stop: at % 2 === 0 ? true : { reason: "enough", outputs: { at } } };
    else if (shape.kind === "send")
      steps[`s${at}`] = { action: "message.send", input: { text: "hello" }, await: shape.awaits, ...ways };
    else steps[`s${at}`] = { ...shape.action, await: shape.awaits, ...ways };
  }
  // now and then it goes round, by way of a wait
  const last = `s${shapes.length - 1}`;
  const first = steps["s0"] as StepDocument;
  if (
    again &&
    shapes.length > 1 &&
    "wait" in first &&
    (first.wait.for ?? first.wait.until) !== undefined &&
    "action" in (steps[last] as object)
  ) {
    steps[last] = { ...(steps[last] as object), next: "s0" } as StepDocument;
  }
  return steps;
}

const document = (
  kind: WorkflowDocument["kind"],
): fc.Arbitrary<Partial<WorkflowDocument> & Pick<WorkflowDocument, "steps">> =>
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
      ...(kind !== "automatic" && { inputs: { n: { type: "number" as const }, into: { type: "text" as const } } }),
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
const indexed = Object.fromEntries(
  Object.entries(settingsVariants).map(([name, all]) => [name, indexSettings(all)]),
) as Record<keyof typeof settingsVariants, SettingsIndex>;

export interface Setting {
  readonly settings: SettingsIndex;
  readonly documents: readonly (Partial<WorkflowDocument> & Pick<WorkflowDocument, "steps">)[];
  readonly workflows: readonly PublishedWorkflow<CompiledVersion>[];
}

/** An organization and its workflows. The first is manual, the second callable, the others start by themselves. */
export const anySetting: fc.Arbitrary<Setting> = fc
  .record({
    variant: fc.constantFrom(
      "usual" as const,
      "usual" as const,
      "usual" as const,
      "usual" as const,
      "tight" as const,
      "tight" as const,
      "braked" as const,
    ),
    manual: document("manual"),
    callable: document("callable"),
    automatic: fc.array(document("automatic"), { minLength: 1, maxLength: 4 }),
  })
  .map(({ variant, manual, callable, automatic }) => {
    const settings = indexed[variant];
    const documents = [manual, callable, ...automatic];
    return { settings, documents, workflows: documents.map((each, n) => publish(n, each, { settings })) };
  });
