import fc from "fast-check";
import Compile from "typebox/compile";
import { describe, expect, test } from "vitest";
import { indexSettings } from "../domain/settings-index.ts";
import { compileVersion } from "./compile.ts";
import { WorkflowDocumentSchema } from "./document.ts";
import { shapeOf } from "./shape.ts";
import { anyDocument, idOf, mutated, refundRequests, settings, settingsRows } from "../testing/documents.ts";
import { scopeOf } from "../testing/scope.ts";
import { isPublishable, validateWorkflow } from "./validate.ts";

const compile = (document: unknown, given = settings) =>
  compileVersion({
    id: idOf(1),
    workflow: idOf(2),
    publisher: idOf(11),
    publishedAt: "2026-01-01T00:00:00.000Z",
    document,
    settings: given,
  });

const roots = {
  customer: { id: idOf(3), first_name: "Eve", properties: { plan: "pro" } },
  conversation: { id: idOf(4), team: idOf(20) },
  message: { id: idOf(5), text: "I want a refund" },
};
const scope = scopeOf(roots);

describe("the example", () => {
  const compiled = compile(refundRequests);
  if (!compiled.ok) throw new Error("the example compiles");
  const { version, problems } = compiled;

  test("head", () => {
    expect(problems).toEqual([]);
    expect(version).toMatchObject({
      id: idOf(1),
      workflow: idOf(2),
      name: "Refund requests",
      kind: "automatic",
      order: 0,
      publisher: idOf(11),
      publishedAt: "2026-01-01T00:00:00.000Z",
      start: "tag",
      whenRunning: "start",
      runsPerDay: null,
    });
    expect([...version.mailboxes!]).toEqual([idOf(30)]);
    expect(version.document).toBe(refundRequests);
  });

  test("triggers", () => {
    const [trigger] = version.triggers;
    expect(trigger).toMatchObject({ kind: "event", event: "message.received" });
    expect(trigger!.when!.test(scope)).toBe(true);
    expect(trigger!.when!.test(scopeOf({ message: { text: "hello" } }))).toBe(false);
  });

  test("steps", () => {
    expect([...version.steps.keys()]).toEqual(["tag", "who", "page", "reply", "hold", "close"]);
    expect(version.steps.get("tag")).toMatchObject({
      kind: "action",
      id: "tag",
      action: "conversation.add_tags",
      next: "who",
      onError: null,
      awaits: false,
    });
    const who = version.steps.get("who")!;
    expect(who).toMatchObject({ kind: "branch", next: "reply", onError: null });
    expect(who.kind === "branch" && who.branches[0]!.when.test(scope) && who.branches[0]!.next).toBe("page");
    const reply = version.steps.get("reply")!;
    expect(reply.kind === "action" && reply.input.resolve(scope)).toEqual({ text: "Hi Eve, ..." });
    expect(version.steps.get("hold")).toEqual({
      kind: "wait",
      id: "hold",
      for: { days: 0, seconds: 7200 },
      until: null,
      calendar: "business_hours",
      unless: "message.received",
      onInterrupt: null,
      next: "close",
      onError: null,
    });
    const close = version.steps.get("close")!;
    expect(close.kind === "action" && close.input.resolve(scope)).toEqual({});
  });
});

test("the rest of what a document can say", () => {
  const compiled = compile({
    name: "All",
    kind: "automatic",
    order: 7,
    limits: { runs_per_day: 5 },
    when_running: "replace",
    triggers: [
      { event: "message.sent" },
      {
        time: { since: "conversation.waiting_since", for: "2h", in: "office" },
        when: { field: "conversation.team", op: "is", value: "billing" },
      },
    ],
    start: "a",
    steps: {
      a: { action: "conversation.close", await: true, onError: "d", next: "b" },
      b: { wait: { until: { ref: "conversation.snoozed_until" } }, next: "c" },
      c: { stop: { reason: "enough", outputs: { team: { ref: "conversation.team" } } } },
      d: { stop: true },
    },
  });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  const { version } = compiled;
  expect(version).toMatchObject({ order: 7, runsPerDay: 5, whenRunning: "replace", mailboxes: null });
  expect(version.triggers[0]).toEqual({ kind: "event", event: "message.sent", when: null });
  expect(version.triggers[1]).toMatchObject({
    kind: "time",
    subject: "conversation",
    since: "waiting_since",
    after: { days: 0, seconds: 7200 },
    calendar: "office",
  });
  // the short name of the team became the id that rows hold
  expect(version.triggers[1]!.when!.test(scope)).toBe(true);
  expect(version.steps.get("a")).toMatchObject({ awaits: true, onError: "d" });
  const stop = version.steps.get("c")!;
  expect(stop.kind === "stop" && [stop.reason, stop.outputs!.resolve(scope)]).toEqual(["enough", { team: idOf(20) }]);
  expect(version.steps.get("d")).toEqual({ kind: "stop", id: "d", reason: null, outputs: null, next: null });
});

