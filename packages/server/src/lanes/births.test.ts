import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { claimEffects, giveBackEffects, postponeEffects } from "../effects/claim.ts";
import type { EffectHands, HeldEffect } from "./births.ts";
import {
  command,
  type Home,
  incoming,
  phone,
  resultOf,
  testLanes,
  type TestEngine,
  type TestLanes,
} from "./test-lanes.ts";
import { testProxy } from "./test-proxy.ts";

let lanes: TestLanes;
let home: Home;
beforeAll(async () => {
  lanes = await testLanes();
});
afterAll(() => lanes.close());
beforeEach(async () => {
  await lanes.rows("truncate effects");
  home = await lanes.organization();
});

/** Hands that take what they are given and do nothing with it. */
function handsWith(room: number): EffectHands & { readonly held: HeldEffect[]; places(): number } {
  const held: HeldEffect[] = [];
  let taken = 0;
  return {
    kinds: ["message.deliver"],
    held,
    places: () => taken,
    reserve() {
      if (taken >= room) return false;
      taken += 1;
      return true;
    },
    free(places) {
      taken -= places;
    },
    hold(effects) {
      held.push(...effects);
    },
    giveBack: giveBackEffects,
  };
}

/** An engine with hands, and how often it said that effects are left for others. */
function engineWith(room: number, options: Parameters<TestLanes["engine"]>[0] = {}) {
  const engine = lanes.engine(options);
  const hands = handsWith(room);
  engine.holdAtBirth(hands);
  const told = { left: 0 };
  engine.onCommit(() => (told.left += 1));
  return { engine, hands, told };
}

const talk = async (engine: TestEngine, from = phone(1)) =>
  resultOf(await engine.submit(incoming(home, from, "hi")))["conversation"] as string;
const send = async (engine: TestEngine, conversation: string, text: string) =>
  resultOf(await engine.submit(command(home, "message.send", { conversation, text })))["effect"] as string;
const effects = () =>
  lanes.rows<{ id: string; attempt: number; lease_until: string | null; due_at: string }>(
    "select id, status, attempt, lease_until, due_at from effects order by created_at, ordinal",
  );
const settle = (engine: TestEngine, effect: string, attempt: number, status: "done" | "failed" = "done") =>
  engine.settle(home.place, {
    effect,
    attempt,
    outcome: status === "done" ? { status, output: {} } : { status, error: { code: "refused", message: "no" } },
  });
const unheld = { attempt: 0, lease_until: null };
const reply = {
  triggers: [{ event: "message.received" }],
  start: "reply",
  steps: { reply: { action: "message.send", input: { text: "Thanks" } } },
};

