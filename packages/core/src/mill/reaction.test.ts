import { describe, expect, test } from "vitest";
import { isId } from "../id/id.ts";
import type { Run } from "../model/run.ts";
import { publish } from "../testing/mill.ts";
import { ids } from "../testing/settings.ts";
import { stage } from "../testing/stage.ts";

const received = { triggers: [{ event: "message.received" }] };
const tag = (name: string) => ({ action: "conversation.add_tags", input: { tags: [name] } });
const statuses = (runs: readonly Run[]) => runs.map((run) => run.status);

describe("interruption by what happens to the customer", () => {
  const workflow = publish(1, {
    ...received,
    steps: {
      hold: { wait: { for: "1h", unless: "customer.unsubscribed" }, next: "due", onInterrupt: "cut" },
      due: tag("due"),
      cut: tag("cut"),
    },
  });
  const other = { channel: ids.channels.sms, from: "+14155550102", text: "hi" };
  const talk = () => {
    const play = stage({ workflows: [workflow] });
    const conversation = play.receive();
    return { play, conversation, customer: play.conversation(conversation).customer };
  };

  test("L6: comes to the runs of all the customer's conversations, open or closed, and to nobody else's", () => {
    const { play, conversation, customer } = talk();
    play.issue("conversation.close", { conversation });
    play.issue("message.receive", { ...other, channel: ids.channels.chat, from: "ann" });
    play.issue("message.receive", { channel: ids.channels.whatsapp, from: "+14155550101", text: "hi" });
    play.issue("message.receive", other);
    play.pass(1000);
    play.issue("customer.unsubscribe", { customer });
    const runs = play.runsOf(1);
    expect(runs.filter((run) => run.customer === customer)).toHaveLength(2);
    expect(runs.map((run) => [run.customer === customer, run.status])).toEqual(
      runs.map((run) => (run.customer === customer ? [true, "finished"] : [false, "waiting"])),
    );
    expect(play.conversation(conversation).tags).toEqual(["cut"]);
    expect(runs.find((run) => run.conversation === conversation)?.steps[0]).toMatchObject({ status: "interrupted" });
    expect(runs.map((run) => run.hears)).toEqual(runs.map((run) => (run.status === "waiting" ? run.customer : null)));
    expect(play.shell.timers()).toHaveLength(runs.filter((run) => run.status === "waiting").length);
  });

  test("L6: follows the customer into a merge, before the wait and during it", () => {
    const { play, conversation, customer } = talk();
    play.issue("message.receive", other);
    const [target] = play
      .runsOf(1)
      .map((run) => run.customer)
      .filter((id) => id !== customer) as [string];
    play.issue("customer.merge", { customer, into: target });
    play.pass(1000);
    // this one begins to wait when its conversation's customer stands for another already
    play.receive();
    expect(new Set(play.runsOf(1).map((run) => run.hears))).toEqual(new Set([target]));
    play.issue("customer.unsubscribe", { customer: target });
    expect(statuses(play.runsOf(1))).toEqual(["finished", "finished", "finished"]);
    expect(play.conversation(conversation).tags).toEqual(["cut"]);
  });

  test("L6: comes to no run that went on, was cancelled, or waits for something else", () => {
    const { play, customer } = talk();
    const [run] = play.runsOf(1) as [Run];
    play.issue("customer.add_tags", { customer, tags: ["x"] });
    expect(statuses(play.runsOf(1))).toEqual(["waiting"]);
    play.issue("run.cancel", { run: run.id });
    play.pass(1000);
    play.receive();
    play.ringNext();
    play.issue("customer.unsubscribe", { customer });
    expect(statuses(play.runsOf(1))).toEqual(["cancelled", "finished"]);
    expect(play.shell.run(run.id)).toMatchObject({ hears: null, waiting: null });
  });
});

