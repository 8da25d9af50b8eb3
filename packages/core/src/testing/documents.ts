import fc from "fast-check";
import { indexSettings } from "../domain/settings-index.ts";
import type { Json } from "../model/common.ts";
import { defaultLimits, type Settings } from "../model/settings.ts";
import {
  type StopDocument,
  type TriggerDocument,
  type WaitDocument,
  whenRunningChoices,
  type WorkflowDocument,
  workflowKinds,
} from "../workflow/document.ts";
import { property } from "./settings.ts";

/** For tests: ids that are easy to tell apart. */
export const idOf = (n: number): string => `0190a000-0000-7000-8000-${String(n).padStart(12, "0")}`;

const calendar = { zone: "Europe/Berlin", hours: { mon: [["09:00", "17:00"]] as [string, string][] }, holidays: [] };
const archived = "2026-01-01T00:00:00.000Z";

/** For tests: an organization with one of each, and archived ones. */
export const settingsRows: Settings = {
  version: 1,
  organization: {
    id: idOf(1),
    name: "Acme",
    zone: "Europe/Berlin",
    sandbox: false,
    automation: "on",
    limits: defaultLimits,
    workflow_user: idOf(10),
  },
  users: [
    {
      id: idOf(10),
      kind: "robot",
      role: "robot",
      name: "Workflow",
      email: null,
      capacity: null,
      hours: null,
      archived_at: null,
    },
    {
      id: idOf(11),
      kind: "person",
      role: "admin",
      name: "Ann",
      email: "ann@acme.test",
      capacity: null,
      hours: null,
      archived_at: null,
    },
  ],
  roles: [],
  teams: [
    { id: idOf(20), slug: "billing", name: "Billing", members: [idOf(11)], lead: null, archived_at: null },
    { id: idOf(21), slug: "old", name: "Old", members: [], lead: null, archived_at: archived },
  ],
  mailboxes: [
    {
      id: idOf(30),
      slug: "support",
      name: "Support",
      access: "everyone",
      users: [],
      teams: [],
      reopen: "always",
      reopen_days: 0,
      archived_at: null,
    },
  ],
  channels: [
    {
      id: idOf(40),
      slug: "sms",
      name: "SMS",
      kind: "sms",
      mailbox: idOf(30),
      address: null,
      provider: "test",
      on_unknown: "hold",
      archived_at: null,
    },
  ],
  calendars: [{ id: idOf(50), slug: "office", name: "Office", calendar, archived_at: null }],
  properties: [
    property({ id: idOf(60), noun: "customer", name: "plan", type: "choice", options: ["free", "pro"] }),
    property({ id: idOf(61), noun: "customer", name: "age", type: "number" }),
  ],
};
export const settings = indexSettings(settingsRows);

/** The example of DESIGN section 9, as JSON. */
export const refundRequests = {
  name: "Refund requests",
  kind: "automatic",
  mailboxes: ["support"],
  triggers: [{ event: "message.received", when: { field: "message.text", op: "matches", value: "refund|money back" } }],
  start: "tag",
  steps: {
    tag: { action: "conversation.add_tags", input: { tags: ["refund"] }, next: "who" },
    who: {
      branch: [{ when: { field: "customer.properties.plan", op: "is", value: "pro" }, next: "page" }],
      next: "reply",
    },
    page: { action: "conversation.assign", input: { team: "billing", by: "least_busy" }, next: "reply" },
    reply: {
      action: "message.send",
      input: { text: "Hi {{ customer.first_name | default: 'there' }}, ..." },
      next: "hold",
    },
    hold: { wait: { for: "2h", in: "business_hours", unless: "message.received" }, next: "close" },
    close: { action: "conversation.close" },
  },
} as const;

const ids = ["a", "b", "c", "d/e", "1", "my step"];
const edge = fc.option(fc.constantFrom(...ids), { nil: undefined });
const nullableEdge = fc.option(edge, { freq: 8 });
const condition = fc.constantFrom<Json>(
  { field: "customer.properties.plan", op: "is", value: "pro" },
  {
    all: [{ op: "is_set", field: "customer.email" }, { not: { field: "customer.tags", op: "contains", value: "vip" } }],
  },
  { any: [{ field: "customer.assignee", op: "is", value: "ann@acme.test" }] },
);
const ways = { next: nullableEdge, onError: edge };
const step = fc.oneof(
  fc.record(
    {
      action: fc.constantFrom("customer.add_tags", "customer.close", "message.send"),
      input: fc.constantFrom<{ [name: string]: Json }>({ tags: ["x"] }, {}, { text: "Hi {{ customer.first_name }}" }),
      ...ways,
      await: fc.boolean(),
    },
    { requiredKeys: ["action"] },
  ),
  fc.record(
    { branch: fc.array(fc.record({ when: condition, next: edge }), { minLength: 1, maxLength: 3 }), ...ways },
    { requiredKeys: ["branch"] },
  ),
  fc.record(
    {
      wait: fc.constantFrom<WaitDocument["wait"]>(
        { for: "2h" },
        { for: "120m" },
        { until: "2026-11-20T17:00:00.000Z" },
        { unless: "message.received" },
      ),
      onInterrupt: edge,
      ...ways,
    },
    { requiredKeys: ["wait"] },
  ),
  fc.record({ stop: fc.constantFrom<StopDocument["stop"]>(true, {}, { reason: "done" }, { outputs: { a: 1 } }) }),
);
const trigger = fc.constantFrom<TriggerDocument>(
  { event: "message.received" },
  { event: "message.received", when: { op: "is", value: "x", field: "message.text" } },
  { event: "customer.created" },
  { time: { since: "customer.created_at", for: "24h", in: "office" } },
);

