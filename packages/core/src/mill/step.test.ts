import { describe, expect, test } from "vitest";
import { indexSettings } from "../domain/settings-index.ts";
import type { Run } from "../model/run.ts";
import { officeSettings, publish } from "../testing/mill.ts";
import { ids, testId } from "../testing/settings.ts";
import { stage } from "../testing/stage.ts";
import type { WorkflowDocument } from "../workflow/document.ts";

const received = { triggers: [{ event: "message.received" }] };
const tag = (name: string) => ({ action: "conversation.add_tags", input: { tags: [name] } });
const gt = { field: "conversation.topic", op: "gt", value: 1 };

/** One run of a workflow that a message starts. */
function runOf(steps: WorkflowDocument["steps"], more: object = {}, topic?: string) {
  const play = stage({ workflows: [publish(1, { ...received, ...more, steps })] });
  if (topic !== undefined) {
    const quiet = stage();
    quiet.issue("conversation.set_topic", { conversation: quiet.receive(), topic });
    const next = stage({
      workflows: [publish(1, { ...received, ...more, steps })],
      start: { more: Object.fromEntries(quiet.shell.world.rows) },
    });
    const conversation = next.receive();
    return { play: next, conversation, run: next.runsOf(1)[0] as Run };
  }
  const conversation = play.receive();
  return { play, conversation, run: play.runsOf(1)[0] as Run };
}

