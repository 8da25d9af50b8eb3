import { describe, expect, test } from "vitest";
import { indexSettings } from "../domain/settings-index.ts";
import { idOf, refundRequests, settings, settingsRows } from "../testing/documents.ts";
import { isPublishable, validateWorkflow } from "./validate.ts";

// bad documents are built by hand here, at any depth
type Loose = Record<string, any>; // oxlint-disable-line no-explicit-any

/** The example with something done to it. */
function broken(change: (document: Loose) => void): Loose {
  const document = structuredClone(refundRequests) as Loose;
  change(document);
  return document;
}

const small = (steps: Loose, more: Loose = {}): Loose => ({
  name: "Small",
  kind: "automatic",
  triggers: [{ event: "message.received" }],
  start: "a",
  steps,
  ...more,
});
const stop = { stop: true };
const manual = { kind: "manual", triggers: [] };
const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

const found = (json: unknown, given: typeof settings | null = settings) =>
  validateWorkflow(json, given).problems.map(
    (one) => `${one.severity === "warning" ? "warning " : ""}${one.code} ${one.path}`,
  );

describe("sound documents", () => {
  test("the example has no problems", () => {
    expect(validateWorkflow(refundRequests, settings).problems).toEqual([]);
    expect(validateWorkflow(refundRequests, null).problems).toEqual([]);
  });

  const sound: [string, Loose][] = [
    ["a manual one without a list of triggers", { name: "x", kind: "manual", start: "a", steps: { a: stop } }],
    [
      "a callable one with inputs and outputs",
      small(
        { a: { stop: { reason: "done", outputs: { got: { ref: "inputs.name" } } } } },
        {
          kind: "callable",
          triggers: [],
          inputs: { name: { type: "text", required: true } },
          outputs: { got: { type: "text", required: true } },
        },
      ),
    ],
    [
      "outputs by reference",
      small(
        { a: { stop: { outputs: { ref: "inputs" } } } },
        { kind: "callable", triggers: [], inputs: {}, outputs: { got: { type: "any", required: true } } },
      ),
    ],
    [
      "outputs as a list",
      small({ a: { stop: { outputs: [1] } } }, { kind: "callable", triggers: [], outputs: { got: { type: "any" } } }),
    ],
    [
      "a time trigger in business time",
      small(
        { a: { action: "customer.close" } },
        {
          triggers: [
            {
              time: { since: "conversation.waiting_since", for: "2h", in: "business_hours" },
              when: {
                all: [
                  { field: "conversation.status", op: "is", value: "open" },
                  { field: "customer.properties.age", op: "gt", value: 17 },
                ],
              },
            },
            {
              time: { since: "customer.created_at", for: "1d", in: "office" },
              when: { field: "customer.properties.unknown", op: "is_set" },
            },
          ],
        },
      ),
    ],
    [
      "a round with a wait by the clock",
      small({ a: { wait: { for: "1s" }, next: "b" }, b: { action: "conversation.open", next: "a" } }),
    ],
    [
      "a wait until an instant read at run",
      small({ a: { wait: { until: { ref: "conversation.snoozed_until" } }, next: "a" } }),
    ],
    ["a wait until a fixed instant", small({ a: { wait: { until: "2026-11-20T17:00:00.000Z" }, onInterrupt: null } })],
    ["a wait until a text", small({ a: { wait: { until: "{{ conversation.snoozed_until }}" } } })],
    ["a wait for an event alone", small({ a: { wait: { unless: "message.received" }, onInterrupt: "b" }, b: stop })],
    ["edges that are null", small({ a: { action: "conversation.close", next: null, onError: null, await: true } })],
    [
      "another step's output",
      small(
        {
          "my step": { action: "run.start", input: { workflow: "x" }, next: "b" },
          b: { action: "message.send", input: { text: 'x {{ steps["my step"].run }}' } },
        },
        { start: "my step" },
      ),
    ],
    [
      "a customer's action about a conversation's event",
      small({ a: { action: "customer.add_tags", input: { tags: ["x"] } } }),
    ],
    [
      "a target that is named",
      small(
        { a: { action: "conversation.close", input: { conversation: idOf(99) } } },
        { triggers: [{ event: "customer.created" }] },
      ),
    ],
    [
      "values read at run",
      small({
        a: {
          action: "message.send",
          input: {
            text: "x",
            media: [{ url: { ref: "customer.properties.url" } }, { ref: "customer.properties" }],
            counts_as_reply: { ref: "customer.properties.x" },
          },
        },
      }),
    ],
    [
      "a user's event",
      small(
        { a: { action: "run.start", input: { workflow: "x", user: idOf(11) } } },
        { triggers: [{ event: "user.presence_changed", when: { field: "user.name", op: "is", value: "Ann" } }] },
      ),
    ],
    [
      "a change that its trigger knows",
      small(
        { a: stop },
        {
          triggers: [
            {
              event: "conversation.assigned",
              when: { field: "conversation.team", op: "changed_to", value: "billing" },
            },
          ],
        },
      ),
    ],
    [
      "names in conditions",
      small(
        { a: stop },
        {
          triggers: [
            {
              event: "message.received",
              when: {
                any: [
                  { field: "customer.assignee", op: "in", value: ["ann@acme.test", "{{ event.actor.id }}", null] },
                  { not: { field: "conversation.channel", op: "is", value: "sms" } },
                  { field: "conversation.team", op: "is", value: { ref: "conversation.properties.team" } },
                ],
              },
            },
          ],
        },
      ),
    ],
    [
      "what only a Liquid text can know",
      small({ a: { action: "message.send", input: { text: "{% if customer.tags.size > 1 %}x{% endif %}" } } }),
    ],
    [
      "layout, limits and the rest",
      small(
        { a: stop },
        { description: "d", layout: { a: [1, 2] }, order: -3, limits: { runs_per_day: 1 }, when_running: "skip" },
      ),
    ],
  ];
  test.each(sound)("%s", (_name, document) => expect(validateWorkflow(document, settings).problems).toEqual([]));
});

