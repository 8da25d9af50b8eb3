import { describe, expect, test } from "vitest";
import { indexSettings, type SettingsIndex } from "../domain/settings-index.ts";
import { key } from "../domain/keys.ts";
import type { Limits, Settings, User } from "../model/settings.ts";
import type { Run } from "../model/run.ts";
import { commandItem } from "../testing/histories.ts";
import { millShell, officeSettings, publish } from "../testing/mill.ts";
import { ids, testId } from "../testing/settings.ts";
import { stage, type Stage } from "../testing/stage.ts";
import { conversationRow, customerRow } from "../testing/world.ts";
import type { WorkflowDocument } from "../workflow/document.ts";

const limited = (limits: Partial<Limits>, more: Partial<Settings["organization"]> = {}): SettingsIndex => {
  const { organization } = officeSettings;
  return indexSettings({
    ...officeSettings,
    organization: { ...organization, ...more, limits: { ...organization.limits, ...limits } },
  });
};
const received = { triggers: [{ event: "message.received" }] };
const onTag = (tag: string) => ({
  triggers: [{ event: "conversation.tags_added", when: { field: "conversation.tags", op: "contains", value: tag } }],
});
const withheldOf = (play: Stage) =>
  play.shell.log
    .filter((event) => event.type === "run.withheld")
    .map((event) => event.data as unknown as { code: string; count: number; workflows: string[] });
const hold = { hold: { wait: { for: "1h" } } } as const;

/** Three workflows that start each other for ever, by taking their tags off and putting them on again. */
const chase = ["a", "b", "c"].map((tag, n) =>
  publish(n, {
    ...onTag(tag),
    steps: {
      off: { action: "conversation.remove_tags", input: { tags: ["a", "b", "c"] }, next: "note" },
      note: { action: "message.note", input: { text: "x" }, next: "on" },
      on: { action: "conversation.add_tags", input: { tags: ["a", "b", "c"].filter((other) => other !== tag) } },
    },
  }),
);

test("L7: a cycle of waits ends when its run has taken all the steps that a run may", () => {
  const again = { wait: { until: "2020-01-01T00:00:00.000Z" }, next: "hold" };
  const play = stage({ workflows: [publish(1, { ...received, steps: { hold: again } })] });
  play.receive();
  while (play.ringNext());
  const [run] = play.shell.runs();
  expect(run).toMatchObject({ status: "stopped", reason: { code: "steps_at_most" } });
  expect(run?.steps).toHaveLength(1000);
});