describe("interruption", () => {
  const waiting = (unless: string, more: object = {}) => ({
    hold: { wait: { for: "1h", unless }, next: "due", ...more },
    due: tag("due"),
    cut: tag("cut"),
  });

  test("ends the wait of a run at once; it goes on by onInterrupt", () => {
    const play = stage({
      workflows: [
        publish(1, {
          ...received,
          when_running: "skip",
          steps: waiting("conversation.assigned", { onInterrupt: "cut" }),
        }),
      ],
    });
    const conversation = play.receive();
    play.pass(5000);
    play.issue("conversation.assign", { conversation, user: ids.users.ben });
    const [run] = play.runsOf(1) as [Run];
    expect(run).toMatchObject({
      status: "finished",
      waiting: null,
      steps: [{ status: "interrupted", finished_at: play.now(), reason: { code: "interrupted" } }, { step: "cut" }],
    });
    const assigned = play.shell.log.find((event) => event.type === "conversation.assigned");
    expect(run.steps[0]?.output).toEqual({ interrupted_by: assigned?.id });
    expect([play.conversation(conversation).tags, play.shell.timers()]).toEqual([["cut"], []]);
  });

  test("ends the run where no onInterrupt leads on", () => {
    const play = stage({
      workflows: [publish(1, { ...received, when_running: "skip", steps: waiting("conversation.assigned") })],
    });
    const conversation = play.receive();
    play.issue("conversation.assign", { conversation, user: ids.users.ben });
    expect([statuses(play.runsOf(1)), play.conversation(conversation).tags]).toEqual([["finished"], []]);
  });

  test("is for the same subject alone, and for the event that was named", () => {
    const play = stage({
      workflows: [publish(1, { ...received, when_running: "skip", steps: waiting("conversation.assigned") })],
    });
    const conversation = play.receive();
    const other = play.issue("message.receive", { channel: ids.channels.sms, from: "+14155550102", text: "hi" });
    play.issue("conversation.assign", {
      conversation: other.ok ? (other.result["conversation"] as string) : "",
      user: ids.users.ben,
    });
    play.issue("conversation.close", { conversation });
    expect(statuses(play.runsOf(1)).sort()).toEqual(["finished", "waiting"]);
    expect(play.runsOf(1).find((run) => run.subject === conversation)?.status).toBe("waiting");
  });

  test.each(["customer", "user"] as const)("L16: comes to runs of a %s too", (kind) => {
    const manual = publish(1, {
      kind: "manual",
      steps: { hold: { wait: { unless: kind === "user" ? "user.presence_changed" : "message.received" } } },
    });
    const play = stage({ workflows: [manual] });
    const { customer } = play.conversation(play.receive());
    play.issue("run.start", { workflow: "workflow-1", ...(kind === "user" ? { user: ids.users.ben } : { customer }) });
    expect(play.runsOf(1)).toMatchObject([{ status: "waiting", subject_kind: kind }]);
    if (kind === "user") play.issue("user.set_presence", { user: ids.users.ben, status: "online" });
    else play.receive();
    expect(statuses(play.runsOf(1))).toEqual(["finished"]);
  });

  test("L6: comes before matching, so that a new run meets nobody who was cut off", () => {
    const play = stage({
      workflows: [
        publish(1, {
          ...received,
          when_running: "skip",
          steps: { hold: { wait: { for: "1h", unless: "message.received" } } },
        }),
      ],
    });
    play.receive();
    play.pass(1000);
    play.receive();
    expect(statuses(play.runsOf(1))).toEqual(["finished", "waiting"]);
  });

  test("L6: runs that it wakes go on before those that are matched, by their ids", () => {
    const workflows = [
      publish(1, {
        ...received,
        when_running: "start",
        order: 9,
        steps: {
          hold: { wait: { unless: "message.received" }, onInterrupt: "note" },
          note: { action: "message.note", input: { text: "{{ run.id }}" } },
        },
      }),
    ];
    const play = stage({ workflows });
    play.receive();
    play.pass(1000);
    const first = play.runsOf(1)[0]!.id;
    play.receive();
    const noted = play.shell.log.filter((event) => event.type === "message.noted");
    expect(noted.map((event) => event.cause.run)).toEqual([first]);
  });

  test("of a wait that began in the same root", () => {
    const holder = publish(1, {
      ...received,
      order: 1,
      steps: waiting("conversation.topic_set", { onInterrupt: "cut" }),
    });
    const breaker = publish(2, {
      ...received,
      order: 2,
      steps: { set: { action: "conversation.set_topic", input: { topic: "x" } } },
    });
    const play = stage({ workflows: [holder, breaker] });
    const conversation = play.receive();
    expect(play.runsOf(1)).toMatchObject([
      { status: "finished", steps: [{ status: "interrupted", at: play.now(), finished_at: play.now() }, {}] },
    ]);
    expect([play.conversation(conversation).tags, play.shell.timers()]).toEqual([["cut"], []]);
  });

  test("L8: of a run whose version is gone fails it; the command stands", () => {
    const play = stage({
      workflows: [publish(1, { ...received, when_running: "skip", steps: waiting("message.received") })],
    });
    play.receive();
    const other = stage({ start: { more: Object.fromEntries(play.shell.world.rows) } });
    other.pass(1000);
    const conversation = other.receive();
    expect(other.conversation(conversation).inbound_count).toBe(2);
    expect(other.shell.runs()).toMatchObject([{ status: "failed", reason: { code: "step_gone" } }]);
    expect(other.shell.poisoned).toEqual([]);
  });
});