describe("shape", () => {
  const table: [string, unknown, string[]][] = [
    ["null", null, ["invalid_value "]],
    ["a list", [], ["invalid_value "]],
    [
      "an empty object",
      {},
      ["missing_field /name", "missing_field /kind", "missing_field /start", "missing_field /steps"],
    ],
    ["an unknown field", broken((d) => (d.nam = 1)), ["unknown_field /nam"]],
    ["a kind that is none", broken((d) => (d.kind = "auto")), ["invalid_value /kind"]],
    ["a name too short", broken((d) => (d.name = "")), ["invalid_value /name"]],
    ["no mailbox at all", broken((d) => (d.mailboxes = [])), ["invalid_value /mailboxes"]],
    ["limits of an unknown name", broken((d) => (d.limits = { runs: 1 })), ["unknown_field /limits/runs"]],
    ["triggers of a wrong type", broken((d) => (d.triggers = {})), ["invalid_value /triggers"]],
    ["a trigger of no kind", broken((d) => d.triggers.push({ on: 1 })), ["kind_unknown /triggers/1"]],
    ["a trigger that is no object", broken((d) => (d.triggers[0] = "message.received")), ["kind_unknown /triggers/0"]],
    [
      "a trigger with an unknown field",
      broken((d) => (d.triggers[0].mailbox = 1)),
      ["unknown_field /triggers/0/mailbox"],
    ],
    [
      "a time without its length",
      broken((d) => (d.triggers[0] = { time: { since: "conversation.created_at" } })),
      ["missing_field /triggers/0/time/for"],
    ],
    ["steps of a wrong type", broken((d) => (d.steps = [])), ["invalid_value /steps"]],
    ["no steps", broken((d) => (d.steps = {})), ["invalid_value /steps"]],
    ["a step of no kind", broken((d) => (d.steps.tag = { next: "who" })), ["kind_unknown /steps/tag"]],
    ["a step of two kinds", broken((d) => (d.steps.close.stop = true)), ["unknown_field /steps/close/stop"]],
    ["an edge that is a number", broken((d) => (d.steps.tag.next = 3)), ["invalid_value /steps/tag/next"]],
    ["a stop with an unknown field", small({ a: { stop: { reaso: "x" } } }), ["unknown_field /steps/a/stop/reaso"]],
    ["a stop that is false", small({ a: { stop: false } }), ["invalid_value /steps/a/stop"]],
    ["an empty branch", small({ a: { branch: [] } }), ["invalid_value /steps/a/branch"]],
    [
      "an input that is a list",
      small({ a: { action: "conversation.close", input: [] } }),
      ["invalid_value /steps/a/input"],
    ],
    ["a step without a name", small({ "": stop }, { start: "x" }), ["edge_dangling /start", "step_id_invalid /steps/"]],
    [
      "a step with a long name",
      small({ a: stop, ["b".repeat(101)]: stop }),
      ["step_id_invalid /steps/" + "b".repeat(101), "warning step_unreachable /steps/" + "b".repeat(101)],
    ],
    [
      "a step that is a prototype",
      JSON.parse('{"name":"x","kind":"manual","start":"__proto__","steps":{"__proto__":{"stop":true}}}'),
      ["step_id_invalid /steps/__proto__"],
    ],
    [
      "an id over two lines is an id",
      small({ "a\nb": { stopp: true } }, { start: "a\nb" }),
      ["kind_unknown /steps/a\nb"],
    ],
    ["slashes in ids", small({ "a/~": { stopp: true } }, { start: "a/~" }), ["kind_unknown /steps/a~1~0"]],
    [
      "an input's name",
      small({ a: stop }, { kind: "callable", triggers: [], inputs: { "a b": { type: "text" } } }),
      ["unknown_field /inputs/a b"],
    ],
    [
      "an input's type",
      small({ a: stop }, { kind: "callable", triggers: [], inputs: { a: { type: "texts" } } }),
      ["invalid_value /inputs/a/type"],
    ],
    [
      "too many steps",
      small(Object.fromEntries(Array.from({ length: 501 }, (_, n) => [`s${n}`, stop])), { start: "s0" }),
      ["invalid_value /steps"],
    ],
    ["too deep", small({ a: stop }, { layout: nested(120) }), ["document_too_deep "]],
    [
      "far too deep for recursion",
      small({ a: stop }, { layout: JSON.parse("[".repeat(50_000) + "]".repeat(50_000)) }),
      ["document_too_deep "],
    ],
    ["too large", small({ a: stop }, { layout: "x".repeat(256 * 1024) }), ["document_too_large "]],
    ["a zero character", small({ a: stop }, { description: "a\0b" }), ["text_invalid /description"]],
    ["half a character", small({ a: stop }, { layout: { x: ["\ud800"] } }), ["text_invalid /layout/x/0"]],
    ["a zero character in a name", small({ a: stop }, { layout: { "\0": 1 } }), ["text_invalid /layout"]],
  ];
  test.each(table)("%s", (_name, document, expected) =>
    expect(found(document).toSorted()).toEqual(expected.toSorted()),
  );

  test("one fault does not hide the others", () => {
    const problems = found(
      broken((d) => {
        d.kind = "x";
        d.triggers[0].event = "message.came";
        d.steps.close.action = "conversation.shut";
        d.steps.who.next = 3;
        d.mailboxes = ["sales"];
      }),
    );
    expect(problems.toSorted()).toEqual([
      "action_unknown /steps/close/action",
      "event_unknown /triggers/0/event",
      "invalid_value /kind",
      "invalid_value /steps/who/next",
      "reference_dangling /mailboxes/0",
    ]);
  });
});