describe("the allowance of a root", () => {
  test("L7: three workflows that start each other end, visibly, by the depth of their chain", () => {
    const settings = limited({ chain_depth: 5, runs_per_subject_per_day: 1000 });
    const play = stage({ settings, workflows: chase });
    const conversation = play.receive();
    play.issue("conversation.add_tags", { conversation, tags: ["a"] });
    const runs = play.shell.runs();
    expect(new Set(runs.map((run) => run.status))).toEqual(new Set(["finished", "skipped"]));
    const skipped = runs.filter((run) => run.status === "skipped");
    expect(new Set(skipped.map((run) => run.reason?.code))).toEqual(new Set(["chain_depth"]));
    expect(Math.max(...runs.map((run) => run.depth))).toBe(6);
    expect(skipped.every((run) => run.depth === 6 && run.steps.length === 0)).toBe(true);
  });

  test("L7: or by the allowance, to the operation, and what had still to come says so", () => {
    const allowance = 50;
    const settings = limited({ allowance, chain_depth: 1000 });
    const play = stage({ settings, workflows: chase });
    const conversation = play.receive();
    const input = { conversation, tags: ["a"] };
    const item = { id: testId(1), at: play.now(), type: "conversation.add_tags", input };
    expect(play.shell.call([commandItem(settings, item)], 10_000).operations).toBe(allowance);
    const runs = play.shell.runs();
    const [told, ...more] = withheldOf(play);
    expect(more).toEqual([]);
    expect(told).toMatchObject({ code: "allowance", workflows: expect.arrayContaining([expect.any(String)]) });
    const stopped = runs.filter((run) => run.status === "stopped");
    expect(stopped.every((run) => run.reason?.code === "allowance" && run.finished_at === play.now())).toBe(true);
    expect(stopped.every((run) => run.steps.length > 0)).toBe(true);
    expect(runs.every((run) => run.status === "stopped" || run.status === "finished" || run.status === "skipped")).toBe(
      true,
    );
    expect(play.shell.leftover).toBeNull();
  });

  test("L7: stops what had still to come, not a run that is over or has begun to wait with the last operation", () => {
    const note = (next?: string) => ({ action: "message.note", input: { text: "x" }, ...(next && { next }) });
    const last = (allowance: number, steps: WorkflowDocument["steps"]) => {
      const play = stage({
        settings: limited({ allowance }),
        workflows: [publish(1, { ...received, steps }), publish(2, { ...received, steps })],
      });
      play.receive();
      const runs = [1, 2].map((n) => play.runsOf(n).map((run) => [run.status, run.reason?.code ?? null]));
      return [...runs, withheldOf(play).map(({ code, count, workflows }) => [code, count, workflows])];
    };
    const second = (code: string) => [[code, 1, [testId(4002)]]];
    const two = { a: note("b"), b: note() };
    expect(last(3, { done: note() })).toEqual([[["finished", null]], [], second("starts")]);
    expect(last(3, hold)).toEqual([[["waiting", null]], [], second("starts")]);
    expect(last(3, two)).toEqual([[["stopped", "allowance"]], [], second("starts")]);
    expect(last(5, two)).toEqual([[["finished", null]], [], second("allowance")]);
    expect(last(6, two)).toEqual([[["finished", null]], [["stopped", "allowance"]], []]);
    expect(last(5, { done: note() })).toEqual([[["finished", null]], [["finished", null]], []]);
  });

  test("L7: who asked for a run by name is promised one, whatever there is room for", () => {
    const steps = { done: { stop: true } } as const;
    const play = stage({ settings: limited({ allowance: 1 }), workflows: [publish(1, { kind: "manual", steps })] });
    const answer = play.issue("run.start", { workflow: "workflow-1" });
    const run = answer.ok ? (answer.result["run"] as string) : "";
    expect(play.shell.run(run)).toMatchObject({ status: "stopped", reason: { code: "allowance" }, steps: [] });
    expect(withheldOf(play)).toEqual([]);
  });

  test("L7: of three thousand workflows that one message starts, as many get a run as could take a step each; the others are counted once", () => {
    const one = publish(1, { ...received, steps: { done: { stop: true } } });
    const workflows = Array.from({ length: 3000 }, (_, n) => ({
      slug: `w-${n}`,
      version: { ...one.version, id: testId(20_000 + n), workflow: testId(30_000 + n) },
    }));
    const play = stage({ workflows });
    const conversation = play.receive();
    const runs = play.shell.runs();
    expect([runs.length, new Set(runs.map((run) => run.reason?.code))]).toEqual([499, new Set(["stop_step"])]);
    const events = play.shell.log.filter((event) => event.type === "run.withheld");
    expect(events).toMatchObject([
      { actor: { kind: "system", id: null }, refs: { conversation }, depth: 1, changes: [], root: testId(10_001) },
    ]);
    expect(events[0]?.cause.event).toBe(runs[0]?.trigger.event);
    expect(withheldOf(play)).toMatchObject([{ code: "starts", count: 2501 }]);
    expect(withheldOf(play)[0]?.workflows).toHaveLength(10);
    // however it is cut
    const other = millShell({ workflows });
    other.feed(play.items, 700);
    expect(other.log).toEqual(play.shell.log);
    expect(other.runs()).toEqual(play.shell.runs());
  });

  test("L4: a team is one bundle, so that the least busy of a thousand is found within the cap", () => {
    const members = Array.from({ length: 1000 }, (_, n) => testId(20_000 + n));
    const [someone] = officeSettings.users;
    const settings = indexSettings({
      ...officeSettings,
      users: [
        ...officeSettings.users,
        ...members.map((id) => ({ ...(someone as User), id, email: `${id}@acme.test` })),
      ],
      teams: [
        ...officeSettings.teams,
        { id: testId(29), slug: "crowd", name: "Crowd", members, lead: null, archived_at: null },
      ],
    });
    const steps = {
      assign: { action: "conversation.assign", input: { team: "crowd", by: "least_busy" }, next: "again" },
      again: { action: "conversation.assign", input: { team: "support", by: "least_busy" }, next: "tag" },
      tag: { action: "conversation.add_tags", input: { tags: ["assigned"] } },
    };
    for (const loading of ["all", "rows"] as const) {
      const play = stage({ settings, loading, workflows: [publish(1, { ...received, steps }, { settings })] });
      const conversation = play.receive();
      expect(play.runsOf(1)).toMatchObject([{ status: "finished" }]);
      expect(play.conversation(conversation).tags).toEqual(["assigned"]);
    }
  });

  test("L4: a root that reads more than its cap is stopped, and says so", () => {
    const [ann, talk] = [testId(301), testId(401)];
    const waiting = Array.from({ length: 2100 }, (_, n) => ({
      id: testId(50_000 + n),
      workflow: testId(9999),
      version: testId(9998),
      subject_kind: "conversation",
      subject: talk,
      status: "waiting",
      waiting: { wait: 1, step: "s", due_at: null, unless: "message.sent", effect: null },
      steps: [],
    })) as unknown as Run[];
    const play = stage({
      workflows: [publish(1, { ...received, steps: { done: { stop: true } } })],
      start: {
        customers: [customerRow({ id: ann, phone: "+14155550101", open_conversations: 1, state: "replied" })],
        conversations: [
          conversationRow({
            id: talk,
            customer: ann,
            mailbox: ids.mailboxes.support,
            channel: ids.channels.sms,
            address: "+14155550101",
          }),
        ],
        runs: waiting,
      },
    });
    play.receive();
    expect(play.runsOf(1)).toEqual([]);
    expect(withheldOf(play)).toMatchObject([{ code: "read_cap", count: 1, workflows: [testId(4001)] }]);
  });
});

