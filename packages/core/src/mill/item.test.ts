import { describe, expect, test } from "vitest";
import { key } from "../domain/keys.ts";
import type { Accepted } from "../model/command.ts";
import type { Message } from "../model/message.ts";
import type { Run } from "../model/run.ts";
import { commandItem } from "../testing/histories.ts";
import { publish } from "../testing/mill.ts";
import { actors, ids, testId } from "../testing/settings.ts";
import { stage, type Stage } from "../testing/stage.ts";
import { process } from "./process.ts";
import type { Item } from "./types.ts";

const received = { triggers: [{ event: "message.received" }] };
const tag = (name: string) => ({ action: "conversation.add_tags", input: { tags: [name] } });
const failed = { status: "failed", error: { code: "rejected", message: "no such number" } } as const;
const unknown = { status: "unknown", error: { code: "timeout", message: "it did not say" } } as const;
const sent = { status: "done", output: { provider_id: "sm-1" } } as const;

const effectOf = (play: Stage) => play.shell.effects()[0]!;
const messageOf = (play: Stage, id: string) => play.shell.world.rows.get(key.message(id)) as Message;

describe("commands", () => {
  test("L10: a key answers again what it answered first, with no second effect, within a batch and after it", () => {
    const play = stage({ workflows: [publish(1, { ...received, steps: { done: { stop: true } } })] });
    const item = (id: number) =>
      commandItem(play.shell.config.settings, {
        id: testId(id),
        at: play.now(),
        key: "k",
        type: "message.receive",
        input: { channel: ids.channels.sms, from: "+14155550101", text: `number ${id}` },
        actor: actors.channel,
      });
    play.shell.feed([item(1), item(2)]);
    play.shell.feed([item(3)]);
    expect(play.shell.replies.map(({ command, repeated }) => [command, repeated])).toEqual([
      [testId(1), false],
      [testId(2), true],
      [testId(3), true],
    ]);
    expect(new Set(play.shell.replies.map(({ answer }) => JSON.stringify(answer))).size).toBe(1);
    expect(play.shell.receipts).toMatchObject([{ id: testId(1), key: "k" }]);
    expect(play.runsOf(1)).toHaveLength(1);
  });

  test("L10: a key with another fingerprint is refused, within a batch and after it, and leaves nothing", () => {
    const play = stage();
    const item = (id: number, fingerprint?: string) =>
      commandItem(play.shell.config.settings, {
        id: testId(id),
        at: play.now(),
        key: "k",
        type: "message.receive",
        input: { channel: ids.channels.sms, from: "+14155550101", text: `number ${id}` },
        actor: actors.channel,
        ...(fingerprint !== undefined && { fingerprint }),
      });
    play.shell.feed([item(1, "a"), item(2, "b"), item(3, "a")]);
    const { length } = play.shell.log;
    play.shell.feed([item(4, "b"), item(5), item(6, "a")]);
    expect(play.shell.replies.map(({ answer, repeated }) => [answer.ok || answer.code, repeated])).toEqual([
      [true, false],
      ["idempotency_key_reused", false],
      [true, true],
      ["idempotency_key_reused", false],
      ["idempotency_key_reused", false],
      [true, true],
    ]);
    expect(play.shell.receipts).toMatchObject([{ id: testId(1), key: "k", fingerprint: "a" }]);
    expect(play.shell.log).toHaveLength(length);
  });

  test("L10: a command that changes nothing, or was refused, leaves a receipt and no event", () => {
    const play = stage();
    const conversation = play.receive();
    const events = play.shell.log.length;
    play.issue("conversation.open", { conversation });
    play.issue("conversation.open", { conversation: testId(999) });
    play.issue("conversation.open", {});
    play.issue("conversation.explode", {});
    expect(play.shell.log).toHaveLength(events);
    expect(
      play.shell.receipts.slice(1).map(({ answer }) => (answer.ok ? answer.result["changed"] : answer.code)),
    ).toEqual([false, "conversation_not_found", "invalid_input", "command_unknown"]);
  });

  test("L3: the answer is fixed before any workflow runs, and names the run that it started", () => {
    const manual = publish(1, { kind: "manual", steps: { hold: { wait: { for: "1h" } } } });
    const spoiler = publish(2, { ...received, steps: { close: { action: "conversation.close" } } });
    const play = stage({ workflows: [manual, spoiler] });
    const conversation = play.receive();
    expect(play.conversation(conversation).status).toBe("closed");
    const answer = play.issue("run.start", { workflow: "workflow-1", conversation }) as Accepted;
    expect(play.shell.run(answer.result["run"] as string)).toMatchObject({
      status: "waiting",
      depth: 0,
      subject: conversation,
    });
  });
});

