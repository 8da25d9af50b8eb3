import type { Outcome } from "@threadmill/core";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type Attempt, type Delivery, type ProviderKind, textOnly } from "../channels/provider.ts";
import { recorder } from "../channels/recorder/recorder.ts";
import { createRegistry } from "../channels/registry.ts";
import {
  brokenInvariants,
  command,
  type Home,
  incoming,
  phone,
  resultOf,
  testLanes,
  type TestEngine,
  type TestLanes,
} from "../lanes/test-lanes.ts";
import { createMetrics } from "../observe/metrics.ts";
import { systemClock } from "../process/clock.ts";
import { openSecretBox } from "../secrets/secret-box.ts";
import { beginEffects, claimEffects, type Claimed, countEffects, giveBackEffects, postponeEffects } from "./claim.ts";
import { attemptsAtMost, conclude, retryAfterMs } from "./conclude.ts";
import { createDeliverer } from "./deliver.ts";
import { beginWithinMs } from "./holding.ts";
import type { Performer, SetPerformer } from "./performer.ts";
import { createWorkers } from "./workers.ts";

let lanes: TestLanes;
let engine: TestEngine;
let home: Home;
beforeAll(async () => {
  lanes = await testLanes();
  engine = lanes.engine();
});
afterAll(() => lanes.close());
beforeEach(async () => {
  await lanes.rows("truncate effects");
  home = await lanes.organization();
});

const talk = async (from = phone(1)) =>
  resultOf(await engine.submit(incoming(home, from, "hi")))["conversation"] as string;
const send = async (conversation: string, text: string) =>
  resultOf(await engine.submit(command(home, "message.send", { conversation, text }))) as {
    message: string;
    effect: string;
  };
const effects = () =>
  lanes.rows<{
    id: string;
    status: string;
    attempt: number;
    lease_until: string | null;
    last_error: { code: string } | null;
  }>("select id, status, attempt, lease_until, last_error from effects order by created_at, ordinal");
const delivery = async (message: string) =>
  (await lanes.rows<{ delivery: string }>("select delivery from messages where id = $1", [message]))[0]?.delivery;
const leaseOver = () =>
  lanes.rows("update effects set lease_until = clock_timestamp() - interval '1 second' where lease_until is not null");
const dueNow = () => lanes.rows("update effects set due_at = clock_timestamp()");
const until = (read: () => Promise<unknown>, wanted: unknown) =>
  vi.waitFor(async () => expect(await read()).toEqual(wanted), { timeout: 10_000, interval: 20 });
const failing = { code: "busy", message: "later" };