describe("before the first step", () => {
  test.each([
    ["off", "automation_off"],
    ["braked", "storm_brake"],
  ] as const)("L15: no run starts while automation is %s, and each says why", (automation, code) => {
    const play = stage({
      settings: limited({}, { automation }),
      workflows: [publish(1, { ...received, steps: hold })],
    });
    play.receive();
    expect(play.runsOf(1)).toMatchObject([{ status: "skipped", reason: { code }, steps: [], cursor: null }]);
  });

  test("L15: a workflow starts so often a day for a subject, by the organization's clock", () => {
    const play = stage({
      workflows: [publish(1, { ...received, limits: { runs_per_day: 2 }, steps: { done: { stop: true } } })],
    });
    const codes = () => play.runsOf(1).map((run) => run.reason?.code);
    for (let n = 0; n < 3; n += 1) {
      play.receive();
      play.pass(1000);
    }
    expect(codes()).toEqual(["stop_step", "stop_step", "runs_per_day"]);
    const conversation = play.receive();
    expect(play.conversation(conversation).guards).toMatchObject({ day: "2026-11-20", runs: { [testId(4001)]: 2 } });
    // another subject has a count of its own
    play.issue("message.receive", { channel: ids.channels.sms, from: "+14155550102", text: "hi" });
    expect(codes().filter((code) => code === "stop_step")).toHaveLength(3);
    // midnight in New York is five in the morning by UTC
    play.pass(11 * 3_600_000);
    play.receive();
    expect(codes()).toHaveLength(4);
    play.pass(3_600_000);
    play.receive();
    expect([codes().length, codes().at(-1)]).toEqual([5, "stop_step"]);
    expect(play.conversation(conversation).guards).toMatchObject({ day: "2026-11-21", runs: { [testId(4001)]: 1 } });
    expect(play.conversation(conversation).guards).not.toHaveProperty("withheld");
  });

  test("L15: what a guard holds back is one skipped run a day; the others are counted, and each tenth and hundredth is told", () => {
    const play = stage({
      workflows: [publish(1, { ...received, limits: { runs_per_day: 1 }, steps: { done: { stop: true } } })],
    });
    let conversation = "";
    for (let n = 0; n < 101; n += 1) {
      conversation = play.receive();
      play.pass(1000);
    }
    expect(play.runsOf(1).map((run) => run.status)).toEqual(["stopped", "skipped"]);
    expect(play.conversation(conversation).guards).toMatchObject({
      runs: { [testId(4001)]: 1 },
      withheld: { [`${testId(4001)}/runs_per_day`]: 100 },
    });
    const told = { code: "runs_per_day", workflows: [testId(4001)] };
    expect(withheldOf(play)).toMatchObject([
      { ...told, count: 10 },
      { ...told, count: 100 },
    ]);
    expect(play.shell.log.find((event) => event.type === "run.withheld")?.refs).toMatchObject({ conversation });
  });

  test("L15: a condition that cannot be tested counts as a start: it fails so often a day, and no more", () => {
    const when = { field: "message.text", op: "gt", value: 1 };
    const steps = { done: { stop: true } } as const;
    const faulty = { triggers: [{ event: "message.received", when }], steps };
    const play = stage({
      workflows: [publish(1, { ...faulty, limits: { runs_per_day: 2 }, when_running: "replace" })],
    });
    for (let n = 0; n < 200; n += 1) {
      play.receive("words");
      play.pass(1000);
    }
    expect(play.runsOf(1).map((run) => [run.status, run.reason?.code])).toEqual([
      ["failed", "operand_invalid"],
      ["failed", "operand_invalid"],
      ["skipped", "runs_per_day"],
    ]);
    const conversation = play.receive("12");
    expect(play.conversation(conversation).guards).toMatchObject({
      runs: { [testId(4001)]: 2 },
      withheld: { [`${testId(4001)}/runs_per_day`]: 199 },
    });
  });

  test("L15: each reason of a guard shows once a day, whatever held back the run before", () => {
    const workflow = publish(1, { ...received, limits: { runs_per_day: 1 }, steps: { done: { stop: true } } });
    const play = stage({ workflows: [workflow] });
    const twice = () => {
      for (let n = 0; n < 2; n += 1) {
        play.receive();
        play.pass(1000);
      }
    };
    twice();
    twice();
    play.shell.config = { ...play.shell.config, settings: limited({}, { automation: "off" }) };
    twice();
    expect(play.runsOf(1).map((run) => run.reason?.code)).toEqual(["stop_step", "runs_per_day", "automation_off"]);
    expect(play.conversation(play.receive()).guards?.withheld).toEqual({
      [`${testId(4001)}/runs_per_day`]: 3,
      [`${testId(4001)}/automation_off`]: 3,
    });
  });

  test("L15: starts of a version that is gone fail so often a day as the organization allows", () => {
    const workflow = publish(1, { ...received, steps: { done: { stop: true } } });
    const settings = limited({ runs_per_subject_per_day: 2 });
    const play = stage({ settings, workflows: [workflow] });
    const { workflows } = play.shell.config;
    const gone = { version: () => null, listens: () => true };
    const found = { candidates: workflows.candidates.bind(workflows), published: workflows.published.bind(workflows) };
    const none = { timed: () => [], readsCustomer: () => false };
    play.shell.config = { settings, workflows: { ...gone, ...found, ...none } };
    for (let n = 0; n < 4; n += 1) {
      play.receive();
      play.pass(1000);
    }
    expect(play.runsOf(1).map((run) => run.reason?.code)).toEqual(["step_gone", "step_gone", "runs_per_day"]);
  });

  test("L15: a run that is skipped for another that waits counts as a start too", () => {
    const limits = { runs_per_day: 3 };
    const play = stage({ workflows: [publish(1, { ...received, limits, when_running: "skip", steps: hold })] });
    for (let n = 0; n < 9; n += 1) {
      play.receive();
      play.pass(1000);
    }
    const codes = play.runsOf(1).map((run) => run.reason?.code ?? run.status);
    expect(codes).toEqual(["waiting", "already_running", "already_running", "runs_per_day"]);
  });

  test("L15: counts runs of customers on the customer, and those of users and of the organization nowhere", () => {
    const manual = publish(1, { kind: "manual", limits: { runs_per_day: 1 }, steps: { done: { stop: true } } });
    const play = stage({ workflows: [manual] });
    const { customer } = play.conversation(play.receive());
    const start = (input: object) => play.issue("run.start", { workflow: "workflow-1", ...input });
    for (const input of [{ customer }, { customer }, { user: ids.users.ben }, { user: ids.users.ben }, {}, {}]) {
      play.pass(1000);
      start(input);
    }
    expect(play.runsOf(1).map((run) => run.status)).toEqual([
      "stopped",
      "skipped",
      "stopped",
      "stopped",
      "stopped",
      "stopped",
    ]);
    expect(play.customer(customer).guards?.runs).toEqual({ [testId(4001)]: 1 });
  });

  const twice = (when_running: "start" | "skip" | "replace") => {
    const play = stage({
      workflows: [publish(1, { ...received, when_running, steps: hold }), publish(2, { ...received, steps: hold })],
    });
    play.receive();
    play.pass(1000);
    play.receive();
    return play;
  };

  test("when_running: another run starts beside one that waits", () => {
    expect(
      twice("start")
        .runsOf(1)
        .map((run) => run.status),
    ).toEqual(["waiting", "waiting"]);
  });

  test("when_running: or is skipped, and names the one that waits", () => {
    const [first, second] = twice("skip").runsOf(1);
    expect([first?.status, second?.status]).toEqual(["waiting", "skipped"]);
    expect(second?.reason).toMatchObject({ code: "already_running", message: expect.stringContaining(first!.id) });
  });

  test("when_running: or takes its place, and its timer is gone", () => {
    const play = twice("replace");
    const [first, second] = play.runsOf(1);
    expect([first?.status, second?.status]).toEqual(["cancelled", "waiting"]);
    expect(first?.reason).toMatchObject({ code: "replaced", message: expect.stringContaining(second!.id) });
    expect(
      play.shell
        .timers()
        .map((timer) => timer.run)
        .sort(),
    ).toEqual([second!.id, ...play.runsOf(2).map((run) => run.id)].sort());
  });

  test("when_running: of two queued in one root, the second meets the first where it waits", () => {
    const both = { triggers: [{ event: "message.received" }, { event: "conversation.topic_set" }] };
    const setter = publish(2, {
      ...received,
      order: -1,
      steps: { set: { action: "conversation.set_topic", input: { topic: "x" } } },
    });
    const play = stage({ workflows: [publish(1, { ...both, when_running: "skip", steps: hold }), setter] });
    play.receive();
    const statuses = play
      .runsOf(1)
      .map((run) => run.status)
      .sort();
    expect(statuses).toEqual(["skipped", "waiting"]);
  });

  test("when_running: a run that is only queued, as a shell may load it, stands in nobody's way", () => {
    const [ann, talk] = [testId(301), testId(401)];
    const queued = {
      id: testId(701),
      workflow: testId(4001),
      version: testId(5001),
      subject_kind: "conversation",
      subject: talk,
      status: "queued",
      steps: [],
    } as unknown as Run;
    const shell = millShell({
      workflows: [publish(1, { ...received, when_running: "skip", steps: hold })],
      start: {
        customers: [customerRow({ id: ann, phone: "+14155550101" })],
        conversations: [
          conversationRow({
            id: talk,
            customer: ann,
            mailbox: ids.mailboxes.support,
            channel: ids.channels.sms,
            address: "+14155550101",
          }),
        ],
        runs: [queued],
      },
    });
    const { get } = shell.world;
    (shell.world as { get: typeof get }).get = (name) => (name === key.waiting(talk) ? [queued.id] : get(name));
    shell.feed([
      {
        kind: "command",
        id: testId(1),
        at: "2026-11-20T17:00:00.000Z",
        command: {
          type: "message.receive",
          actor: { kind: "system", id: null },
          input: { channel: ids.channels.sms, from: "+14155550101", text: "x" },
        },
      },
    ]);
    expect(shell.runs().filter((run) => run.id !== queued.id)).toMatchObject([{ status: "waiting" }]);
  });
});