test("a version outlives changes of its surroundings, and says what they broke", () => {
  const lessSettings = indexSettings({ ...settingsRows, teams: [], mailboxes: [], calendars: [] });
  const late = {
    ...refundRequests,
    triggers: [
      { event: "message.received", when: { field: "customer.properties.plan", op: "starts_with", value: "p" } },
    ],
    steps: { ...refundRequests.steps, close: { action: "conversation.gone" } },
  };
  const number = { ...settingsRows.properties[0]!, type: "number" as const };
  const compiled = compile(late, indexSettings({ ...lessSettings.all, properties: [number] }));
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  expect(compiled.version.mailboxes).toEqual(new Set());
  expect(compiled.version.triggers[0]!.when!.test(scope)).toBe(true);
  expect(compiled.problems.map((one) => `${one.code} ${one.path}`)).toEqual([
    "reference_dangling /mailboxes/0",
    "operator_unfit /triggers/0/when/op",
    "reference_dangling /steps/page/input/team",
    "reference_dangling /steps/hold/wait/in",
    "action_unknown /steps/close/action",
  ]);
});

test("what cannot be made ready is refused with its problems", () => {
  const compiled = compile({ ...refundRequests, start: "nowhere" });
  expect(compiled).toMatchObject({ ok: false, problems: [{ code: "edge_dangling", path: "/start" }] });
  expect(compile({ ...refundRequests, steps: { tag: { stop: { outputs: "{{" } } } }).ok).toBe(false);
  expect(compile({ ...refundRequests, triggers: [{ event: "x" }] }).ok).toBe(false);
});

describe("properties", () => {
  const agree = (json: unknown) => {
    const { problems } = validateWorkflow(json, settings);
    const compiled = compile(json);
    expect(compiled.problems).toEqual(problems);
    if (isPublishable(problems)) expect(compiled.ok).toBe(true);
    for (const problem of problems) expect(problem.path).toMatch(/^(\/|$)/);
    return isPublishable(problems);
  };

  test("any JSON is answered", () => {
    fc.assert(fc.property(fc.jsonValue(), (json) => void agree(json)));
  });

  test("documents of sound shape: what validates compiles, and each step leads somewhere", () => {
    let published = 0;
    fc.assert(
      fc.property(anyDocument, (document) => {
        if (!agree(document)) return;
        published += 1;
        const compiled = compile(document);
        if (!compiled.ok) throw new Error("agreed above");
        const { steps, start } = compiled.version;
        expect(steps.has(start)).toBe(true);
        for (const step of steps.values()) if (step.next !== null) expect(steps.has(step.next)).toBe(true);
      }),
      { numRuns: 500 },
    );
    expect(published).toBeGreaterThan(5); // else this tested nothing
  });

  test("the published schema and the check of single parts agree on what has the right shape", () => {
    const schema = Compile(WorkflowDocumentSchema);
    expect(schema.Check(refundRequests)).toBe(true);
    fc.assert(
      fc.property(fc.oneof(mutated(refundRequests), anyDocument), (json) => {
        // names over several lines are beyond what a JSON Schema of a map says
        if (JSON.stringify(json).includes("\\n")) return;
        const shaped = shapeOf(json).problems.filter(
          (one) => one.code !== "step_id_invalid" && one.code !== "text_invalid",
        );
        if (shaped.length === 0) expect(schema.Check(json)).toBe(true);
        else expect(schema.Check(json)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test("mutations of a sound document: never a throw", () => {
    fc.assert(
      fc.property(mutated(refundRequests), (json) => void agree(json)),
      { numRuns: 500 },
    );
  }, 60_000);
});