describe("matching", () => {
  test("L6: one decision starts a workflow once for a subject, whatever its triggers and events", () => {
    const both = publish(1, {
      triggers: [{ event: "message.received" }, { event: "conversation.opened" }, { event: "message.received" }],
      steps: { done: { stop: true } },
    });
    const play = stage({ workflows: [both] });
    play.receive();
    expect(play.runsOf(1)).toMatchObject([{ trigger: { type: "conversation.opened", index: 1 } }]);
    const { customer } = play.conversation(play.receive());
    expect(play.runsOf(1)).toHaveLength(2);
    // but once for each subject
    const closing = publish(2, {
      triggers: [{ event: "conversation.closed" }, { event: "customer.closed" }],
      steps: { done: { stop: true } },
    });
    const next = stage({ workflows: [closing], start: { more: Object.fromEntries(play.shell.world.rows) } });
    next.issue("message.receive", { channel: ids.channels.whatsapp, from: "+14155550101", text: "hi" });
    next.issue("customer.close", { customer });
    expect(
      next
        .runsOf(2)
        .map((run) => run.subject_kind)
        .sort(),
    ).toEqual(["conversation", "conversation", "customer"]);
  });

  test("L6: sees the state after the whole decision; steps see it as it is when they are taken", () => {
    const first = publish(1, {
      ...received,
      order: 1,
      triggers: [{ event: "conversation.opened", when: { field: "conversation.inbound_count", op: "is", value: 1 } }],
      steps: { set: { action: "conversation.set_topic", input: { topic: "first" } } },
    });
    const second = publish(2, {
      ...received,
      order: 2,
      triggers: [{ event: "conversation.opened", when: { field: "conversation.topic", op: "is_not_set" } }],
      steps: { tag: tag("{{ conversation.topic }}") },
    });
    const play = stage({ workflows: [first, second] });
    expect(play.conversation(play.receive())).toMatchObject({ topic: "first", tags: ["first"] });
  });

  test("L6: a run is pinned to the version that was matched", () => {
    const old = publish(1, {
      ...received,
      when_running: "skip",
      steps: { hold: { wait: { for: "1h" }, next: "after" }, after: tag("old") },
    });
    const play = stage({ workflows: [old] });
    play.receive();
    const newer = publish(
      1,
      { ...received, when_running: "skip", steps: { after: tag("new") } },
      { id: ids.users.ada },
    );
    const next = stage({
      workflows: [newer],
      older: [old.version],
      start: { more: Object.fromEntries(play.shell.world.rows) },
    });
    next.ringNext();
    const conversation = next.receive();
    expect(next.conversation(conversation).tags).toEqual(["old", "new"]);
  });

  test("L8: a condition that cannot be tested is a failed run, never a quiet no; the others run", () => {
    const faulty = publish(1, {
      triggers: [{ event: "message.received", when: { field: "message.text", op: "gt", value: 3 } }],
      steps: { done: { stop: true } },
    });
    const sound = publish(2, { ...received, steps: { tag: tag("sound") } });
    const play = stage({ workflows: [faulty, sound] });
    const conversation = play.receive();
    expect(play.runsOf(1)).toMatchObject([{ status: "failed", reason: { code: "operand_invalid" }, steps: [] }]);
    expect(play.conversation(conversation).tags).toEqual(["sound"]);
  });

  test("L13: step results name their events, and events the step that caused them", () => {
    const play = stage({
      workflows: [
        publish(1, { ...received, steps: { one: tag("a"), two: { action: "customer.close" } } }),
        publish(2, { ...received, steps: { one: { ...tag("b"), next: "two" }, two: { action: "customer.close" } } }),
      ],
    });
    play.receive();
    for (const run of play.shell.runs()) {
      for (const step of run.steps) {
        const caused = play.shell.log
          .filter((event) => event.cause.run === run.id && event.cause.step === step.step)
          .map((event) => event.id);
        expect(step.events ?? []).toEqual(caused);
        expect(caused.every(isId)).toBe(true);
      }
      const trigger = play.shell.log.find((event) => event.id === run.trigger.event);
      expect(trigger?.type).toBe("message.received");
    }
    expect(play.shell.log.filter((event) => event.cause.run !== undefined).length).toBeGreaterThan(4);
  });

  test("L13: changes of lists hold the whole list, before and after", () => {
    const play = stage({
      workflows: [publish(1, { ...received, steps: { one: { ...tag("a"), next: "two" }, two: tag("b") } })],
    });
    play.receive();
    const changes = play.shell.log
      .filter((event) => event.type === "conversation.tags_added")
      .flatMap((event) => event.changes);
    expect(changes.map(({ before, after }) => [before?.["tags"], after["tags"]])).toEqual([
      [[], ["a"]],
      [["a"], ["a", "b"]],
    ]);
  });

  test("L16: presence starts runs of the user; conversation actions there name their target, or fail visibly", () => {
    const steps = {
      assign: { ...tag("x"), onError: "sorry" },
      sorry: { stop: { reason: "{{ steps.assign.error.code }}" } },
    } as never;
    const play = stage({ workflows: [publish(1, { triggers: [{ event: "user.presence_changed" }], steps })] });
    play.issue("user.set_presence", { user: ids.users.ben, status: "online" });
    expect(play.runsOf(1)).toMatchObject([
      {
        subject_kind: "user",
        subject: ids.users.ben,
        customer: null,
        conversation: null,
        steps: [{ status: "failed", reason: { code: "invalid_input" } }, { step: "sorry" }],
      },
    ]);
  });
});
