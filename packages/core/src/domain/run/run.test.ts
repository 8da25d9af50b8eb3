import { describe, expect, test } from "vitest";
import type { Accepted } from "../../model/command.ts";
import type { Json } from "../../model/common.ts";
import type { Run } from "../../model/run.ts";
import { actors, ids, sampleIndex, sampleSettings, testId } from "../../testing/settings.ts";
import { scene } from "../../testing/scene.ts";
import { conversationRow, customerRow, memoryWorld } from "../../testing/world.ts";
import type { VersionHead } from "../../workflow/compiled.ts";

import { key } from "../keys.ts";
import { inputsProblem } from "./inputs.ts";
import type { parameterTypes } from "../../workflow/document.ts";
import { needsOf } from "../registry.ts";
import type { WorkflowDirectory } from "../standing.ts";

const [ann, talk, ghost] = [301, 401, 499].map(testId) as [string, string, string];
const [waiting, over] = [701, 702].map(testId) as [string, string];

const version = (kind: VersionHead["kind"], inputs?: unknown): VersionHead =>
  ({
    id: `${kind}-1`,
    workflow: kind,
    kind,
    publisher: ids.users.ada,
    start: "first",
    document: { inputs },
  }) as VersionHead;
const known: Record<string, VersionHead> = {
  manual: version("manual"),
  automatic: version("automatic"),
  callable: version("callable", { order: { type: "text", required: true }, note: { type: "text" } }),
};
const workflows: WorkflowDirectory = { published: (name) => known[name] ?? null };
const run = (id: string, status: Run["status"]): Run =>
  ({
    id,
    workflow: "manual",
    subject_kind: "conversation",
    subject: talk,
    conversation: talk,
    customer: ann,
    message: null,
    hears: null,
    status,
    cursor: "hold",
    waiting: { wait: 1 },
    steps: [{ step: "hold", kind: "wait", status: status === "waiting" ? status : "done" }],
  }) as unknown as Run;
const talkOf = (customer: string) =>
  conversationRow({ id: talk, customer, mailbox: ids.mailboxes.support, channel: ids.channels.sms, address: "+1" });
const world = memoryWorld({
  customers: [customerRow({ id: ann })],
  conversations: [talkOf(ann)],
  runs: [run(waiting, "waiting"), run(over, "finished")],
});
const stage = () => scene({ world, workflows });