describe("actions", () => {
  test("are commands of the workflow, with the current rights of its publisher", () => {
    const { play, run } = runOf({ tag: tag("a") });
    expect(play.shell.log.at(-1)).toMatchObject({
      type: "conversation.tags_added",
      actor: { kind: "workflow", id: testId(4001), publisher: ids.users.ada },
      depth: 1,
    });
    expect(run).toMatchObject({
      status: "finished",
      steps: [{ step: "tag", kind: "conversation.add_tags", status: "done", output: { changed: true } }],
    });
    for (const publisher of [ids.users.dan, null]) {
      const other = stage({ workflows: [publish(1, { ...received, steps: { tag: tag("a") } }, { publisher })] });
      other.receive();
      expect(other.runsOf(1)).toMatchObject([{ status: "failed", reason: { code: "not_permitted" } }]);
    }
  });

  test("leave out what a reference does not find, save where the command needs it", () => {
    const { run } = runOf({
      a: {
        action: "conversation.assign",
        input: { user: { ref: "customer.assignee" }, team: "billing" },
        next: "b",
      },
      b: { action: "message.note", input: { text: { ref: "customer.email" } } },
    });
    expect(run.steps).toMatchObject([{ status: "done" }, { status: "failed", reason: { code: "invalid_input" } }]);
    expect(run.steps[0]?.input).not.toHaveProperty("user");
    expect(run.steps[1]?.input).toMatchObject({ text: null });
  });

  test("are done to the run's own subject where no other is named", () => {
    const { play, conversation, run } = runOf({
      a: { ...tag("a"), next: "b" },
      b: { action: "customer.add_tags", input: { tags: ["b"] }, next: "c" },
      c: { action: "message.tag", input: { tags: ["c"] } },
    });
    expect(play.conversation(conversation).tags).toEqual(["a"]);
    expect(play.customer(play.conversation(conversation).customer).tags).toEqual(["b"]);
    expect(run.steps.map((step) => step.input)).toMatchObject([
      { conversation },
      { customer: run.customer },
      { message: run.message },
    ]);
  });

  test("are never done to the run's own subject in the place of one that they name and that is not there", () => {
    const named = { conversation: { ref: "steps.none.conversation" } };
    const { play, conversation, run } = runOf({
      none: { action: "customer.add_tags", input: { tags: ["x"] }, next: "a" },
      a: { action: "conversation.add_tags", input: { tags: ["a"], ...named }, onError: "b" },
      b: { action: "message.note", input: { text: "{{ steps.a.error.code }}", ...named } },
    });
    expect(play.conversation(conversation).tags).toEqual([]);
    const reason = { code: "target_missing", detail: { path: "/conversation" } };
    expect(run).toMatchObject({
      status: "failed",
      reason,
      steps: [{ status: "done" }, { status: "failed", reason }, { status: "failed", reason }],
    });
  });

  test("that are refused take their onError edge, which knows why; the place of the fault is kept", () => {
    const { play, conversation, run } = runOf({
      a: { ...tag(" "), onError: "b" },
      b: { ...tag("{{ steps.a.error.code }}") },
    });
    expect(run).toMatchObject({
      status: "finished",
      steps: [{ status: "failed", reason: { detail: { path: expect.any(String) } } }, { status: "done" }],
    });
    expect(play.conversation(conversation).tags).toEqual([run.steps[0]?.reason?.code]);
  });

  test("that are refused end the run as failed where nothing catches it", () => {
    expect(runOf({ a: { action: "message.send", input: { text: "{{ nothing }}" } } }).run).toMatchObject({
      status: "failed",
      cursor: null,
      reason: { code: "message_empty" },
      steps: [{ status: "failed" }],
    });
  });

  test("L15: what a guard refuses stops the run, or takes its onError edge", () => {
    const organization = {
      ...officeSettings.organization,
      limits: { ...officeSettings.organization.limits, automated_messages_per_hour: 1 },
    };
    const settings = indexSettings({ ...officeSettings, organization });
    const send = { action: "message.send", input: { text: "hi" } };
    const play = stage({
      settings,
      workflows: [
        publish(1, { ...received, steps: { a: { ...send, next: "b" }, b: send } }),
        publish(2, { ...received, order: 1, steps: { a: { ...send, onError: "b" }, b: tag("caught") } }),
      ],
    });
    const conversation = play.receive();
    expect(play.runsOf(1)).toMatchObject([
      {
        status: "stopped",
        reason: { code: "too_many_automated_messages" },
        steps: [{ status: "done" }, { status: "failed" }],
      },
    ]);
    expect(play.runsOf(2)).toMatchObject([
      { status: "finished", steps: [{ status: "failed", reason: { code: "too_many_automated_messages" } }, {}] },
    ]);
    const customer = play.customer(play.conversation(conversation).customer);
    expect([customer.guards?.sends, play.shell.effects().length]).toEqual([[play.now()], 1]);
    // an hour later one more goes out
    play.pass(3_600_000);
    play.receive();
    expect(play.shell.effects()).toHaveLength(2);
  });

  test("L15: a customer who wants no messages gets none from a workflow", () => {
    const play = stage({
      workflows: [
        publish(1, {
          triggers: [{ event: "customer.unsubscribed" }],
          steps: { go: { action: "message.send", input: { text: "bye", conversation: "{{ inputs.c }}" } } },
        }),
      ],
    });
    const { customer } = play.conversation(play.receive());
    play.issue("customer.unsubscribe", { customer });
    expect(play.runsOf(1)).toMatchObject([{ status: "failed" }]);
    const other = stage({
      workflows: [publish(1, { ...received, steps: { go: { action: "message.send", input: { text: "hi" } } } })],
    });
    const quiet = stage();
    quiet.issue("customer.unsubscribe", { customer: quiet.conversation(quiet.receive()).customer });
    for (const [name, row] of quiet.shell.world.rows) other.shell.world.rows.set(name, row);
    other.receive();
    expect(other.runsOf(1)).toMatchObject([{ status: "stopped", reason: { code: "customer_unsubscribed" } }]);
  });

  test("that are refused after a partial change leave nothing of it", () => {
    const { play, conversation } = runOf({
      a: { action: "conversation.assign", input: { team: "nobody", by: "least_busy" } },
    });
    expect(play.conversation(conversation)).toMatchObject({ assignee: null, team: null });
    expect(play.shell.log.every((event) => event.cause.run === undefined)).toBe(true);
  });

  test("may start other workflows, one level deeper, which end at the chain's depth", () => {
    const self = publish(1, {
      kind: "callable",
      steps: {
        go: { action: "run.start", input: { workflow: "workflow-1", conversation: { ref: "conversation.id" } } },
      },
    });
    const play = stage({ workflows: [self] });
    play.issue("run.start", { workflow: "workflow-1", conversation: play.receive() });
    const runs = play.runsOf(1);
    expect(runs.map((run) => run.depth).sort((a, b) => a - b)).toEqual([...Array(12).keys()]);
    expect(runs.find((run) => run.depth === 11)).toMatchObject({ status: "skipped", reason: { code: "chain_depth" } });
  });

  test("read their merged customer as the one it stands for", () => {
    const steps = {
      hold: { wait: { for: "1h" }, next: "after" },
      after: { action: "conversation.set_topic", input: { topic: "{{ customer.first_name }}" } },
    } as const;
    const { play, conversation } = runOf(steps);
    const made = play.issue("customer.upsert", { email: "ann@example.com", first_name: "Ann" });
    const { customer } = play.conversation(conversation);
    play.issue("customer.merge", { customer, into: made.ok ? (made.result["customer"] as string) : "" });
    play.ringNext();
    expect(play.conversation(conversation).topic).toBe("Ann");
  });
});