/** For tests: documents of sound shape, some of them publishable. Fields that are undefined are left out, as in JSON. */
export const anyDocument: fc.Arbitrary<WorkflowDocument> = fc
  .record(
    {
      name: fc.constantFrom("One", "Two"),
      description: fc.constantFrom("", "d"),
      kind: fc.constantFrom(...workflowKinds),
      mailboxes: fc.constantFrom(["support"], ["support", idOf(30)]),
      triggers: fc.array(trigger, { maxLength: 3 }),
      start: fc.constant("a"),
      steps: fc
        .dictionary(fc.constantFrom(...ids), step, { minKeys: 1, maxKeys: 5 })
        .chain((steps) => step.map((a) => ({ ...steps, a }))),
      order: fc.integer({ min: -2, max: 2 }),
      limits: fc.constantFrom({}, { runs_per_day: 3 }),
      when_running: fc.constantFrom(...whenRunningChoices),
      layout: fc.constantFrom<Json>(null, { a: [1, 2] }),
    },
    { requiredKeys: ["name", "kind", "start", "steps"] },
  )
  .map((document) => JSON.parse(JSON.stringify(document)) as WorkflowDocument);

const long = (part: string, times: number): string => part.repeat(times);

/** Values that a careless check of a document stumbles over: odd paths, endless expressions, words that every object knows. */
const hostile = fc.constantFrom<Json>(
  "customer.tags[1.5]",
  "{{ customer.tags[1.5] }}",
  "{{ customer.tags[99999999999999999999] }}",
  `customer.properties["${long("x", 1001)}"]`,
  `{{ customer.properties["${long("x", 1001)}"] }}`,
  `{{ a${long(".b", 1000)} }}`,
  `{{ a${long("[b", 30)}${long("]", 30)} }}`,
  `{{ a ${long("| upcase", 300)} }}`,
  `{{ a ${long("and a ", 300)} }}`,
  `{{ ${long("not ", 300)} a }}`,
  `{% case a %}{% when 1${long(",1", 300)} %}{% endcase %}`,
  `{% if a %}${long("{% elsif b %}", 100)}{% endif %}`,
  "{{ '\\ud800' }}",
  "{{",
  { ref: "customer.tags[1.5]" },
  { ref: ["customer", "tags", 1.5] },
  { ref: ["customer", long("x", 1001)] },
  { ref: ["customer", ...Array.from({ length: 2000 }, () => 1)] },
  { ref: ["steps", "constructor", "__proto__"] },
  { field: { ref: ["customer", "tags", 1.5] }, op: "is", value: 1 },
  { field: { ref: ["customer", long("x", 1001)] }, op: "is", value: { ref: ["message", 0.5] } },
  { field: "customer.__proto__", op: "constructor", value: 1 },
  { field: "customer.tags", op: "matches", value: long("(", 500) },
  { field: "customer.tags", op: "matches", value: long("(a{9}", 100) },
  { all: Array.from({ length: 600 }, () => ({ field: "customer.tags", op: "is_set" })) },
  "__proto__",
  "constructor",
  -0,
);

/** For tests: a document with one to four of its parts replaced, taken away, or put somewhere else. */
export function mutated(document: unknown): fc.Arbitrary<unknown> {
  const change = fc.record({
    at: fc.nat(),
    how: fc.constantFrom("replace", "remove", "add", "copy"),
    with: fc.oneof({ arbitrary: fc.jsonValue({ maxDepth: 2 }), weight: 2 }, { arbitrary: hostile, weight: 1 }),
    key: fc.string(),
  });
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => {
    let root = { document };
    for (const one of changes) {
      // as text and back: a list that lost an item must not keep a hole, which JSON has not
      root = JSON.parse(JSON.stringify(root)) as typeof root;
      const places = addressesByChannel(root);
      if (places.length === 0) break; // the document itself is gone
      const { parent, key } = places[one.at % places.length]!;
      if (one.how === "remove") delete parent[key];
      else if (one.how === "add") parent[one.key] = one.with;
      else
        parent[key] =
          one.how === "replace" ? one.with : structuredClone(places[(one.at * 7 + 1) % places.length]!.parent);
    }
    return JSON.parse(JSON.stringify(root.document ?? null)) as unknown;
  });
}

interface Parent {
  [key: string]: unknown;
}
function addressesByChannel(value: unknown): { readonly parent: Parent; readonly key: string }[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [
    { parent: value as Parent, key },
    ...addressesByChannel(item),
  ]);
}