describe("run.start", () => {
  test.each<{ input: Record<string, Json>; about: object }>([
    {
      input: { conversation: talk },
      about: { subject_kind: "conversation", subject: talk, conversation: talk, customer: ann },
    },
    { input: { customer: ann }, about: { subject_kind: "customer", subject: ann, customer: ann } },
    { input: { user: ids.users.ben }, about: { subject_kind: "user", subject: ids.users.ben } },
    { input: {}, about: { subject_kind: "organization", subject: ids.organization } },
    {
      input: { workflow: "callable", inputs: { order: "1", note: null } },
      about: { inputs: { order: "1", note: null } },
    },
  ])("queues a run about $about", ({ input, about }) => {
    const set = stage();
    const { answer, events, runs } = set.issue("run.start", { workflow: "manual", ...input });
    const id = (answer as Accepted).result["run"] as string;
    const workflow = (input["workflow"] as string | undefined) ?? "manual";
    expect(answer).toEqual({ ok: true, result: { run: id, workflow, version: `${workflow}-1` } });
    expect(runs).toEqual([id]);
    const by = { started_by: actors.admin, ended_by: null };
    expect(set.ledger.get(key.run(id))).toMatchObject({ status: "queued", cursor: "first", depth: 0, ...by, ...about });
    const [told, ...more] = events;
    expect(more).toEqual([]);
    expect(told).toMatchObject({
      type: "run.started",
      actor: actors.admin,
      changes: [],
      data: { run: id, workflow },
    });
    const { subject_kind, subject } = about as Run;
    expect(told?.refs).toMatchObject(
      subject_kind === "organization" || subject === undefined ? {} : { [subject_kind]: subject },
    );
  });

  test("is about the customer that a merged one stands for", () => {
    const merged = memoryWorld({
      customers: [customerRow({ id: ann, merged_into: ghost }), customerRow({ id: ghost })],
      conversations: [talkOf(ann)],
    });
    const set = scene({ world: merged, workflows });
    const { events, runs } = set.issue("run.start", { workflow: "manual", conversation: talk });
    expect(events[0]?.refs).toEqual({ conversation: talk, customer: ghost });
    expect(set.ledger.get(key.run(runs[0] as string))).toMatchObject({ conversation: talk, customer: ghost });
  });

  test("takes no inputs for a customer who was erased", () => {
    const at = "2026-11-20T17:00:00.000Z";
    const erased = memoryWorld({ customers: [customerRow({ id: ann, erased_at: at })], conversations: [talkOf(ann)] });
    const ask = (input: Record<string, Json>) => scene({ world: erased, workflows }).issue("run.start", input).answer;
    const words = { workflow: "callable", inputs: { order: "Ann's" } };
    const refused = { ok: false, code: "customer_erased" };
    expect(ask({ ...words, conversation: talk })).toMatchObject({ ...refused, path: "/conversation" });
    expect(ask({ ...words, customer: ann })).toMatchObject({ ...refused, path: "/customer" });
    expect(ask({ workflow: "manual", conversation: talk })).toMatchObject({ ok: true });
  });

  test("is a level deeper when a workflow asks", () => {
    const set = stage();
    const { runs } = set.issue(
      "run.start",
      { workflow: "callable", inputs: { order: "7" } },
      { actor: actors.workflow },
    );
    expect(set.ledger.get(key.run(runs[0] as string))).toMatchObject({
      depth: 1,
      inputs: { order: "7" },
      started_by: actors.workflow,
    });
  });

  test.each<{ input: Record<string, Json>; code: string }>([
    { input: { workflow: "none" }, code: "workflow_not_found" },
    { input: { workflow: "automatic" }, code: "workflow_automatic" },
    { input: { workflow: "manual", conversation: ghost }, code: "conversation_not_found" },
    { input: { workflow: "manual", customer: ghost }, code: "customer_not_found" },
    { input: { workflow: "manual", user: ghost }, code: "user_not_found" },
    { input: { workflow: "callable" }, code: "input_missing" },
    { input: { workflow: "callable", inputs: { note: "a" } }, code: "input_missing" },
    { input: { workflow: "callable", inputs: { order: null } }, code: "input_missing" },
    { input: { workflow: "callable", inputs: { order: 7 } }, code: "input_type" },
    { input: { workflow: "callable", inputs: { order: "7", note: ["a"] } }, code: "input_type" },
    { input: { workflow: "callable", inputs: { order: "7", oder: "7" } }, code: "input_unknown" },
    { input: { workflow: "manual", inputs: { a: 1 } }, code: "input_unknown" },
  ])("is refused: $code", ({ input, code }) => {
    expect(stage().issue("run.start", input)).toMatchObject({ answer: { ok: false, code }, runs: [] });
  });

  const instant = "2026-11-20T17:00:00.000Z";
  test.each<{ type: (typeof parameterTypes)[number]; good: unknown[]; bad: unknown[] }>([
    { type: "text", good: ["", "a"], bad: [1, true, [], {}] },
    { type: "number", good: [0, -1.5], bad: ["1", Infinity, NaN, [1]] },
    { type: "boolean", good: [true, false], bad: ["true", 0] },
    { type: "instant", good: [instant], bad: ["2026-11-20", "soon", 0] },
    { type: "list", good: [[], [1]], bad: ["a", {}] },
    { type: "object", good: [{}, { a: 1 }], bad: [[], "a"] },
    { type: "any", good: ["", 0, false, [], {}], bad: [] },
  ])("an input of the type $type takes what is one", ({ type, good, bad }) => {
    const problem = (value: unknown) => inputsProblem({ it: { type } }, { it: value })?.code ?? null;
    expect([...good, null].map(problem)).toEqual(Array(good.length + 1).fill(null));
    expect(bad.map(problem)).toEqual(Array(bad.length).fill("input_type"));
    expect(inputsProblem({ it: { type } })).toBeNull();
  });

  test("an input's problem says where it is; a word that every object knows is none", () => {
    expect(inputsProblem({}, { "a/b": 1 })).toMatchObject({ code: "input_unknown", path: "/inputs/a~1b" });
    expect(inputsProblem({ constructor: { type: "any", required: true } as const }, {})).toMatchObject({
      code: "input_missing",
    });
    expect(inputsProblem({}, { constructor: 1 })).toMatchObject({ code: "input_unknown" });
  });

  test("reads what it is about", () => {
    const needs = (input: Record<string, Json>) =>
      needsOf({ type: "run.start", actor: actors.admin, input }, stage().settings);
    expect(needs({ workflow: "manual", conversation: talk })).toEqual([key.conversation(talk)]);
    expect(needs({ workflow: "manual", customer: ann })).toEqual([key.customer(ann)]);
  });
});