describe("graph", () => {
  const table: [string, Loose, string[]][] = [
    ["a start that is none", broken((d) => (d.start = "begin")), ["edge_dangling /start"]],
    [
      "next",
      broken((d) => (d.steps.tag.next = "x")),
      [
        "edge_dangling /steps/tag/next",
        ...["who", "page", "reply", "hold", "close"].map((id) => `warning step_unreachable /steps/${id}`),
      ],
    ],
    ["onError", broken((d) => (d.steps.tag.onError = "x")), ["edge_dangling /steps/tag/onError"]],
    ["onInterrupt", broken((d) => (d.steps.hold.onInterrupt = "x")), ["edge_dangling /steps/hold/onInterrupt"]],
    [
      "a branch",
      broken((d) => d.steps.who.branch.push({ when: { all: [] }, next: "x" })),
      ["edge_dangling /steps/who/branch/1/next"],
    ],
    ["a step nobody leads to", broken((d) => (d.steps.lost = stop)), ["warning step_unreachable /steps/lost"]],
    ["a step to itself", small({ a: { action: "conversation.open", onError: "a" } }), ["cycle_without_wait /steps/a"]],
    [
      "a round by a branch",
      small({
        a: { action: "conversation.open", next: "b" },
        b: { branch: [{ when: { all: [] }, next: "a" }], next: "c" },
        c: stop,
      }),
      ["cycle_without_wait /steps/a"],
    ],
    [
      "a round by a wait for an event alone",
      small({ a: { wait: { unless: "message.received" }, onInterrupt: "a" } }),
      ["cycle_without_wait /steps/a"],
    ],
    [
      "two knots, one with a wait beside it",
      small({
        a: { action: "conversation.open", next: "b" },
        b: { action: "conversation.close", next: "a", onError: "c" },
        c: { action: "conversation.open", next: "d", onError: "w" },
        d: { branch: [{ when: { all: [] }, next: "c" }], next: "e" },
        e: { branch: [{ when: { all: [] }, next: "d" }], next: "f" },
        f: stop,
        w: { wait: { for: "1h" }, next: "a" },
      }),
      ["cycle_without_wait /steps/a", "cycle_without_wait /steps/c"],
    ],
    [
      "two ways to one end are no round",
      small({
        a: { branch: [{ when: { all: [] }, next: "b" }], next: "c" },
        b: { action: "conversation.open", next: "c" },
        c: stop,
      }),
      [],
    ],
  ];
  test.each(table)("%s", (_name, document, expected) =>
    expect(found(document).toSorted()).toEqual(expected.toSorted()),
  );
});