describe("claiming", () => {
  test("takes the oldest of each conversation, in order, and nothing that is held, later or dead", async () => {
    const [a, b] = [await talk(phone(1)), await talk(phone(2))];
    const sent = [await send(a, "a1"), await send(a, "a2"), await send(b, "b1"), await send(a, "a3")];
    const first = await claimEffects(lanes.pool, 10);
    expect(first.map((each) => [each.id, each.attempt, each.lost])).toEqual([
      [sent[0]?.effect, 1, false],
      [sent[2]?.effect, 1, false],
    ]);
    expect(await claimEffects(lanes.pool, 10)).toEqual([]);
    await engine.settle(home.place, {
      effect: sent[0]?.effect as string,
      attempt: 1,
      outcome: { status: "done", output: {} },
    });
    expect((await claimEffects(lanes.pool, 10)).map((each) => each.id)).toEqual([sent[1]?.effect]);
    // one that is put off keeps its conversation's order
    const [held] = await lanes.rows<{ id: string }>("select id from effects where id = $1", [sent[1]?.effect]);
    const second = { ...(first[0] as Claimed), id: held?.id as string };
    await postponeEffects(lanes.pool, [{ claimed: second, dueInMs: 60_000, error: failing }]);
    expect(await claimEffects(lanes.pool, 10)).toEqual([]);
  });

  test("is shared by workers at once: nothing twice", async () => {
    const conversations = await Promise.all(Array.from({ length: 40 }, (_, n) => talk(phone(n))));
    await Promise.all(conversations.map((each) => send(each, "x")));
    const claims = await Promise.all(Array.from({ length: 8 }, () => claimEffects(lanes.pool, 5)));
    const ids = claims.flat().map((each) => each.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(Math.max(...claims.map((each) => each.length))).toBeLessThanOrEqual(5);
    const rest = await claimEffects(lanes.pool, 100);
    expect(new Set([...ids, ...rest.map((each) => each.id)]).size).toBe(40);
  });

  test("finds the first of each key among tens of thousands that are new, which no statistics know of", async () => {
    const { effect } = await send(await talk(), "x");
    await lanes.rows(
      `insert into effects (lane, organization, id, kind, order_key, key, payload, run, refs, status, due_at, attempt, ordinal, created_at)
select lane, organization, gen_random_uuid(), kind, (n / 4)::text, key, payload, run, refs, status, due_at, attempt, n, created_at
from effects, generate_series(4, 30003) n where id = $1`,
      [effect],
    );
    const client = await lanes.pool.connect();
    try {
      // going through all of them for each takes ten seconds and more
      await client.query("set statement_timeout = '3s'");
      const claimed = await claimEffects({ query: client.query.bind(client) } as typeof lanes.pool, 100);
      expect(new Set(claimed.map((each) => each.order_key)).size).toBe(100);
    } finally {
      await client.query("set statement_timeout = 0");
      client.release();
    }
  });

  test("takes over what a lost worker held, and says so; the lost one can then do nothing", async () => {
    const { effect, message } = await send(await talk(), "x");
    const [lost] = await claimEffects(lanes.pool, 1);
    await beginEffects(lanes.pool, [lost as Claimed]);
    await leaseOver();
    expect(await beginEffects(lanes.pool, [{ ...(lost as Claimed), attempt: 0 }])).toEqual(new Set());
    const [taken] = await claimEffects(lanes.pool, 1);
    expect(taken).toMatchObject({ id: effect, attempt: 2, lost: true });
    await postponeEffects(lanes.pool, [{ claimed: lost as Claimed, dueInMs: 0, error: failing }]);
    await engine.settle(home.place, { effect, attempt: 1, outcome: { status: "failed", error: failing } });
    expect(await effects()).toMatchObject([{ id: effect, status: "due", attempt: 2, lease_until: expect.any(String) }]);
    await engine.settle(home.place, { effect, attempt: 2, outcome: { status: "done", output: { provider_id: "P" } } });
    expect([await effects(), await delivery(message)]).toEqual([[], "sent"]);
  });
});

describe("what is given back", () => {
  test("for later puts off what is to follow it, and nothing else", async () => {
    const [a, b] = [await talk(phone(1)), await talk(phone(2))];
    for (const text of ["1", "2", "3"]) await send(a, text);
    const other = await send(b, "1");
    const [first] = await claimEffects(lanes.pool, 1);
    await postponeEffects(lanes.pool, [{ claimed: first as Claimed, dueInMs: 60_000, error: failing }]);
    const later = await lanes.rows<{ order_key: string }>(
      "select order_key from effects where due_at > clock_timestamp() + interval '50 seconds'",
    );
    const key = first?.order_key as string;
    const many = key === a ? 3 : 1;
    expect(later.map((row) => row.order_key)).toEqual(Array.from({ length: many }, () => key));
    const claimed = await claimEffects(lanes.pool, 10);
    expect(claimed.map((each) => each.order_key)).toEqual([key === a ? b : a]);
    expect(other.effect).toBeDefined();
    // it is first again when its instant has come
    await dueNow();
    expect((await claimEffects(lanes.pool, 10)).map((each) => each.id)).toEqual([first?.id]);
  });

  test("unbegun counts no attempt, stays lost if it was, and is not taken from whoever has it now", async () => {
    await send(await talk(), "x");
    const [first] = (await claimEffects(lanes.pool, 1)) as [Claimed];
    await giveBackEffects(lanes.pool, [first]);
    expect(await effects()).toMatchObject([{ attempt: 0, lease_until: null }]);
    const [again] = (await claimEffects(lanes.pool, 1)) as [Claimed];
    expect(again).toMatchObject({ attempt: 1, lost: false });
    expect(await beginEffects(lanes.pool, [again])).toEqual(new Set([again.id]));
    await leaseOver();
    const [lost] = (await claimEffects(lanes.pool, 1)) as [Claimed];
    await giveBackEffects(lanes.pool, [again]);
    expect(await effects()).toMatchObject([{ attempt: 2, lease_until: expect.any(String) }]);
    await giveBackEffects(lanes.pool, [lost]);
    expect(await claimEffects(lanes.pool, 1)).toMatchObject([{ attempt: 3, lost: true }]);
  });
});

test("what is due and what was given up is counted, up to a thousand a lane", async () => {
  const { effect } = await send(await talk(), "x");
  expect(await countEffects(lanes.pool)).toEqual({ due: 1, dead: 0 });
  await lanes.rows(
    `insert into effects (lane, organization, id, kind, order_key, key, payload, run, refs, status, due_at, attempt, ordinal, created_at)
select lane, organization, gen_random_uuid(), kind, n::text, key, payload, run, refs, case when n > 1500 then 'dead' else status end, due_at, attempt, ordinal, created_at
from effects, generate_series(1, 1510) n where id = $1`,
    [effect],
  );
  expect(await countEffects(lanes.pool)).toEqual({ due: 1000, dead: 10 });
});

/** Workers of this test that run until `fn` is done. */
async function withWorkers(
  performer: Performer | SetPerformer,
  fn: () => Promise<unknown>,
  count = 1,
  parallel = 8,
  ofEngine = engine,
): Promise<void> {
  const stop = new AbortController();
  const log = { warn() {}, error() {} };
  const workers = Array.from({ length: count }, () =>
    createWorkers({
      pool: lanes.pool,
      engine: ofEngine,
      metrics: createMetrics(),
      clock: systemClock,
      log,
      random: () => 0.5,
      performers: { "message.deliver": performer },
      parallel,
    }),
  );
  const running = workers.map((each) => each.run(stop.signal));
  try {
    await fn();
  } finally {
    stop.abort();
    await Promise.all(running);
  }
}

const secrets = openSecretBox(new Uint8Array(32));
const seen: Delivery[] = [];
const provider = (answers: (delivery: Delivery) => Attempt | Promise<Attempt>, keys = false): ProviderKind => ({
  ...recorder,
  name: "fake",
  serves: { sms: textOnly },
  keys,
  open: () => ({
    async deliver(given) {
      seen.push(given);
      return answers(given);
    },
  }),
});
const outside = { send: () => Promise.reject(new Error("nothing of this test goes outside")) };
const through = (fake: ProviderKind): SetPerformer =>
  createDeliverer({
    pool: lanes.pool,
    outside,
    registry: createRegistry([recorder, fake]),
    secretBox: secrets,
    publicUrl: "https://threadmill.test",
  });
const useFake = (policy: "hold" | "retry" = "hold") =>
  lanes.rows("update channels set provider = 'fake', on_unknown = $2 where id = $1", [home.channels.sms, policy]);
const done = (given: Delivery): Attempt => ({ status: "done", output: { provider_id: `P${given.key}` } });

describe("delivering", () => {
  beforeEach(() => (seen.length = 0));

  test("leaves in order within a conversation, with a key that does not change, and tells the world", async () => {
    await useFake();
    const a = await talk();
    const sent: { message: string; effect: string }[] = [];
    for (const text of ["1", "2", "3"]) sent.push(await send(a, text));
    let again = true;
    const flaky = provider((given) => {
      if (given.text !== "2" || !again) return done(given);
      again = false;
      return { status: "retry", error: failing, afterMs: 1 };
    });
    await withWorkers(through(flaky), () => until(effects, []));
    expect(seen.map((each) => each.text)).toEqual(["1", "2", "2", "3"]);
    expect(new Set(seen.map((each) => each.key)).size).toBe(3);
    expect(await Promise.all(sent.map((each) => delivery(each.message)))).toEqual(["sent", "sent", "sent"]);
    expect(await brokenInvariants(lanes.pool)).toEqual([]);
  });

  test("by two workers at once happens once a key, and the recorder keeps one row", async () => {
    const conversations = await Promise.all(Array.from({ length: 12 }, (_, n) => talk(phone(n))));
    await withWorkers(
      through(provider(done)),
      async () => {
        await Promise.all(conversations.flatMap((each) => [send(each, "one"), send(each, "two")]));
        await expect.poll(effects, { timeout: 10_000 }).toEqual([]);
      },
      2,
    );
    const rows = await lanes.rows<{ text: string; recipient: string }>(
      "select text, recipient from recorded_deliveries where organization = $1 order by recorded_at",
      [home.id],
    );
    expect(rows).toHaveLength(24);
    for (let n = 0; n < 12; n += 1)
      expect(rows.filter((row) => row.recipient === phone(n)).map((row) => row.text)).toEqual(["one", "two"]);
    // the same key again changes nothing
    const keeper = recorder.open({ pool: lanes.pool, outside });
    const [kept] = await lanes.rows<{ key: string; message: string }>(
      "select key, message from recorded_deliveries where organization = $1 limit 1",
      [home.id],
    );
    const channel = {
      id: home.channels.sms,
      organization: home.id,
      lane: home.lane,
      kind: "sms",
      address: null,
      settings: {},
      secrets: {},
    } as const;
    await keeper.deliver({
      ...(kept as { key: string; message: string }),
      channel,
      to: "x",
      text: "other",
      media: [],
      statusUrl: null,
    });
    expect(
      await lanes.rows(
        "select count(*)::int as n from recorded_deliveries where organization = $1 and text = 'other'",
        [home.id],
      ),
    ).toEqual([{ n: 0 }]);
  });

  test("that fails for good leaves a dead letter and lets the next message go", async () => {
    await useFake();
    const a = await talk();
    const [bad, good] = [await send(a, "bad"), await send(a, "good")];
    const nasty = { code: "refused", message: `NUL \0 and half \ud83d ${"x".repeat(2000)}` };
    await withWorkers(
      through(provider((given) => (given.text === "bad" ? { status: "failed", error: nasty } : done(given)))),
      () => until(() => delivery(good.message), "sent"),
    );
    expect(await delivery(bad.message)).toBe("failed");
    expect(await effects()).toMatchObject([{ id: bad.effect, status: "dead", last_error: { code: "refused" } }]);
  });

  test("of unknown outcome is held for a person, or tried again, as the channel says", async () => {
    await useFake("hold");
    const unknown = provider((given) => (seen.length < 2 ? { status: "unknown", error: failing } : done(given)));
    const held = await send(await talk(phone(1)), "held");
    await withWorkers(through(unknown), () => until(() => delivery(held.message), "held"));
    expect(seen).toHaveLength(1);
    await lanes.rows("truncate effects");
    seen.length = 0;
    await useFake("retry");
    const retried = await send(await talk(phone(2)), "retried");
    await withWorkers(through(unknown), async () => {
      await expect.poll(async () => (await effects())[0]?.last_error, { timeout: 10_000 }).toEqual(failing);
      await dueNow();
      await expect.poll(() => delivery(retried.message), { timeout: 10_000 }).toBe("sent");
    });
    expect(seen).toHaveLength(2);
  });

  test.each([
    ["hold", false, "held", 0],
    ["retry", false, "sent", 1],
    ["hold", true, "sent", 1],
  ] as const)(
    "after a worker was lost: policy %s, provider with keys %s, is %s",
    async (policy, idempotent, outcome, calls) => {
      await useFake(policy);
      const { message } = await send(await talk(), "perhaps out already");
      await beginEffects(lanes.pool, await claimEffects(lanes.pool, 1));
      await leaseOver();
      await withWorkers(through(provider(done, idempotent)), () => until(() => delivery(message), outcome));
      expect(seen).toHaveLength(calls);
    },
  );

  test.each([
    ["hold", true],
    ["retry", false],
  ] as const)("policy %s: whether it is noted that it was begun before it goes out: %s", async (policy, noted) => {
    await useFake(policy);
    const { message } = await send(await talk(), "x");
    const begun: unknown[] = [];
    const looking = provider(async (given) => {
      begun.push(...(await lanes.rows("select begun from effects")));
      return done(given);
    });
    await withWorkers(through(looking), () => until(() => delivery(message), "sent"));
    expect(begun).toEqual([{ begun: noted }]);
  });

  test("in a sandbox, or by a provider that is not there, never leaves the house", async () => {
    await useFake();
    await lanes.rows("update organizations set sandbox = true where organization = $1", [home.id]);
    const a = await talk();
    const boxed = await send(a, "boxed");
    await withWorkers(through(provider(done)), () => until(() => delivery(boxed.message), "sent"));
    await lanes.rows("update organizations set sandbox = false where organization = $1", [home.id]);
    await lanes.rows("update channels set provider = 'gone' where id = $1", [home.channels.sms]);
    const lost = await send(a, "nobody");
    await withWorkers(through(provider(done)), () => until(() => delivery(lost.message), "failed"));
    expect(seen).toEqual([]);
  });

  test("that throws is a fault of ours and tried again", async () => {
    await useFake();
    await send(await talk(), "x");
    await withWorkers(through(provider(() => Promise.reject(new Error("bug")))), () =>
      until(async () => (await effects())[0]?.last_error?.code, "worker_fault"),
    );
    expect(await effects()).toMatchObject([{ status: "due", lease_until: null, attempt: 1 }]);
  });

  test("is finished when the workers stop, and settled", async () => {
    await useFake();
    const { message } = await send(await talk(), "last");
    let answer: (attempt: Attempt) => void = () => {};
    const slow = provider(() => new Promise((resolve) => (answer = resolve)));
    await withWorkers(through(slow), async () => {
      await expect.poll(() => seen.length, { timeout: 10_000 }).toBe(1);
      // the stop below waits for it
      setImmediate(() => answer(done(seen[0] as Delivery)));
    });
    expect(await delivery(message)).toBe("sent");
  });
});

describe("deliveries that their own process holds from birth", () => {
  beforeEach(() => (seen.length = 0));

  // a claim that looks just then keeps the places that it may need, and takes what was born meanwhile: on a slow machine it may
  test("leave in order without a claim, one after the other, also from a workflow", async () => {
    await useFake();
    await lanes.publish(home, {
      triggers: [{ event: "message.received" }],
      start: "reply",
      steps: { reply: { action: "message.send", input: { text: "0" } } },
    });
    const queries = vi.spyOn(lanes.pool, "query");
    try {
      await withWorkers(through(provider(done)), async () => {
        const conversations = await Promise.all(Array.from({ length: 5 }, (_, n) => talk(phone(n))));
        for (const text of ["1", "2", "3"]) await Promise.all(conversations.map((each) => send(each, text)));
        await until(effects, []);
      });
      const claims = queries.mock.calls
        .map(([query], n) => ({ name: (query as { name?: string }).name, result: queries.mock.results[n]?.value }))
        .filter(({ name }) => name === "claim_effects");
      const claimed = (await Promise.all(claims.map(({ result }) => result as Promise<{ rows: unknown[] }>))).flatMap(
        ({ rows }) => rows,
      );
      // of twenty; all of them were claimed when births were not held
      expect(claimed.length).toBeLessThan(10);
    } finally {
      queries.mockRestore();
    }
    for (let n = 0; n < 5; n += 1)
      expect(seen.filter(({ to }) => to === phone(n)).map(({ text }) => text)).toEqual(["0", "1", "2", "3"]);
    expect(await brokenInvariants(lanes.pool)).toEqual([]);
  });

  test.each([
    ["hold", "sent", 1],
    ["retry", "sent", 1],
  ] as const)(
    "that were committed and not begun when it was killed are done by another, policy %s: %s",
    async (policy, outcome, calls) => {
      await useFake(policy);
      const killed = lanes.engine();
      killed.holdAtBirth({
        kinds: ["message.deliver"],
        reserve: () => true,
        free() {},
        hold() {},
        giveBack: () => Promise.reject(new Error("a killed process gives nothing back")),
      });
      const conversation = await talk();
      const sent = resultOf(await killed.submit(command(home, "message.send", { conversation, text: "x" })));
      expect(await effects()).toMatchObject([{ attempt: 1, lease_until: expect.any(String) }]);
      await withWorkers(through(provider(done)), async () => {
        // nobody touches it while its lease lasts
        await send(await talk(phone(2)), "other");
        await until(async () => (await effects()).length, 1);
        expect(await effects()).toMatchObject([{ attempt: 1 }]);
        await leaseOver();
        await until(() => delivery(sent["message"] as string), outcome);
      });
      expect(seen.filter(({ text }) => text === "x")).toHaveLength(calls);
    },
  );

  test("of two processes at once leave once each and in order", async () => {
    await useFake();
    const others = lanes.engine();
    const conversations = await Promise.all(Array.from({ length: 6 }, (_, n) => talk(phone(n))));
    const by = [engine, others] as const;
    await withWorkers(through(provider(done)), async () => {
      await withWorkers(
        through(provider(done)),
        async () => {
          for (let m = 0; m < 6; m += 1)
            await Promise.all(
              conversations.map((conversation, n) =>
                (by[(n + m) % 2] ?? engine).submit(command(home, "message.send", { conversation, text: String(m) })),
              ),
            );
          await until(effects, []);
        },
        1,
        8,
        others,
      );
    });
    for (let n = 0; n < 6; n += 1)
      expect(seen.filter(({ to }) => to === phone(n)).map(({ text }) => text)).toEqual(["0", "1", "2", "3", "4", "5"]);
    expect(new Set(seen.map(({ key }) => key)).size).toBe(36);
    expect(await brokenInvariants(lanes.pool)).toEqual([]);
  });

  test("beyond what is held are claimed in sets, and all leave once", async () => {
    await useFake();
    const conversations = await Promise.all(Array.from({ length: 40 }, (_, n) => talk(phone(n))));
    await withWorkers(
      through(provider(done)),
      async () => {
        await Promise.all(conversations.map((each) => send(each, "x")));
        await until(effects, []);
      },
      1,
      2,
    );
    expect(new Set(seen.map(({ key }) => key)).size).toBe(40);
    expect(seen).toHaveLength(40);
  });

  test("that were born while the only worker was busy are given back when the process goes", async () => {
    await useFake();
    const conversations = [await talk(phone(1)), await talk(phone(2))] as const;
    let answer = (): void => {};
    const slow = provider(() => new Promise((resolve) => (answer = () => resolve(done(seen[0] as Delivery)))));
    const sent: { effect: string }[] = [];
    await withWorkers(
      through(slow),
      async () => {
        sent.push(await send(conversations[0], "1"));
        await expect.poll(() => seen.length, { timeout: 10_000 }).toBe(1);
        sent.push(await send(conversations[1], "2"));
        expect(await effects()).toMatchObject([{ attempt: 1 }, { attempt: 1, lease_until: expect.any(String) }]);
        setImmediate(() => answer());
      },
      1,
      1,
    );
    expect(seen).toHaveLength(1);
    expect(await effects()).toMatchObject([{ id: sent[1]?.effect, attempt: 0, lease_until: null }]);
  });
});

describe("held and not begun", () => {
  beforeEach(() => (seen.length = 0));
  /** One is under way, by the only worker, and waits for its answer; the others are held. */
  const oneUnderWay = async (count: number, fn: (answer: () => void) => Promise<void>) => {
    await useFake();
    const sent: { message: string; effect: string }[] = [];
    for (let n = 0; n < count; n += 1) sent.push(await send(await talk(phone(n)), "x"));
    let answer = (): void => {};
    const first = new Promise<void>((resolve) => (answer = resolve));
    const slow = provider(async (given) => {
      if (seen.length === 1) await first;
      return done(given);
    });
    await withWorkers(
      through(slow),
      async () => {
        await until(async () => (await effects()).filter((each) => each.lease_until !== null).length, count);
        await expect.poll(() => seen.length, { timeout: 10_000 }).toBe(1);
        await fn(answer);
      },
      1,
      1,
    );
    return sent;
  };

  test("is given back when the process goes; what is under way is finished", async () => {
    const sent = await oneUnderWay(2, async (answer) => void setImmediate(answer));
    expect(seen).toHaveLength(1);
    const [out, back] = seen[0]?.message === sent[0]?.message ? [0, 1] : [1, 0];
    expect(await delivery(sent[out]?.message as string)).toBe("sent");
    expect(await effects()).toMatchObject([{ id: sent[back]?.effect, attempt: 0, lease_until: null }]);
  });

  test("is not begun any more when half of its lease is over, but given back and taken anew", async () => {
    const real = performance.now.bind(performance);
    const queries = vi.spyOn(lanes.pool, "query");
    const givenBack = () =>
      queries.mock.calls.filter(([query]) => (query as { name?: string }).name === "give_back_effects").length;
    const clock = vi.spyOn(performance, "now");
    try {
      await oneUnderWay(2, async (answer) => {
        expect(givenBack()).toBe(0);
        clock.mockImplementation(() => real() + beginWithinMs);
        answer();
        await until(effects, []);
      });
      expect(givenBack()).toBe(1);
    } finally {
      clock.mockRestore();
      queries.mockRestore();
    }
    expect(seen).toHaveLength(2);
  });
});

describe("an attempt", () => {
  const outcomes: readonly [string, Parameters<typeof conclude>[1], number, Outcome | null][] = [
    ["a retry", { status: "retry", error: failing }, 1, null],
    ["the last retry", { status: "retry", error: failing }, attemptsAtMost, { status: "failed", error: failing }],
    [
      "unknown, to hold",
      { status: "unknown", error: failing, policy: "hold" },
      1,
      { status: "unknown", error: failing },
    ],
    ["unknown, to retry", { status: "unknown", error: failing, policy: "retry" }, 1, null],
    [
      "unknown for the last time",
      { status: "unknown", error: failing, policy: "retry" },
      attemptsAtMost,
      { status: "unknown", error: failing },
    ],
    ["a refusal", { status: "failed", error: failing, policy: "retry" }, 1, { status: "failed", error: failing }],
    ["a success", { status: "done", output: { a: 1 }, policy: "hold" }, 1, { status: "done", output: { a: 1 } }],
  ];
  test.each(outcomes)("that is %s", (_name, attempt, number, expected) => {
    expect(conclude({ attempt: number }, attempt)).toEqual(expected);
  });

  test("is followed by a longer pause each time, up to an hour", () => {
    expect([1, 2, 3, 12, 13, 36].map((n) => retryAfterMs(n, () => 1))).toEqual([
      1000, 2000, 4000, 2_048_000, 3_600_000, 3_600_000,
    ]);
    expect(retryAfterMs(3, () => 0)).toBe(2000);
    const day = Array.from({ length: attemptsAtMost - 1 }, (_, n) => retryAfterMs(n + 1, () => 1)).reduce(
      (a, b) => a + b,
    );
    expect(day / 3_600_000).toBeGreaterThan(23);
    expect(day / 3_600_000).toBeLessThan(26);
  });
});

test("an outcome that was heard is settled once its lane goes on, and nothing is performed again", async () => {
  const slow = lanes.engine({ patienceMs: 300 });
  const { lane, organization } = home.place;
  await lanes.rows(
    `insert into effects (lane, organization, id, kind, order_key, key, payload, run, refs, status, due_at, attempt, ordinal, created_at)
select $1, $2, gen_random_uuid(), 'customer.blank', n::text, n::text, '{}', null, '{}', 'due', now(), 0, n, now() from generate_series(1, 3) n`,
    [lane, organization],
  );
  const performed: string[] = [];
  const workers = createWorkers({
    pool: lanes.pool,
    engine: slow,
    metrics: createMetrics(),
    clock: systemClock,
    log: { warn() {}, error() {} },
    random: Math.random,
    performers: {
      "customer.blank": async ({ order_key, attempt }) => {
        performed.push(`${order_key}: ${attempt}`);
        return { status: "done", output: {} };
      },
    },
  });
  const holder = await lanes.pool.connect();
  await holder.query(`begin; select from lanes where lane = ${lane} for update`);
  const abort = new AbortController();
  const run = workers.run(abort.signal);
  await vi.waitFor(() => expect(performed).toHaveLength(3), { timeout: 20_000 });
  // longer than anybody's patience
  await vi.waitFor(() => expect(slow.stuckLanes().map((each) => each.lane)).toEqual([lane]), { timeout: 20_000 });
  await holder.query("rollback");
  holder.release();
  await until(effects, []);
  expect(performed.toSorted()).toEqual(["1: 1", "2: 1", "3: 1"]);
  abort.abort();
  await run;
});