describe("an effect is held from its birth", () => {
  test("where its conversation began in the same batch: written as an attempt, under a lease of a minute", async () => {
    await lanes.publish(home, reply);
    const { engine, hands, told } = engineWith(100);
    await Promise.all(Array.from({ length: 30 }, (_, n) => talk(engine, phone(n))));
    const rows = await effects();
    expect(rows).toHaveLength(30);
    expect(new Set(hands.held.map(({ id }) => id))).toEqual(new Set(rows.map(({ id }) => id)));
    expect(hands.held[0]).toMatchObject({ ...home.place, attempt: 1, lost: false, kind: "message.deliver" });
    expect(new Set(rows.map((row) => row.attempt))).toEqual(new Set([1]));
    const [{ seconds }] = (await lanes.rows<{ seconds: number }>(
      "select extract(epoch from min(lease_until - created_at))::float8 as seconds from effects",
    )) as [{ seconds: number }];
    expect(seconds).toBeCloseTo(60, 1);
    expect(await claimEffects(lanes.pool, 100)).toEqual([]);
    expect([hands.places(), told.left]).toEqual([30, 0]);
  });

  test("where nothing of its conversation goes before it; what comes next waits, and is held by the batch that ends the first", async () => {
    const { engine, hands, told } = engineWith(100);
    const a = await talk(engine);
    const first = await send(engine, a, "1");
    const second = await send(engine, a, "2");
    const third = await send(engine, a, "3");
    expect(hands.held.map(({ id }) => id)).toEqual([first]);
    expect(await effects()).toMatchObject([{ id: first, attempt: 1 }, { id: second, ...unheld }, unheld]);
    await settle(engine, first, 1);
    expect(hands.held.map(({ id, attempt }) => [id, attempt])).toEqual([
      [first, 1],
      [second, 1],
    ]);
    // a failure lets the next one go as well
    await settle(engine, second, 1, "failed");
    expect(hands.held[2]).toMatchObject({ id: third, attempt: 1, lost: false });
    await settle(engine, third, 1);
    // a person has it tried again
    resultOf(await engine.submit(command(home, "effect.retry", { effect: second })));
    expect(hands.held[3]).toMatchObject({ id: second, attempt: 3 });
    await settle(engine, second, 3);
    expect(await effects()).toEqual([]);
    expect([hands.places() - hands.held.length, told.left]).toEqual([0, 0]);
  });

  test("never where a younger one is under way, nor is it claimed then: the one that failed before goes when that has ended", async () => {
    const { engine, hands } = engineWith(100);
    const a = await talk(engine);
    const [first, second] = [await send(engine, a, "1"), await send(engine, a, "2")];
    await settle(engine, first, 1, "failed");
    expect(hands.held.map(({ id }) => id)).toEqual([first, second]);
    resultOf(await engine.submit(command(home, "effect.retry", { effect: first })));
    expect(await claimEffects(lanes.pool, 100)).toEqual([]);
    expect(hands.held.map(({ id }) => id)).toEqual([first, second]);
    await settle(engine, second, 1);
    expect(hands.held[2]).toMatchObject({ id: first, attempt: 3 });
  });

  test("in the order of the conversation that its own was merged into", async () => {
    const { engine, hands } = engineWith(100);
    const [a, b] = [await talk(engine, phone(1)), await talk(engine, phone(2))];
    await lanes.rows(
      "update conversations set customer = (select customer from conversations where id = $1) where id = $2",
      [b, a],
    );
    const before = [await send(engine, a, "1"), await send(engine, a, "2")];
    resultOf(await engine.submit(command(home, "conversation.merge", { conversation: a, into: b })));
    const after = await send(engine, b, "3");
    expect(hands.held.map(({ id }) => id)).toEqual([before[0]]);
    expect(await claimEffects(lanes.pool, 100)).toEqual([]);
    await settle(engine, before[0] as string, 1);
    await settle(engine, before[1] as string, 1);
    expect(hands.held.map(({ id }) => id)).toEqual([...before, after]);
  });

  test("alone of several that one batch writes for a conversation", async () => {
    const { engine, hands } = engineWith(100);
    const a = await talk(engine);
    const sent = await Promise.all(["1", "2", "3"].map((text) => send(engine, a, text)));
    expect(hands.held).toHaveLength(1);
    for (let n = 0; n < 3; n += 1) {
      const { id, attempt } = hands.held[n] as HeldEffect;
      await settle(engine, id, attempt);
    }
    expect(hands.held.map(({ id }) => id)).toEqual(sent);
    expect(hands.places()).toBe(3);
  });

  test("as far as there is room; the rest is for whoever claims it, and is told of", async () => {
    await lanes.publish(home, reply);
    const { engine, hands, told } = engineWith(3);
    await Promise.all(Array.from({ length: 8 }, (_, n) => talk(engine, phone(n))));
    expect([hands.held.length, hands.places()]).toEqual([3, 3]);
    expect(told.left).toBeGreaterThan(0);
    expect(await claimEffects(lanes.pool, 100)).toHaveLength(5);
  });

  test("never where one before it is put off, which it does not overtake", async () => {
    const { engine, hands } = engineWith(100);
    const a = await talk(engine);
    const first = await send(engine, a, "1");
    const error = { code: "busy", message: "later" };
    await postponeEffects(lanes.pool, [{ claimed: hands.held[0] as HeldEffect, dueInMs: 60_000, error }]);
    const second = await send(engine, a, "2");
    const [one, two] = await effects();
    expect([one, two]).toMatchObject([{ id: first }, { id: second, ...unheld }]);
    expect(two?.due_at).toBe(one?.due_at);
    expect(await claimEffects(lanes.pool, 10)).toEqual([]);
    expect(hands.places()).toBe(1);
  });
});