describe("triggers and kinds", () => {
  const time = (since: string, more: Loose = {}) => ({ time: { since, for: "2h", ...more } });
  const table: [string, Loose, string[]][] = [
    ["automatic without a trigger", small({ a: stop }, { triggers: [] }), ["trigger_missing /triggers"]],
    ["manual with one", small({ a: stop }, { kind: "manual" }), ["trigger_unexpected /triggers"]],
    [
      "automatic with inputs",
      small({ a: stop }, { inputs: {}, outputs: {} }),
      ["field_unexpected /inputs", "field_unexpected /outputs"],
    ],
    [
      "an unknown event",
      small({ a: stop }, { triggers: [{ event: "message.came" }] }),
      ["event_unknown /triggers/0/event"],
    ],
    [
      "a field that is no instant",
      small({ a: stop }, { triggers: [time("conversation.status")] }),
      ["anchor_unknown /triggers/0/time/since"],
    ],
    [
      "a length that is none",
      small({ a: stop }, { triggers: [time("conversation.created_at", { for: "soon" })] }),
      ["duration_invalid /triggers/0/time/for"],
    ],
    [
      "a calendar that is not there",
      small({ a: stop }, { triggers: [time("conversation.created_at", { in: "night" })] }),
      ["reference_dangling /triggers/0/time/in"],
    ],
    [
      "two time triggers for one subject",
      small(
        { a: stop },
        { triggers: [time("customer.created_at"), time("conversation.created_at"), time("conversation.closed_at")] },
      ),
      ["time_trigger_repeated /triggers/2"],
    ],
    [
      "a condition that is none",
      small(
        { a: stop },
        {
          triggers: [
            { event: "message.received", when: 3 },
            { ...time("conversation.created_at"), when: {} },
          ],
        },
      ),
      ["condition_invalid /triggers/0/when", "operator_unknown /triggers/1/when/op"],
    ],
    [
      "an operator that does not suit its field",
      small(
        { a: stop },
        {
          triggers: [
            { event: "message.received", when: { field: "customer.properties.age", op: "starts_with", value: "1" } },
          ],
        },
      ),
      ["operator_unfit /triggers/0/when/op"],
    ],
    [
      "a field that is not there",
      small({ a: stop }, { triggers: [{ event: "message.received", when: { field: "message.txt", op: "is_set" } }] }),
      ["field_unknown /triggers/0/when"],
    ],
    [
      "what a trigger cannot read",
      small(
        { a: stop },
        { triggers: [{ event: "customer.created", when: { field: "conversation.status", op: "is_set" } }] },
      ),
      ["reference_out_of_scope /triggers/0/when"],
    ],
    [
      "what a time trigger cannot read",
      small(
        { a: stop },
        {
          triggers: [
            {
              ...time("customer.created_at"),
              when: {
                all: [
                  { field: "conversation.status", op: "is_set" },
                  { field: "event.type", op: "is_set" },
                ],
              },
            },
          ],
        },
      ),
      ["reference_out_of_scope /triggers/0/when", "reference_out_of_scope /triggers/0/when"],
    ],
    [
      "a time trigger knows no changes",
      small(
        { a: stop },
        { triggers: [{ ...time("conversation.created_at"), when: { field: "conversation.status", op: "changed" } }] },
      ),
      ["operator_unfit /triggers/0/when"],
    ],
    [
      "a name in a condition",
      small(
        { a: stop },
        {
          triggers: [
            {
              event: "message.received",
              when: {
                any: [
                  { field: "conversation.team", op: "in", value: ["billing", "sales"] },
                  { field: "conversation.team", op: "is", value: "" },
                ],
              },
            },
          ],
        },
      ),
      ["reference_dangling /triggers/0/when/any/0/value/1"],
    ],
    [
      "an archived team in a condition",
      small({ a: { branch: [{ when: { field: "conversation.team", op: "is", value: idOf(21) } }] } }),
      ["reference_archived /steps/a/branch/0/when/value"],
    ],
  ];
  test.each(table)("%s", (_name, document, expected) =>
    expect(found(document).toSorted()).toEqual(expected.toSorted()),
  );

  test("business_hours is the only calendar, or the one of that name", () => {
    const document = small({ a: { wait: { for: "1h", in: "business_hours" } } });
    const [only] = settingsRows.calendars;
    const having = (slugs: string[]) =>
      indexSettings({ ...settingsRows, calendars: slugs.map((slug, n) => ({ ...only!, id: idOf(500 + n), slug })) });
    expect(found(document, having(["a"]))).toEqual([]);
    expect(found(document, having([]))).toEqual(["reference_dangling /steps/a/wait/in"]);
    expect(found(document, having(["a", "b"]))).toEqual(["reference_dangling /steps/a/wait/in"]);
    expect(found(document, having(["a", "business_hours"]))).toEqual([]);
    expect(found(document, null)).toEqual([]);
  });
});