describe("timers", () => {
  const waits = (more: object = {}) =>
    publish(1, { ...received, steps: { hold: { wait: { for: "1h", ...more }, next: "after" }, after: tag("then") } });

  test("let their run go on", () => {
    const play = stage({ workflows: [waits()] });
    const conversation = play.receive();
    expect(play.shell.timers()).toMatchObject([{ wait: 1, due_at: "2026-11-20T18:00:00.000Z" }]);
    play.ringNext();
    expect(play.runsOf(1)).toMatchObject([{ status: "finished", waits: 1, finished_at: "2026-11-20T18:00:00.000Z" }]);
    expect(play.runsOf(1)[0]?.steps).toMatchObject([
      {
        step: "hold",
        status: "done",
        at: "2026-11-20T17:00:00.000Z",
        finished_at: "2026-11-20T18:00:00.000Z",
        output: { interrupted_by: null },
      },
      { step: "after", status: "done" },
    ]);
    expect(play.conversation(conversation).tags).toEqual(["then"]);
    expect(play.shell.timers()).toEqual([]);
  });

  test("end a run that had nothing more to do", () => {
    const play = stage({ workflows: [publish(1, { ...received, steps: { hold: { wait: { for: "1h" } } } })] });
    play.receive();
    play.ringNext();
    expect(play.runsOf(1)).toMatchObject([{ status: "finished", cursor: null, waiting: null }]);
  });

  test("L9: that come too late are dropped, and move nothing", () => {
    const circle = publish(1, {
      ...received,
      steps: {
        hold: { wait: { for: "1h" }, next: "note" },
        note: { action: "message.note", input: { text: "x" }, next: "hold" },
      },
    });
    const play = stage({ workflows: [circle] });
    play.receive();
    const [run] = play.runsOf(1) as [Run];
    play.ringNext();
    const before = JSON.stringify(play.shell.runs());
    // the first wait is over: the timer of the second one stays
    play.give({ kind: "timer", at: play.now(), run: run.id, wait: 1 });
    expect(play.shell.timers()).toMatchObject([{ run: run.id, wait: 2 }]);
    play.issue("run.cancel", { run: run.id });
    play.give({ kind: "timer", at: play.now(), run: run.id, wait: 2 });
    play.give({ kind: "timer", at: play.now(), run: testId(999), wait: 1 });
    expect(play.shell.dropped.map((item) => item.kind === "timer" && [item.run, item.wait])).toEqual([
      [run.id, 1],
      [run.id, 2],
      [testId(999), 1],
    ]);
    expect(JSON.parse(before)).toMatchObject([{ status: "waiting", waits: 2 }]);
    expect(play.runsOf(1)).toMatchObject([{ status: "cancelled", waits: 2 }]);
  });

  test("L9: that outlived their run are taken away", () => {
    const play = stage({
      start: { more: { [key.timer(testId(999))]: { run: testId(999), wait: 1, due_at: "2026-11-20T17:00:00.000Z" } } },
    });
    play.ring();
    expect(play.shell.timers()).toEqual([]);
    expect(play.shell.dropped).toHaveLength(1);
  });

  test("that come early are dropped and come again", () => {
    const play = stage({ workflows: [waits()] });
    play.receive();
    const [run] = play.runsOf(1) as [Run];
    play.give({ kind: "timer", at: "2026-11-20T17:59:59.999Z", run: run.id, wait: 1 });
    expect([play.runsOf(1)[0]?.status, play.shell.timers().length, play.shell.dropped.length]).toEqual([
      "waiting",
      1,
      1,
    ]);
  });

  test("of a run that waits for no instant are dropped", () => {
    const play = stage({
      workflows: [publish(1, { ...received, steps: { hold: { wait: { unless: "message.sent" } } } })],
    });
    play.receive();
    play.give({ kind: "timer", at: play.now(), run: play.runsOf(1)[0]!.id, wait: 1 });
    expect([play.runsOf(1)[0]?.status, play.shell.dropped.length]).toEqual(["waiting", 1]);
  });

  test("L8: of a run whose version is gone fail it, and nothing else", () => {
    const old = waits();
    const play = stage({ workflows: [old] });
    play.receive();
    const other = stage({ start: { runs: play.runsOf(1), more: Object.fromEntries(play.shell.world.rows) } });
    other.ringNext();
    expect(other.shell.runs()).toMatchObject([
      { status: "failed", reason: { code: "step_gone" }, steps: [{ status: "failed" }] },
    ]);
    expect([other.shell.poisoned, other.shell.timers()]).toEqual([[], []]);
  });

  test("L4: ask for a version that is no longer the published one", () => {
    const old = waits();
    const play = stage({ workflows: [old] });
    const conversation = play.receive();
    const newer = publish(1, { ...received, steps: { other: tag("new") } }, { id: testId(5999) });
    const next = stage({
      workflows: [newer],
      older: [old.version],
      loading: "rows",
      start: { more: Object.fromEntries(play.shell.world.rows) },
    });
    next.ringNext();
    expect(next.conversation(conversation).tags).toEqual(["then"]);
    expect(next.runsOf(1)).toMatchObject([{ status: "finished", version: old.version.id }]);
  });
});