test("a batch that failed lets go of the places that it kept", async () => {
  const { engine, hands } = engineWith(100);
  const a = await talk(engine);
  await lanes.rows("alter table effects add constraint nothing_new check (false) not valid");
  try {
    await expect(send(engine, a, "1")).rejects.toThrow("A fault inside Threadmill");
  } finally {
    await lanes.rows("alter table effects drop constraint nothing_new");
  }
  expect([hands.held, hands.places()]).toEqual([[], 0]);
  await send(engine, a, "2");
  expect([hands.held.length, hands.places()]).toEqual([1, 1]);
});

test.each(["before", "after"] as const)(
  "a COMMIT in doubt, %s the server got it: nothing stays held by nobody",
  async (cut) => {
    const proxy = await testProxy(lanes.url);
    const { engine, hands } = engineWith(100, { url: proxy.url });
    const a = await talk(engine);
    proxy.plan.push(cut);
    await send(engine, a, "1");
    await engine.quiet();
    expect(engine.faults[0]).toMatchObject({ what: "in_doubt" });
    const [row] = await effects();
    // carried again it is held; found to be committed it is anybody's, as if it had never been tried
    if (cut === "before") expect([row?.attempt, hands.held.length, hands.places()]).toEqual([1, 1, 1]);
    else {
      expect([hands.held.length, hands.places()]).toEqual([0, 0]);
      expect(row).toMatchObject(unheld);
    }
    await engine.stop();
    await proxy.close();
  },
);

test("a COMMIT in doubt gives back what followed the effect that ended, too: it was never begun", async () => {
  const proxy = await testProxy(lanes.url);
  const { engine } = engineWith(100, { url: proxy.url });
  const conversation = await talk(engine);
  const first = await send(engine, conversation, "1");
  const second = await send(engine, conversation, "2");
  proxy.plan.push("after");
  await settle(engine, first, 1);
  await engine.quiet();
  expect(await effects()).toMatchObject([{ id: second, ...unheld }]);
  await engine.stop();
  await proxy.close();
});

test("a COMMIT of which nobody learns anything for longer than callers wait: what it left is given back when the database is there again", async () => {
  const proxy = await testProxy(lanes.url);
  const { engine, hands } = engineWith(100, { url: proxy.url, patienceMs: 300 });
  const a = await talk(engine);
  proxy.plan.push("after");
  const sending = send(engine, a, "1").catch((error: { code: string }) => error.code);
  await expect.poll(() => proxy.cuts.length, { interval: 1 }).toBe(1);
  proxy.break();
  expect(await sending).toBe("commit_unknown");
  expect(await effects()).toMatchObject([{ attempt: 1 }]);
  proxy.mend();
  // nobody asks for anything in this lane
  await expect.poll(effects, { interval: 20, timeout: 20_000 }).toMatchObject([unheld]);
  await engine.quiet();
  expect(await claimEffects(lanes.pool, 100)).toHaveLength(1);
  expect(hands.held).toEqual([]);
  await engine.stop();
  await proxy.close();
});

test("of several effects in one batch the first of each key is held, whichever statement is sent first", async () => {
  const { engine, hands } = engineWith(100);
  const conversation = await talk(engine);
  await lanes.publish(home, {
    triggers: [{ event: "message.received", when: { field: "message.text", op: "is", value: "go" } }],
    start: "one",
    steps: { one: { action: "message.send", input: { text: "1" } } },
  });
  await Promise.all([
    engine.submit(incoming(home, phone(77), "go")),
    engine.submit(command(home, "message.send", { conversation, text: "A1" })),
    engine.submit(command(home, "message.send", { conversation, text: "A2" })),
  ]);
  const held = new Set(hands.held.map(({ payload }) => payload["text"]));
  expect(held).toEqual(new Set(["1", "A1"]));
});

test("a column that comes with a later version disturbs nobody who serves", async () => {
  const { engine } = engineWith(100, { parallel: 1 });
  const conversation = await talk(engine);
  const ids: string[] = [];
  for (const text of ["1", "2", "3"]) ids.push(await send(engine, conversation, text));
  await settle(engine, ids[0] as string, 1);
  await claimEffects(lanes.pool, 1);
  await lanes.rows("alter table effects add column came_later text");
  try {
    await settle(engine, ids[1] as string, 1);
    await claimEffects(lanes.pool, 1);
    expect(engine.faults).toEqual([]);
    expect(await effects()).toMatchObject([{ id: ids[2], attempt: 1 }]);
  } finally {
    await lanes.rows("alter table effects drop column came_later");
  }
});