describe("steps", () => {
  const input = (action: string, given: unknown) => small({ a: { action, input: given } });
  const table: [string, Loose, string[]][] = [
    ["an unknown action", input("conversation.shut", {}), ["action_unknown /steps/a/action"]],
    ["a command that is no action", input("message.receive", {}), ["action_unknown /steps/a/action"]],
    [
      "an unknown input field",
      input("message.send", { text: "x", txt: "{{ customer.id }}" }),
      ["unknown_field /steps/a/input/txt"],
    ],
    ["a missing input field", input("message.send", {}), ["missing_field /steps/a/input/text"]],
    [
      "an input of a wrong type",
      input("message.send", { text: 3, media: [{ url: 1, x: { ref: "run.id" } }] }),
      [
        "invalid_input /steps/a/input/text",
        "invalid_input /steps/a/input/media/0/url",
        "unknown_field /steps/a/input/media/0/x",
      ],
    ],
    [
      "none of the words",
      input("conversation.assign", { team: "billing", by: "luck" }),
      ["invalid_input /steps/a/input/by"],
    ],
    [
      "a team that is not there",
      input("conversation.assign", { team: "sales" }),
      ["reference_dangling /steps/a/input/team"],
    ],
    ["an archived team", input("conversation.assign", { team: idOf(21) }), ["reference_archived /steps/a/input/team"]],
    [
      "a user that is not there, beside what is read at run",
      input("conversation.assign", { user: "bob@acme.test", team: "{{ customer.properties.team }}" }),
      ["reference_dangling /steps/a/input/user"],
    ],
    [
      "a channel that is not there",
      input("conversation.start", { channel: "fax", customer: idOf(9) }),
      ["reference_dangling /steps/a/input/channel"],
    ],
    [
      "an address that is none",
      input("conversation.start", { channel: "sms", to: "nobody" }),
      ["invalid_input /steps/a/input/to"],
    ],
    ["what the command itself refuses", input("conversation.assign", {}), ["invalid_input /steps/a/input"]],
    [
      "a text that is no Liquid",
      input("message.send", { text: "{{ customer" }),
      ["template_invalid /steps/a/input/text"],
    ],
    ["a reference that is none", input("message.send", { text: { ref: "" } }), ["value_invalid /steps/a/input/text"]],
    [
      "a step that is not there",
      input("message.send", { text: { ref: "steps.b.id" } }),
      ["reference_dangling /steps/a/input"],
    ],
    [
      "an input that is not declared",
      input("message.send", { text: { ref: "inputs.b" } }),
      ["reference_dangling /steps/a/input"],
    ],
    ["all steps at once are known", input("message.send", { text: "{{ steps }}" }), []],
    [
      "a noun that is not there",
      input("message.send", { text: "{{ custmer.name }}" }),
      ["reference_out_of_scope /steps/a/input"],
    ],
    ["a variable of its own", input("message.send", { text: "{% assign x = 1 %}{{ x }}" }), []],
    [
      "no target",
      small({ a: { action: "conversation.close" } }, { triggers: [{ event: "customer.created" }] }),
      ["target_missing /steps/a/input/conversation"],
    ],
    [
      "no target for some",
      small(
        { a: { action: "conversation.close" } },
        { triggers: [{ event: "customer.created" }, { event: "message.sent" }] },
      ),
      ["warning target_missing /steps/a/input/conversation"],
    ],
    [
      "no message",
      small({ a: { action: "message.tag", input: { tags: ["x"] } } }, { triggers: [{ event: "conversation.opened" }] }),
      ["target_missing /steps/a/input/message"],
    ],
    [
      "no target known of a time trigger",
      small(
        { a: { action: "conversation.close" } },
        { triggers: [{ time: { since: "customer.created_at", for: "1d" } }] },
      ),
      ["target_missing /steps/a/input/conversation"],
    ],
    [
      "unknown triggers know no target",
      small(
        { a: { action: "conversation.close" } },
        { triggers: [{ event: "x" }, { time: { since: "x", for: "1d" } }] },
      ),
      [
        "event_unknown /triggers/0/event",
        "anchor_unknown /triggers/1/time/since",
        "target_missing /steps/a/input/conversation",
      ],
    ],
    ["a person names the subject of a manual one", small({ a: { action: "conversation.close" } }, manual), []],
    [
      "a branch's condition",
      small({
        a: {
          branch: [{ when: { field: "x", op: "nope" } }, { when: { field: "conversation.status", op: "changed" } }],
        },
      }),
      ["operator_unknown /steps/a/branch/0/when/op", "operator_unfit /steps/a/branch/1/when"],
    ],
    ["a wait for nothing", small({ a: { wait: {} } }), ["wait_endless /steps/a/wait"]],
    [
      "a wait for both",
      small({ a: { wait: { for: "1h", until: "2026-11-20T17:00:00.000Z" } } }),
      ["wait_ambiguous /steps/a/wait"],
    ],
    ["a length that is none", small({ a: { wait: { for: "0s" } } }), ["duration_too_short /steps/a/wait/for"]],
    ["an instant that is none", small({ a: { wait: { until: "tomorrow" } } }), ["instant_invalid /steps/a/wait/until"]],
    ["an instant that is a number", small({ a: { wait: { until: 3 } } }), ["instant_invalid /steps/a/wait/until"]],
    [
      "an instant that does not compile",
      small({ a: { wait: { until: "{{" } } }),
      ["template_invalid /steps/a/wait/until"],
    ],
    [
      "a calendar without a length",
      small({ a: { wait: { unless: "message.sent", in: "office" } } }),
      ["calendar_unexpected /steps/a/wait/in"],
    ],
    ["an unknown event", small({ a: { wait: { unless: "message.came" } } }), ["event_unknown /steps/a/wait/unless"]],
    [
      "an interruption that cannot be",
      small({ a: { wait: { for: "1h" }, onInterrupt: "b" }, b: stop }),
      ["warning interrupt_impossible /steps/a/onInterrupt"],
    ],
    ["an event of the customer", small({ a: { wait: { unless: "customer.unsubscribed" } } }), []],
    [
      "an event that the run never hears of",
      small({ a: { wait: { unless: "user.presence_changed" } } }),
      ["interrupt_unheard /steps/a/wait/unless"],
    ],
    [
      "one that some runs never hear of",
      small(
        { a: { wait: { unless: "user.presence_changed" } } },
        { triggers: [{ event: "message.received" }, { event: "user.presence_changed" }] },
      ),
      ["warning interrupt_unheard /steps/a/wait/unless"],
    ],
    [
      "one of a conversation, for a run of the customer that time starts",
      small(
        { a: { wait: { unless: "message.received" } } },
        { triggers: [{ time: { since: "customer.created_at", for: "1h" } }] },
      ),
      [],
    ],
    [
      "one of anybody, where nobody knows who starts it",
      small({ a: { wait: { unless: "user.presence_changed" } } }, manual),
      [],
    ],
    [
      "an event that nobody hears of, of a trigger that is wrong itself",
      small(
        { a: { wait: { unless: "user.presence_changed" } } },
        { triggers: [{ time: { since: "customer.x", for: "1h" } }] },
      ),
      ["anchor_unknown /triggers/0/time/since"],
    ],
    [
      "outputs that do not compile",
      small({ a: { stop: { outputs: "{{" } } }),
      ["template_invalid /steps/a/stop/outputs"],
    ],
    [
      "outputs other than declared",
      small(
        { a: { stop: { outputs: { x: 1 } } } },
        { kind: "callable", triggers: [], outputs: { y: { type: "any", required: true }, z: { type: "any" } } },
      ),
      ["unknown_field /steps/a/stop/outputs/x", "missing_field /steps/a/stop/outputs/y"],
    ],
  ];
  test.each(table)("%s", (_name, document, expected) =>
    expect(found(document).toSorted()).toEqual(expected.toSorted()),
  );

  test("a warning does not keep from publishing, an error does", () => {
    const { problems } = validateWorkflow(
      broken((d) => (d.steps.lost = stop)),
      settings,
    );
    expect(problems).toHaveLength(1);
    expect(isPublishable(problems)).toBe(true);
    expect(isPublishable(validateWorkflow({}, settings).problems)).toBe(false);
  });
});