test("what is only explored does not count: it is done again, and counts when it is carried", () => {
  const { shell, now } = stage({ workflows: [publish(1, { ...received, steps: { tag: tag("x") } })] });
  const { settings } = shell.config;
  const [first, ...more] = [1, 2, 3].map((id) =>
    commandItem(settings, {
      id: testId(id),
      at: now(),
      type: "message.receive",
      input: { channel: ids.channels.sms, from: `+1415555010${id}`, text: "hello" },
    }),
  );
  const call = (items: readonly Item[], lacks: (name: string) => boolean) => {
    const world = { get: (name: string) => (lacks(name) ? undefined : shell.world.get(name)), leftover: null };
    const { done, needs, operations } = process(settings.organization.id, items, world, shell.config, 1000);
    return { done, operations, lacking: needs.length > 0 };
  };
  const alone = call([first!], () => false);
  expect(alone).toMatchObject({ done: 1, operations: 3 });
  expect(call([first!, ...more], () => true)).toEqual({ done: 0, operations: 0, lacking: true });
  const others = (name: string): boolean => /\+1415555010[23]/.test(name);
  expect(call([first!, ...more], others)).toEqual({ done: 1, operations: alone.operations, lacking: true });
});

describe("settled effects", () => {
  const send = (more: object, rest: object = {}) =>
    publish(1, { ...received, steps: { send: { action: "message.send", input: { text: "hi" }, ...more }, ...rest } });

  test("an automated message is one effect, with a key that never changes and the order of its conversation", () => {
    const play = stage({ workflows: [send({})] });
    const conversation = play.receive();
    expect(play.shell.effects()).toMatchObject([
      {
        kind: "message.deliver",
        order_key: conversation,
        status: "due",
        attempt: 0,
        due_at: play.now(),
        run: play.runsOf(1)[0]?.id,
      },
    ]);
    expect(effectOf(play).key).toBe(effectOf(play).id);
    const { id } = effectOf(play);
    play.settle(id, failed);
    play.issue("effect.retry", { effect: id });
    expect(effectOf(play)).toMatchObject({ key: id, attempt: 1, status: "due" });
    play.settle(id, sent, 1);
    expect(play.shell.effects()).toEqual([]);
  });

  test("tell the message what became of it", () => {
    for (const [outcome, delivery] of [
      [sent, "sent"],
      [failed, "failed"],
      [unknown, "held"],
    ] as const) {
      const play = stage({ workflows: [send({})] });
      play.receive();
      const { id, payload } = effectOf(play);
      play.settle(id, outcome);
      expect(messageOf(play, payload["message"] as string)).toMatchObject({
        delivery,
        provider_id: outcome === sent ? "sm-1" : null,
      });
      expect(play.shell.effects()).toMatchObject(
        outcome === sent ? [] : [{ status: "dead", last_error: outcome === failed ? failed.error : unknown.error }],
      );
    }
  });

  test.each([
    ["empty", ""],
    ["too long", "x".repeat(201)],
    ["no text", 7],
  ])("a provider's id that is %s is left out, and the effect is settled all the same", (_name, provider_id) => {
    const play = stage({ workflows: [send({})] });
    play.receive();
    const { id, payload } = effectOf(play);
    play.settle(id, { status: "done", output: { provider_id } });
    expect(messageOf(play, payload["message"] as string)).toMatchObject({ delivery: "sent", provider_id: null });
    expect([play.shell.effects(), play.shell.poisoned]).toEqual([[], []]);
  });

  test("a step that awaits its effect goes on when it is done, with what came back", () => {
    const play = stage({
      workflows: [
        send(
          { await: true, next: "after" },
          { after: { action: "conversation.set_topic", input: { topic: "{{ steps.send.provider_id }}" } } },
        ),
      ],
    });
    const conversation = play.receive();
    const [run] = play.runsOf(1) as [Run];
    expect(run).toMatchObject({
      status: "waiting",
      waiting: { step: "send", effect: effectOf(play).id, due_at: null, unless: null },
    });
    expect(run.steps).toMatchObject([{ step: "send", status: "waiting", events: [expect.any(String)] }]);
    play.pass(5000);
    play.settle(effectOf(play).id, sent);
    expect(play.conversation(conversation).topic).toBe("sm-1");
    expect(play.runsOf(1)).toMatchObject([
      {
        status: "finished",
        steps: [
          { status: "done", finished_at: play.now(), output: { message: expect.any(String), provider_id: "sm-1" } },
          { step: "after" },
        ],
      },
    ]);
  });

  test("or ends with it where nothing follows", () => {
    const play = stage({ workflows: [send({ await: true })] });
    play.receive();
    play.settle(effectOf(play).id, sent);
    expect(play.runsOf(1)).toMatchObject([{ status: "finished", steps: [{ status: "done" }] }]);
  });

  test.each([
    ["failed", failed],
    ["unknown", unknown],
  ] as const)("takes its onError edge when it %s, which knows why", (_name, outcome) => {
    const rest = { sorry: { action: "conversation.set_topic", input: { topic: "{{ steps.send.error.code }}" } } };
    const play = stage({
      workflows: [send({ await: true, next: "never", onError: "sorry" }, { ...rest, never: { stop: true } })],
    });
    const conversation = play.receive();
    play.settle(effectOf(play).id, outcome);
    expect(play.conversation(conversation).topic).toBe(outcome.error.code);
    expect(play.runsOf(1)).toMatchObject([
      {
        status: "finished",
        steps: [
          { status: "failed", reason: outcome.error },
          { step: "sorry", status: "done" },
        ],
      },
    ]);
  });

  test.each([
    ["failed", failed],
    ["unknown", unknown],
  ] as const)("or fails when it %s and nobody catches it", (_name, outcome) => {
    const play = stage({ workflows: [send({ await: true, next: "never" }, { never: { stop: true } })] });
    play.receive();
    play.settle(effectOf(play).id, outcome);
    expect(play.runsOf(1)).toMatchObject([
      { status: "failed", reason: outcome.error, steps: [{ status: "failed", reason: outcome.error }] },
    ]);
  });

  test("L9: settled twice, or for another attempt, move nothing", () => {
    const play = stage({ workflows: [send({ await: true, next: "after" }, { after: tag("then") })] });
    play.receive();
    const { id } = effectOf(play);
    play.settle(id, sent, 3);
    expect(play.runsOf(1)[0]?.status).toBe("waiting");
    play.settle(id, failed);
    play.settle(id, failed);
    play.settle(testId(999), sent);
    expect(play.shell.dropped.map((item) => item.kind === "settled" && [item.effect, item.attempt])).toEqual([
      [id, 3],
      [id, 0],
      [testId(999), 0],
    ]);
    expect(play.runsOf(1)).toMatchObject([{ status: "failed" }]);
  });

  test("L9: settled for a run that is over are recorded, and move nothing", () => {
    const play = stage({ workflows: [send({ await: true, next: "after" }, { after: tag("then") })] });
    const conversation = play.receive();
    const { id, payload } = effectOf(play);
    play.issue("run.cancel", { run: play.runsOf(1)[0]!.id });
    play.settle(id, sent);
    expect(messageOf(play, payload["message"] as string).delivery).toBe("sent");
    expect(play.runsOf(1)).toMatchObject([{ status: "cancelled" }]);
    expect([play.conversation(conversation).tags, play.shell.effects(), play.shell.dropped]).toEqual([[], [], []]);
  });

  test("L9: settled for a run that waits for something else by now are recorded, and move nothing", () => {
    const play = stage({ workflows: [send({ next: "hold" }, { hold: { wait: { for: "1h" } } })] });
    play.receive();
    play.settle(effectOf(play).id, sent);
    expect(play.runsOf(1)).toMatchObject([{ status: "waiting", waiting: { step: "hold" } }]);
  });

  test("L8: settled for a run whose version is gone fail it, and are recorded", () => {
    const play = stage({ workflows: [send({ await: true })] });
    play.receive();
    const other = stage({ start: { more: Object.fromEntries(play.shell.world.rows) } });
    other.settle(effectOf(play).id, sent);
    expect(other.shell.runs()).toMatchObject([{ status: "failed", reason: { code: "step_gone" } }]);
    expect([other.shell.effects(), other.shell.poisoned]).toEqual([[], []]);
  });

  test("L7: what an outcome starts is as deep as what asked for it, so that a chain by way of effects ends", () => {
    const again = publish(1, {
      triggers: [{ event: "message.received" }, { event: "message.delivery_changed" }],
      steps: { send: { action: "message.send", input: { text: "again" } } },
    });
    const play = stage({ workflows: [again] });
    play.receive();
    for (let n = 0; n < 30; n += 1) {
      // beyond the hour, so that the guard of automated messages does not stop it first
      play.pass(3_600_001);
      const due = play.shell.effects().find((effect) => effect.status === "due");
      if (due === undefined) break;
      play.settle(due.id, sent);
    }
    expect(play.runsOf(1).at(-1)).toMatchObject({ status: "skipped", depth: 11, reason: { code: "chain_depth" } });
    expect(play.runsOf(1)).toHaveLength(11);
    const outcomes = play.shell.log.filter((event) => event.type === "message.delivery_changed");
    expect(outcomes.map((event) => event.depth)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(outcomes.every((event) => event.cause.run !== undefined)).toBe(true);
  });

  test("an effect that nobody need hear of is only done with", () => {
    const play = stage();
    const { customer } = play.conversation(play.receive());
    play.issue("customer.erase", { customer });
    const events = play.shell.log.length;
    for (const { id } of play.shell.effects()) play.settle(id, { status: "done", output: {} });
    expect([play.shell.effects(), play.shell.log.length]).toEqual([[], events]);
  });

  test("an effect of a kind that is gone is done with too", () => {
    const play = stage({ workflows: [send({})] });
    play.receive();
    const effect = { ...effectOf(play), kind: "carrier.pigeon" };
    const other = stage({ start: { more: { [key.effect(effect.id)]: effect } } });
    other.settle(effect.id, sent);
    expect([other.shell.effects(), other.shell.poisoned]).toEqual([[], []]);
  });
});