describe("run.cancel", () => {
  test.each<{ input: Record<string, Json>; message: string }>([
    { input: { run: waiting }, message: "Cancelled by a person" },
    { input: { run: waiting, reason: "wrong one" }, message: "wrong one" },
  ])("ends a run that waits: $message", ({ input, message }) => {
    const set = stage();
    const { answer, events } = set.issue("run.cancel", input);
    expect(answer).toEqual({ ok: true, result: { run: waiting, changed: true } });
    expect(events).toMatchObject([
      { type: "run.cancelled", actor: actors.admin, refs: { conversation: talk, customer: ann }, changes: [] },
    ]);
    expect(events[0]?.data).toEqual({ workflow: "manual", ...input });
    expect(set.ledger.get(key.run(waiting))).toMatchObject({
      status: "cancelled",
      ended_by: actors.admin,
      steps: [{ step: "hold", status: "interrupted", reason: { code: "cancelled", message }, finished_at: set.now() }],
      cursor: null,
      waiting: null,
      reason: { code: "cancelled", message },
      finished_at: set.now(),
    });
    expect(set.ledger.get(key.timer(waiting))).toBeNull();
    expect(set.ledger.list(key.waiting(talk), talk)).toEqual([]);
  });

  test("knows no run that is over, and no other", () => {
    const set = stage();
    expect(set.issue("run.cancel", { run: over }).answer).toMatchObject({ kind: "not_found", code: "run_not_found" });
    expect(set.ledger.get(key.run(over))).toMatchObject({ status: "finished" });
    expect(stage().issue("run.cancel", { run: ghost }).answer).toMatchObject({ code: "run_not_found" });
    expect(needsOf({ type: "run.cancel", actor: actors.admin, input: { run: over } }, stage().settings)).toEqual([
      key.run(over),
    ]);
  });
});

describe("out of reach", () => {
  const settings = sampleIndex({
    mailboxes: sampleSettings.mailboxes.map((row) =>
      row.id === ids.mailboxes.support ? { ...row, access: "members" as const } : row,
    ),
    users: sampleSettings.users.map((row) => (row.id === ids.users.ben ? { ...row, role: "supervisor" } : row)),
  });
  const set = () => scene({ world, workflows, settings, actor: actors.agent });

  test("no run is started for a conversation, nor cancelled", () => {
    expect(set().issue("run.start", { workflow: "manual", conversation: talk }).answer).toMatchObject({
      code: "conversation_not_found",
    });
    expect(set().issue("run.cancel", { run: waiting }).answer).toMatchObject({ code: "run_not_found" });
    const cancelled = set().issue("run.cancel", { run: waiting }, { actor: actors.admin });
    expect(cancelled.answer).toMatchObject({ ok: true });
    expect(set().issue("run.start", { workflow: "manual", customer: ann }).answer).toMatchObject({ ok: true });
  });
});