test.each<[string, object]>([
  ["a text that counts in halves", { action: "message.note", input: { text: "{{ customer.tags[1.5] }}" } }],
  ["a list reference that does", { action: "message.note", input: { text: { ref: ["customer", "tags", 1.5] } } }],
  ["a path of many characters", { action: "message.note", input: { text: `{{ customer["${"x".repeat(1001)}"] }}` } }],
  ["a list reference of many", { action: "message.note", input: { text: { ref: ["customer", "x".repeat(1001)] } } }],
  ["a field of many", { branch: [{ when: { field: { ref: ["steps", "x".repeat(1001)] }, op: "is_set" } }] }],
  ["a path of many steps", { action: "message.note", input: { text: `{{ customer${".a".repeat(30_000)} }}` } }],
])("%s is answered, not stumbled over", (_name, step) => {
  const { problems } = validateWorkflow({ ...refundRequests, start: "a", steps: { a: step } }, settings);
  for (const one of problems)
    expect(one).toMatchObject({ severity: "error", path: expect.stringMatching(/^\/steps\/a/) });
});

describe("what an event said", () => {
  const asks = (field: string, event = "customer.property_set") =>
    small({ a: { stop: true } }, { triggers: [{ event, when: { field, op: "is", value: "x" } }] });
  const sentences = (json: unknown) =>
    validateWorkflow(json, settings).problems.map(({ path, message }) => `${path} ${message}`);

  test.each(["event.data.names", "event.actor.kind", "event.actor", "event.id"])(
    "its trigger can ask for %s",
    (field) => {
      expect(sentences(asks(field))).toEqual([]);
    },
  );

  test.each(["event.data.names", "event.data", "event.actor.id"])("no step can read %s, and hears why", (read) => {
    const why = `"${read}" cannot be read here: a run keeps which event started it`;
    const branch = { branch: [{ when: { field: read, op: "is_set" }, next: null }] };
    const text = { action: "message.note", input: { text: `{{ ${read} }}` } };
    const triggers = [{ event: "conversation.property_set" }];
    for (const [step, path] of [
      [branch, "/steps/a/branch/0/when"],
      [text, "/steps/a/input"],
    ] as const)
      expect(sentences(small({ a: step }, { triggers }))).toEqual([expect.stringContaining(`${path} ${why}`)]);
  });

  test("there is only what its type brings, and what an event is made of", () => {
    expect(sentences(asks("event.data.name"))).toEqual([
      '/triggers/0/when There is nothing at "event.data.name" of customer.property_set: there are names',
    ]);
    expect(sentences(asks("event.data", "message.received"))).toEqual([
      '/triggers/0/when There is nothing at "event.data" of message.received: it brings no data',
    ]);
    expect(sentences(asks("event.actor.knd"))).toEqual([
      '/triggers/0/when An actor has no field "knd"; did you mean "kind"?',
    ]);
    expect(sentences(asks("event.index"))).toEqual([expect.stringContaining('An event has no field "index" here')]);
    // of an event that there is not, only its name is a mistake
    expect(sentences(asks("event.data.x", "customer.no_such"))).toHaveLength(1);
  });
});

