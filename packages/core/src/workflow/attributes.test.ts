import { describe, expect, test } from "vitest";
import { operators } from "../condition/operators.ts";
import { type EventType, eventTypes } from "../domain/events.ts";
import { indexSettings } from "../domain/settings-index.ts";
import { settings, settingsRows } from "../testing/documents.ts";
import { property, testId } from "../testing/settings.ts";
import { type Attribute, attributesAt, type Vantage } from "./attributes.ts";
import type { TriggerDocument } from "./document.ts";
import { conditionPart } from "./part.ts";
import type { Problem } from "./problem.ts";
import { stepPlace, triggerPlace } from "./reads.ts";
import { anchors } from "./subjects.ts";

const on = (event: EventType): Vantage => ({ trigger: { event } });
const listed = (vantage: Vantage, path: string): Attribute | undefined =>
  attributesAt(vantage, settings).find((each) => each.path === path);
const groups = (vantage: Vantage): readonly string[] => [
  ...new Set(attributesAt(vantage, settings).map(({ path }) => path.split(/[.[]/)[0] as string)),
];

/** A right side that each kind of operator takes. */
const rights: Readonly<Record<string, unknown>> = {
  none: undefined,
  scalar: "x",
  text: "x",
  pattern: "x",
  number: 1,
  number_or_date: 1,
  date: "2026-01-01",
  range: [1, 2],
  list: ["x"],
  duration: "2h",
};

/** What is wrong with what a list offers, where it is offered: all operators, or a few of each attribute's, in turn. */
function wrong(vantage: Vantage, each: "all" | "some" = "some"): string[] {
  const place =
    "trigger" in vantage
      ? triggerPlace(vantage.trigger)
      : stepPlace(new Set(vantage.steps), new Set(Object.keys(vantage.inputs ?? {})));
  return attributesAt(vantage, settings).flatMap(({ path, operators: fit, refers_to: noun }, at) =>
    fit.flatMap((op, n) => {
      if (each === "some" && (n + at) % 8 !== 0) return [];
      const problems: Problem[] = [];
      const value =
        operators[op].value === "number_or_date" && path.endsWith("_at") ? "2026-01-01" : rights[operators[op].value];
      const clause = { field: path, op, ...(value !== undefined && { value }) };
      conditionPart(clause as never, "", place, { settings, problems });
      // that nobody is called "x" says nothing of the field
      return problems
        .filter(({ code }) => noun === null || code !== "reference_dangling")
        .map(({ code, message }) => `${path} ${op}: ${code} ${message}`);
    }),
  );
}

describe("whatever is listed can be asked for there, by each operator that is said to fit", () => {
  test.each(Object.keys(eventTypes) as EventType[])("%s", (event) => {
    expect(wrong(on(event), event === "message.received" ? "all" : "some")).toEqual([]);
  });

  test("time triggers", () => {
    for (const { subject, field } of anchors())
      expect(wrong({ trigger: { time: { since: `${subject}.${field}`, for: "1d" } } })).toEqual([]);
  });

  test("steps", () => {
    const triggers: TriggerDocument[] = [{ event: "message.received" }];
    const inputs = { urgent: { type: "boolean" }, anything: { type: "any" } } as const;
    expect(wrong({ triggers, inputs, steps: ["look up"] })).toEqual([]);
    expect(wrong({ triggers: [] })).toEqual([]);
  });
});

test("each says what it holds, what fits it, and whether reading it takes a look into the database", () => {
  expect(listed(on("message.received"), "conversation.status")).toEqual({
    path: "conversation.status",
    label: "Status",
    group: "Conversation",
    type: "text",
    operators: expect.arrayContaining(["is", "in", "changed", "changed_to"]),
    choices: ["open", "pending", "snoozed", "closed", "spam"],
    refers_to: null,
    lazy: true,
  });
  expect(listed(on("message.received"), "conversation.status")?.operators).not.toContain("greater_than");
  expect(listed(on("message.received"), "customer.assignee")).toMatchObject({ type: "id", refers_to: "user" });
  expect(listed(on("message.received"), "customer.teams")).toMatchObject({ type: "list", refers_to: "team" });
  expect(listed(on("message.received"), "customer.created_at")).toMatchObject({ type: "date", refers_to: null });
  expect(listed(on("message.received"), "organization.zone")).toMatchObject({ label: "Zone", lazy: false });
  expect(listed(on("message.received"), "now")).toMatchObject({ type: "date", label: "Now" });
  expect(listed(on("message.received"), "changes.conversation.status.before")).toMatchObject({
    label: "Conversation: Status: Before",
    type: "text",
    lazy: false,
  });
});

test("the organization's own properties and calendars are among them, archived ones are not", () => {
  expect(listed(on("message.received"), "customer.properties.plan")).toMatchObject({
    group: "Customer",
    type: "text",
    operators: expect.arrayContaining(["changed_to"]),
  });
  expect(listed(on("message.received"), "customer.properties")).toBeUndefined();
  expect(listed(on("message.received"), "calendar.office.open")).toMatchObject({ type: "boolean" });
  const own = indexSettings({
    ...settingsRows,
    properties: [
      property({
        id: testId(901),
        noun: "conversation",
        name: "b",
        type: "choice",
        options: ["x", "y"],
        position: 1,
        label: "Second",
      }),
      property({ id: testId(902), noun: "conversation", name: "c", type: "choices", options: [], position: 1 }),
      property({ id: testId(903), noun: "conversation", name: "a", type: "number", options: [], position: 2 }),
      property({
        id: testId(904),
        noun: "conversation",
        name: "z",
        type: "text",
        archived_at: "2026-01-01T00:00:00.000Z",
      }),
    ],
  });
  const found = attributesAt(on("message.received"), own).filter(({ path }) =>
    path.startsWith("conversation.properties."),
  );
  expect(found.map(({ path, label, type, choices }) => [path, label, type, choices])).toEqual([
    ["conversation.properties.b", "Second", "text", ["x", "y"]],
    ["conversation.properties.c", "c", "list", null],
    ["conversation.properties.a", "a", "number", null],
  ]);
});

test("what an event brings is listed where it is read: with its trigger, and not in a step", () => {
  expect(listed(on("customer.property_set"), "event.data.names")).toMatchObject({ type: "list", label: "Data: Names" });
  expect(listed(on("customer.merged"), "event.data.source")).toMatchObject({ type: "id", refers_to: null });
  expect(listed(on("message.received"), "event.data.names")).toBeUndefined();
  expect(listed(on("message.received"), "event.actor.kind")).toMatchObject({
    choices: ["user", "workflow", "channel", "system"],
  });
  const step: Vantage = { triggers: [{ event: "customer.property_set" }] };
  expect(attributesAt(step, settings).map(({ path }) => path)).toEqual(
    expect.arrayContaining(["event.id", "event.type", "run.started_at"]),
  );
  expect(attributesAt(step, settings).filter(({ path }) => /^event\.(data|actor)/.test(path))).toEqual([]);
});

test("what there is follows from the trigger", () => {
  expect(groups(on("customer.created"))).toEqual([
    "organization",
    "customer",
    "user",
    "assignee",
    "event",
    "changes",
    "calendar",
    "now",
  ]);
  expect(groups(on("message.received"))).toEqual(
    expect.arrayContaining(["conversation", "message", "team", "channel"]),
  );
  expect(groups({ trigger: { time: { since: "conversation.waiting_since", for: "2h" } } })).toEqual([
    "organization",
    "customer",
    "conversation",
  ]);
  // a clock hears of no changes
  const timed = attributesAt({ trigger: { time: { since: "customer.created_at", for: "2h" } } }, settings);
  expect(timed.flatMap((each) => each.operators)).not.toContain("changed");
  expect(groups({ triggers: [{ event: "customer.created" }] })).not.toContain("message");
  expect(groups({ triggers: [{ event: "customer.created" }, { event: "message.received" }] })).toContain("message");
  expect(groups({ triggers: [] })).toEqual(expect.arrayContaining(["message", "conversation", "run"]));
  const inputs = { urgent: { type: "boolean" } } as const;
  expect(listed({ triggers: [], inputs, steps: ["look up"] }, "inputs.urgent")).toMatchObject({ type: "boolean" });
  expect(listed({ triggers: [], inputs, steps: ["look up"] }, 'steps["look up"]')).toMatchObject({
    label: "look up",
    type: null,
    operators: ["is", "is_not", "is_set", "is_not_set"],
  });
});