describe("branches", () => {
  const steps = {
    who: {
      branch: [
        { when: { field: "conversation.topic", op: "is", value: "a" }, next: "a" },
        { when: { field: "conversation.topic", op: "is", value: "b" } },
      ],
      next: "other",
    },
    a: tag("a"),
    other: tag("other"),
  } as const;

  test.each([
    ["a", ["a"], { branch: 0 }, "branch"],
    ["b", [], { branch: 1 }, "branch"],
    ["c", ["other"], { branch: null }, "no_branch"],
  ])("go where the first that holds leads, and say why: topic %s", (topic, tags, output, code) => {
    const { play, conversation, run } = runOf(steps as never, {}, topic);
    expect(play.conversation(conversation).tags).toEqual(tags);
    expect(run).toMatchObject({ status: "finished" });
    expect(run.steps[0]).toMatchObject({ kind: "branch", status: "done", output, reason: { code } });
    // only what was tested is explained
    expect(run.steps[0]?.reason?.detail).toHaveLength(topic === "a" ? 1 : 2);
  });

  test("L8: that cannot be tested fail their run alone, or take its onError edge; the command stands and others run", () => {
    const faulty = { who: { branch: [{ when: gt, next: "a" }] }, a: tag("never") };
    const play = stage({
      workflows: [
        publish(0, {
          ...received,
          order: -1,
          steps: { set: { action: "conversation.set_topic", input: { topic: "words" } } },
        }),
        publish(1, { ...received, steps: faulty }),
        publish(2, {
          ...received,
          steps: { ...faulty, who: { ...faulty.who, onError: "caught" }, caught: tag("caught") },
        }),
        publish(3, { ...received, steps: { tag: tag("sound") } }),
      ],
    });
    const conversation = play.receive();
    expect(play.runsOf(1)).toMatchObject([
      { status: "failed", reason: { code: "operand_invalid" }, steps: [{ step: "who", status: "failed" }] },
    ]);
    expect(play.conversation(conversation)).toMatchObject({ tags: ["caught", "sound"], inbound_count: 1 });
  });
});

describe("waits", () => {
  test("keep their instant and the event that cuts them off", () => {
    const { run } = runOf({ hold: { wait: { for: "2h", in: "office", unless: "message.sent" } } });
    expect(run).toMatchObject({
      status: "waiting",
      waits: 1,
      cursor: "hold",
      waiting: { wait: 1, step: "hold", due_at: "2026-11-20T19:00:00.000Z", unless: "message.sent", effect: null },
    });
    expect(run.steps).toMatchObject([
      { kind: "wait", status: "waiting", input: { due_at: "2026-11-20T19:00:00.000Z", unless: "message.sent" } },
    ]);
  });

  test("for an event alone have no timer", () => {
    const { play, run } = runOf({ hold: { wait: { unless: "message.sent" } } });
    expect([run.status, play.shell.timers()]).toEqual(["waiting", []]);
  });

  test("that cannot be reckoned fail, or take their onError edge", () => {
    const until = { wait: { until: { ref: "customer.first_name" } } };
    expect(runOf({ hold: until }).run).toMatchObject({ status: "failed", reason: { code: "instant_invalid" } });
    expect(runOf({ hold: { ...until, onError: "b" }, b: tag("b") }).run).toMatchObject({
      status: "finished",
      steps: [{ status: "failed" }, { step: "b" }],
    });
  });
});

describe("stops", () => {
  test.each<[string, WorkflowDocument["steps"][string], object]>([
    [
      "without a word",
      { stop: true },
      { status: "stopped", outputs: null, reason: { code: "stop_step", message: "The workflow stopped here" } },
    ],
    [
      "with a reason",
      { stop: { reason: "enough" } },
      { status: "stopped", reason: { code: "stop_step", message: "enough" } },
    ],
    [
      "with an answer",
      { stop: { outputs: { of: { ref: "run.workflow" } } } },
      { status: "finished", outputs: { of: testId(4001) } },
    ],
  ])("%s", (_name, step, expected) => {
    expect(runOf({ end: step }).run).toMatchObject({
      ...expected,
      cursor: null,
      steps: [{ kind: "stop", status: "done" }],
    });
  });

  test("L8: whose answer cannot be made ready fail", () => {
    const { run } = runOf({ end: { stop: { outputs: { a: "{{ 1 | divided_by: conversation.outbound_count }}" } } } });
    expect(run).toMatchObject({ status: "failed", steps: [{ kind: "stop", status: "failed" }] });
  });

  test("L8: a run whose version is gone by the time it takes a step says so", () => {
    const play = stage({
      workflows: [publish(1, { ...received, steps: { a: { ...tag("a"), next: "b" }, b: tag("b") } })],
    });
    const shell = play.shell;
    const item = { channel: ids.channels.sms, from: "+14155550101", text: "hi" };
    shell.call(
      [
        {
          kind: "command",
          id: testId(1),
          at: play.now(),
          command: { type: "message.receive", actor: { kind: "system", id: null }, input: item },
        },
      ],
      3,
    );
    expect(shell.leftover).not.toBeNull();
    shell.config = stage().shell.config;
    shell.feed([]);
    expect(play.runsOf(1)).toMatchObject([
      { status: "failed", reason: { code: "step_gone" }, steps: [{ step: "a", status: "done" }] },
    ]);
    // and one that has not even begun
    const other = stage({ workflows: [publish(1, { ...received, steps: { a: tag("a") } })] });
    other.shell.call(
      [
        {
          kind: "command",
          id: testId(1),
          at: play.now(),
          command: { type: "message.receive", actor: { kind: "system", id: null }, input: item },
        },
      ],
      1,
    );
    other.shell.config = stage().shell.config;
    other.shell.feed([]);
    expect(other.runsOf(1)).toMatchObject([{ status: "failed", reason: { code: "step_gone" }, steps: [] }]);
  });
});