describe("the settings that a document names", () => {
  test("are told, found or not, in small letters", () => {
    const when = {
      all: [
        { field: "conversation.team", op: "is", value: "Billing" },
        { field: "customer.properties.plan", op: "is", value: "pro" },
      ],
    };
    const document = {
      ...small({
        a: { wait: { for: "1h", in: "business_hours" }, next: "b" },
        b: { action: "conversation.assign", input: { user: "ann@acme.test" } },
      }),
      mailboxes: ["support", "nowhere"],
      triggers: [{ event: "message.received", when }],
    };
    expect(validateWorkflow(document, settings).names).toEqual(
      expect.arrayContaining([
        "calendar/business_hours",
        "mailbox/nowhere",
        "mailbox/support",
        "property/customer.plan",
        "team/billing",
        "user/ann@acme.test",
      ]),
    );
    expect(validateWorkflow(document, null).names).toEqual([]);
    expect(validateWorkflow(small({ a: stop }), settings).names).toEqual([]);
  });

  test("are all that the problems rest on: another change of the settings changes none of them", () => {
    const other = {
      ...settingsRows,
      teams: [{ ...settingsRows.teams[0]!, id: idOf(99), slug: "unnamed" }, ...settingsRows.teams],
    };
    const before = validateWorkflow(refundRequests, settings);
    const after = validateWorkflow(refundRequests, indexSettings(other));
    expect(after).toEqual(before);
    expect(before.names).not.toContain("team/unnamed");
    const renamed = { ...settingsRows, teams: settingsRows.teams.map((row) => ({ ...row, slug: `${row.slug}-x` })) };
    expect(before.names).toContain("team/billing");
    expect(validateWorkflow(refundRequests, indexSettings(renamed)).problems).not.toEqual([]);
  });

  test("channels too", () => {
    const document = small({
      a: {
        action: "conversation.start",
        input: { channel: "sms", to: "+14155550100", customer: { ref: "customer.id" } },
      },
    });
    expect(validateWorkflow(document, settings).names).toContain("channel/sms");
  });
});

test("what can be read, and by whom, follows from the table of roots", () => {
  const reads = (field: string, trigger: object = { event: "message.received" }) =>
    found(small({ a: stop }, { triggers: [{ ...trigger, when: { field, op: "is_set" } }] }));
  const inStep = (field: string) => found(small({ a: { branch: [{ when: { field, op: "is_set" } }] } }));
  const [unknown, outside, dangling] = ["field_unknown", "reference_out_of_scope", "reference_dangling"];
  const at = "/triggers/0/when";
  for (const field of ["team.slug", "mailbox.name", "channel.kind", "assignee.email", "calendar.office.open", "now"])
    expect([field, reads(field), inStep(field)]).toEqual([field, [], []]);
  for (const field of ["team.colour", "organization.plan", "run.x"])
    expect([field, inStep(field)]).toEqual([field, [`${unknown} /steps/a/branch/0/when`]]);
  expect(reads("changes.conversation.status.before")).toEqual([]);
  expect(inStep("changes.conversation")).toEqual([`${outside} /steps/a/branch/0/when`]);
  expect(reads("steps.a.x")).toEqual([`${outside} ${at}`]);
  expect(reads("team.slug", { event: "customer.created" })).toEqual([`${outside} ${at}`]);
  expect(reads("assignee.name", { event: "customer.created" })).toEqual([]);
  expect(reads("now", { time: { since: "conversation.created_at", for: "1h" } })).toEqual([`${outside} ${at}`]);
  expect(reads("calendar.moon.open")).toEqual([`${dangling} ${at}`]);
  expect(found(small({ a: { branch: [{ when: { field: "calendar.moon.open", op: "is_true" } }] } }), null)).toEqual([]);
  // what is there under no such name would be silently nothing
  for (const field of ["calendar.Office.open", `calendar["${idOf(50)}"].open`, "calendar[0]"])
    expect([field, reads(field), inStep(field)]).toEqual([
      field,
      [`${dangling} ${at}`],
      [`${dangling} /steps/a/branch/0/when`],
    ]);
  for (const field of ["calendar.office.opne", "calendar.office[0]", "now.year", "now[0]", "customer[0]"])
    expect([field, reads(field)]).toEqual([field, [`${unknown} ${at}`]]);
  for (const field of ["calendar.office", "calendar.office.zone", "conversation.tags[0]"])
    expect([field, reads(field)]).toEqual([field, []]);
});

describe("a mistake that is a slip", () => {
  const messages = (json: unknown) => validateWorkflow(json, settings).problems.map((one) => one.message);
  const meant = (word: string) => [expect.stringContaining(`did you mean "${word}"?`)];
  test.each<[string, object, string]>([
    ["an event", small({ a: stop }, { triggers: [{ event: "message.recieved" }] }), "message.received"],
    ["an event to wait for", small({ a: { wait: { for: "1h", unless: "message.recived" } } }), "message.received"],
    ["an action", small({ a: { action: "conversation.clsoe" } }), "conversation.close"],
    ["a field of an action", small({ a: { action: "message.note", input: { text: "x", tetx: "y" } } }), "text"],
    ["a field of a step", small({ a: { action: "conversation.close", onEror: null } }), "onError"],
    ["a field", small({ a: { branch: [{ when: { field: "customer.frist_name", op: "is_set" } }] } }), "first_name"],
    ["a root", small({ a: { branch: [{ when: { field: "custmer.email", op: "is_set" } }] } }), "customer"],
    ["a step", small({ look: stop, a: { stop: { outputs: { ref: "steps.lok.x" } } } }, manual), "look"],
    ["a way", small({ look: stop, a: { action: "conversation.close", next: "lok" } }), "look"],
    ["an operator", small({ a: { branch: [{ when: { field: "customer.email", op: "isset" } }] } }), "is_set"],
    [
      "a name in a clause",
      small({ a: { branch: [{ when: { field: "customer.email", op: "is", valu: 1, value: 1 } }] } }),
      "value",
    ],
    ["a filter", small({ a: { action: "message.note", input: { text: "{{ message.text | upcas }}" } } }), "upcase"],
    ["a tag", small({ a: { action: "message.note", input: { text: "{% asign x = 1 %}" } } }), "assign"],
  ])("names what was meant: %s", (_name, document, word) => {
    expect(messages(document).filter((one) => one.includes("did you mean"))).toEqual(meant(word));
  });
});

test("a mistake in a trigger's event does not hide those of its condition", () => {
  const when = {
    all: [
      { field: "customer.email", op: "iss" },
      { field: "team.colour", op: "is_set" },
    ],
  };
  expect(found(small({ a: stop }, { triggers: [{ event: "message.gone", when }] }))).toEqual([
    "event_unknown /triggers/0/event",
    "operator_unknown /triggers/0/when/all/0/op",
  ]);
  const readable = { field: "team.colour", op: "is_set" };
  expect(found(small({ a: stop }, { triggers: [{ event: "message.gone", when: readable }] }))).toEqual([
    "event_unknown /triggers/0/event",
    "field_unknown /triggers/0/when",
  ]);
});
