import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { transaction } from "../db/transaction.ts";
import { createMetrics } from "../observe/metrics.ts";
import { freshId } from "./fresh-id.ts";
import type { Submitted } from "./port.ts";
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
} from "./test-lanes.ts";
import { type Cut, testProxy } from "./test-proxy.ts";

let lanes: TestLanes;
beforeAll(async () => {
  lanes = await testLanes();
});
afterAll(() => lanes.close());

const messages = async (home: Home) =>
  (await lanes.rows<{ text: string }>("select text from messages where organization = $1 order by seq", [home.id])).map(
    (row) => row.text,
  );
const parked = (home: Home) =>
  lanes.rows<{ id: string; item: Record<string, unknown> }>("select id, item from parked where organization = $1", [
    home.id,
  ]);
const codeOf = (result: PromiseSettledResult<Submitted>): string =>
  result.status === "fulfilled"
    ? result.value.answer.ok
      ? "ok"
      : "refused"
    : String((result.reason as { code?: string }).code);

/** What callers were told is held against the database: true, or openly unknown. */
async function expectTruth(home: Home, results: readonly PromiseSettledResult<Submitted>[]): Promise<void> {
  for (const result of results) {
    if (result.status === "rejected") {
      expect(["commit_unknown", "unavailable"]).toContain((result.reason as { code?: string }).code);
      continue;
    }
    const { command: id, answer } = result.value;
    if (!answer.ok) continue;
    const { message } = answer.result as { readonly message: string };
    expect(await lanes.rows("select id from messages where organization = $1 and id = $2", [home.id, message])).toEqual(
      [{ id: message }],
    );
    const told = await lanes.rows("select count(*)::int as n from log where organization = $1 and root = $2", [
      home.id,
      id,
    ]);
    expect(told).not.toEqual([{ n: 0 }]);
  }
  expect(await brokenInvariants(lanes.pool)).toEqual([]);
}

test("connections killed at any moment: every caller hears what is true", async () => {
  const home = await lanes.organization();
  const engine = lanes.engine();
  await lanes.publish(home, {
    triggers: [{ event: "message.received" }],
    start: "tag",
    steps: { tag: { action: "conversation.add_tags", input: { tags: ["seen"] } } },
  });
  let kills = 0;
  const killer = async (): Promise<void> => {
    while (kills < 10) {
      const [{ n }] = (await lanes.rows<{ n: number }>(
        `select count(pg_terminate_backend(pid))::int as n from pg_stat_activity
where application_name = 'lanes under test' and datname = current_database() and (select true from pg_sleep(0.05 + random() * 0.1))`,
      )) as [{ n: number }];
      kills += n > 0 ? 1 : 0;
    }
  };
  const killing = killer();
  const results: PromiseSettledResult<Submitted>[] = [];
  const caller = async (n: number): Promise<void> => {
    for (let m = 0; kills < 10; m += 1)
      results.push(...(await Promise.allSettled([engine.submit(incoming(home, phone(n), `${n}/${m}`))])));
  };
  await Promise.all(Array.from({ length: 25 }, (_, n) => caller(n)));
  await killing;
  await engine.quiet();
  await expectTruth(home, results);
  expect(new Set(results.map(codeOf))).toContain("ok");
  const told = results.filter((each) => each.status === "fulfilled").length;
  expect((await messages(home)).length).toBeGreaterThanOrEqual(told);
  expect(new Set(await messages(home)).size).toBe((await messages(home)).length);
  expect(engine.health()).toEqual({ ready: true });
  expect(await parked(home)).toEqual([]);
});

describe("a COMMIT in doubt", () => {
  test.each(["before", "halfway", "after"] as const)(
    "because the connection broke %s the server got it: decided once, answered truly",
    async (cut) => {
      const home = await lanes.organization();
      const proxy = await testProxy(lanes.url);
      const engine = lanes.engine({ url: proxy.url });
      await engine.submit(incoming(home, phone(0), "warm"));
      proxy.plan.push(cut, "none", cut);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          engine.submit(incoming(home, phone(n % 3), `m${n}`, n % 4 === 0 ? { key: `k${n}` } : {})),
        ),
      );
      const again = await engine.submit(incoming(home, phone(0), "m0", { key: "k0" }));
      expect(again).toMatchObject({ repeated: true, answer: answers[0]?.answer, command: answers[0]?.command });
      expect(proxy.cuts[0]).toBe(cut);
      expect(engine.faults[0]).toMatchObject({ what: "in_doubt" });
      expect((await messages(home)).sort()).toEqual(["warm", ...Array.from({ length: 20 }, (_, n) => `m${n}`)].sort());
      await expectTruth(
        home,
        answers.map((value) => ({ status: "fulfilled", value })),
      );
      await engine.stop();
      await proxy.close();
    },
  );

  test("of a settled effect: it is settled once", async () => {
    const home = await lanes.organization();
    const proxy = await testProxy(lanes.url);
    const engine = lanes.engine({ url: proxy.url });
    const { conversation } = resultOf(await engine.submit(incoming(home, phone(0), "hi")));
    const sent = resultOf(await engine.submit(command(home, "message.send", { conversation, text: "answer" })));
    proxy.plan.push("after");
    await engine.settle(home.place, {
      effect: sent["effect"] as string,
      attempt: 0,
      outcome: { status: "done", output: { provider_id: "P1" } },
    });
    expect(await lanes.rows("select delivery, provider_id from messages where id = $1", [sent["message"]])).toEqual([
      { delivery: "sent", provider_id: "P1" },
    ]);
    expect(await lanes.rows("select from effects where organization = $1", [home.id])).toEqual([]);
    expect(await brokenInvariants(lanes.pool)).toEqual([]);
    await engine.stop();
    await proxy.close();
  });

  test("that nobody can look up is told as unknown, and a key finds the truth later", async () => {
    const home = await lanes.organization();
    const proxy = await testProxy(lanes.url);
    const engine = lanes.engine({ url: proxy.url, patienceMs: 300 });
    await engine.submit(incoming(home, phone(0), "warm"));
    const cut: Cut = "after";
    proxy.plan.push(cut);
    const sending = Promise.allSettled([engine.submit(incoming(home, phone(1), "perhaps", { key: "perhaps" }))]);
    await expect.poll(() => proxy.cuts, { interval: 1 }).toEqual([cut]);
    proxy.break();
    const [told] = await sending;
    expect(codeOf(told)).toBe("commit_unknown");
    expect(engine.health()).toMatchObject({ ready: false });
    proxy.mend();
    expect(await engine.submit(incoming(home, phone(1), "perhaps", { key: "perhaps" }))).toMatchObject({
      repeated: true,
    });
    expect(await messages(home)).toEqual(["warm", "perhaps"]);
    expect(engine.health()).toEqual({ ready: true });
    await engine.stop();
    await proxy.close();
  });
});

describe("a database that is away", () => {
  test("for a while only makes callers wait; for long, they are told to come again", async () => {
    const home = await lanes.organization();
    const proxy = await testProxy(lanes.url);
    const engine = lanes.engine({ url: proxy.url, patienceMs: 1500 });
    await engine.submit(incoming(home, phone(0), "warm"));
    proxy.break();
    const patient = engine.submit(incoming(home, phone(1), "patient"));
    await expect.poll(() => engine.faults.length, { interval: 5 }).toBeGreaterThan(1);
    proxy.mend();
    expect((await patient).answer.ok).toBe(true);
    proxy.break();
    const late = Promise.allSettled([
      engine.submit(incoming(home, phone(1), "lost")),
      engine.submit(incoming(home, phone(2), "lost too", { work: "bulk" })),
    ]);
    await engine.stop();
    expect((await late).map(codeOf)).toEqual(["unavailable", "unavailable"]);
    proxy.mend();
    expect(await messages(home)).toEqual(["warm", "patient"]);
    await proxy.close();
  });

  test("makes the poller not ready, until it answers again", async () => {
    const proxy = await testProxy(lanes.url);
    const engine = lanes.engine({ url: proxy.url });
    proxy.break();
    await engine.tick();
    expect(engine.health()).toMatchObject({ ready: false });
    proxy.mend();
    await engine.tick();
    expect(engine.health()).toEqual({ ready: true });
    await engine.stop();
    await proxy.close();
  });
});

test("a batch that is cancelled while it waits for the lane is tried again; nobody is blamed", async () => {
  const home = await lanes.organization();
  const engine = lanes.engine();
  const held = await transaction(lanes.pool, async (holder) => {
    await holder.query("select from lanes where lane = $1 for update", [home.lane]);
    const submitted = engine.submit(incoming(home, phone(1), "wait for me"));
    const waiting = () =>
      lanes.rows<{ pid: number }>(
        "select pid from pg_stat_activity where application_name = 'lanes under test' and datname = current_database() and wait_event_type = 'Lock'",
      );
    for (let n = 0; n < 2; n += 1) {
      await expect.poll(waiting, { interval: 5 }).toHaveLength(1);
      await lanes.rows("select pg_cancel_backend($1)", [(await waiting())[0]?.pid]);
      await expect.poll(() => engine.faults.length, { interval: 5 }).toBe(n + 1);
    }
    // it is answered only after this lets go
    return { submitted };
  });
  expect((await held.submitted).answer.ok).toBe(true);
  expect(engine.faults.map((each) => each.what)).toEqual(["retryable", "retryable"]);
  expect(await parked(home)).toEqual([]);
});

test("a lane that others hold: who comes late is told at once, who waits too long is told as well, and nothing was done", async () => {
  const home = await lanes.organization();
  const engine = lanes.engine({ patienceMs: 4000 });
  await transaction(lanes.pool, async (holder) => {
    await holder.query("select from lanes where lane = $1 for update", [home.lane]);
    const since = performance.now();
    const first = Promise.allSettled([engine.submit(incoming(home, phone(1), "first"))]);
    const settings = Promise.allSettled([
      engine.changeSettings(home.place, { kind: "system", id: null }, async () => {
        throw new Error("must not run");
      }),
    ]);
    // before half of the first one's patience is over it would be let in
    await expect.poll(() => performance.now() - since, { interval: 20, timeout: 10_000 }).toBeGreaterThan(2100);
    const late = await Promise.allSettled([engine.submit(incoming(home, phone(2), "late"))]);
    expect(late.map(codeOf)).toEqual(["overloaded"]);
    expect((await first).map(codeOf)).toEqual(["unavailable"]);
    expect(await settings).toMatchObject([{ status: "rejected", reason: { code: "unavailable" } }]);
  });
  await engine.quiet();
  expect(await messages(home)).toEqual([]);
  expect((await engine.submit(incoming(home, phone(1), "again"))).answer.ok).toBe(true);
});

describe("poison", () => {
  const refuse = (table: string, name: string, check: string) =>
    lanes.rows(`alter table ${table} add constraint ${name} check (${check})`);
  const allow = (table: string, name: string) => lanes.rows(`alter table ${table} drop constraint ${name}`);

  test("among many is found and kept; the others are not touched, and an inbound message is never refused", async () => {
    const home = await lanes.organization();
    const engine = lanes.engine();
    const { conversation } = resultOf(await engine.submit(incoming(home, phone(0), "first")));
    await refuse("messages", "poison", "text not like '%poison%'");
    try {
      const submissions = Array.from({ length: 40 }, (_, n) =>
        incoming(home, phone(n), n === 17 || n === 33 ? "a poisonous message" : `m${n}`),
      );
      const results = await Promise.allSettled([
        ...submissions.map((each) => engine.submit(each)),
        engine.submit(command(home, "message.note", { conversation, text: "poison note" })),
      ]);
      const codes = results.map(codeOf);
      expect(codes.slice(0, 40)).toEqual(Array.from({ length: 40 }, () => "ok"));
      expect(codes[40]).toBe("internal");
      const kept = await parked(home);
      expect(kept).toHaveLength(3);
      const [first] = results.slice(17, 18) as [PromiseFulfilledResult<Submitted>];
      expect(resultOf(first.value)).toEqual({ parked: first.value.command });
      expect(kept.find((row) => row.id === first.value.command)?.item).toMatchObject({
        kind: "command",
        command: { type: "message.receive", input: { text: "a poisonous message" } },
      });
      expect(await messages(home)).toHaveLength(39);
      expect(await brokenInvariants(lanes.pool)).toEqual([]);
    } finally {
      await allow("messages", "poison");
    }
  });

  test("of text that no database stores is kept in a form that one does", async () => {
    const home = await lanes.organization();
    const engine = lanes.engine();
    const answers = await Promise.all(
      ["a\0b", "half \ud83d", "good"].map((text, n) => engine.submit(incoming(home, phone(n), text))),
    );
    expect(answers.map((each) => Object.keys(resultOf(each))[0])).toEqual(["parked", "parked", "message"]);
    const kept = (await parked(home)).map((row) => (row.item["command"] as { input: { text: string } }).input.text);
    expect(kept.sort()).toEqual(["a\ufffdb", "half \ufffd"]);
  });

  const late = (first: object) => ({
    triggers: [{ event: "message.received", when: { field: "message.text", op: "is", value: "late" } }],
    start: "first",
    steps: { first: { ...first, next: "tag" }, tag: { action: "conversation.add_tags", input: { tags: ["late"] } } },
  });
  const history = (home: Home) =>
    lanes.rows("select status, reason ->> 'code' as code from runs_history where organization = $1", [home.id]);

  test("in a timer fails its run visibly; other timers and commands go on", async () => {
    const [sick, well] = [await lanes.organization({ lane: 800 }), await lanes.organization({ lane: 800 })];
    const engine = lanes.engine();
    for (const home of [sick, well]) await lanes.publish(home, late({ wait: { for: "1h" } }));
    for (const home of [sick, well])
      for (let n = 0; n < 5; n += 1) await engine.submit(incoming(home, phone(n), "late"));
    await lanes.overdue(800);
    // one of ten cannot be carried
    const [victim] = await lanes.rows<{ id: string }>(
      "select id from conversations where organization = $1 order by id limit 1",
      [sick.id],
    );
    await refuse("conversations", "no_late", `id <> '${victim?.id}' or not ('late' = any(tags))`);
    try {
      const ticking = engine.tick();
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, n) => engine.submit(incoming(n % 2 === 0 ? sick : well, phone(20 + n), "hello"))),
      );
      expect(answers.every(({ answer }) => answer.ok)).toBe(true);
      await ticking;
      expect(await history(well)).toEqual(Array.from({ length: 5 }, () => ({ status: "finished", code: null })));
      expect((await history(sick)).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))).toEqual(
        [
          { status: "failed", code: "internal" },
          ...Array.from({ length: 4 }, () => ({ status: "finished", code: null })),
        ].toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
      );
      expect((await parked(sick)).map((row) => row.item["kind"])).toEqual(["timer"]);
      expect(await parked(well)).toEqual([]);
      expect(await lanes.rows("select from timers where lane = 800")).toEqual([]);
      expect(await brokenInvariants(lanes.pool)).toEqual([]);
    } finally {
      await allow("conversations", "no_late");
    }
  });

  test("in a left-over fails its runs visibly; the command that set it off stands, and no other is blamed", async () => {
    const [sick, well] = [await lanes.organization({ lane: 801 }), await lanes.organization({ lane: 801 })];
    await lanes.publish(sick, late({ action: "conversation.set_topic", input: { topic: "x" } }));
    const engine = lanes.engine({ slice: 2 });
    await refuse("conversations", "no_late", "lane <> 801 or not ('late' = any(tags))");
    try {
      const answers = await Promise.all([
        engine.submit(incoming(sick, phone(1), "late")),
        ...Array.from({ length: 10 }, (_, n) =>
          engine.submit(incoming(n % 2 === 0 ? sick : well, phone(10 + n), `after ${n}`)),
        ),
      ]);
      expect(answers.map(({ answer }) => answer.ok && "message" in answer.result)).toEqual(
        Array.from({ length: 11 }, () => true),
      );
      await engine.quiet();
      expect(await history(sick)).toEqual([{ status: "failed", code: "internal" }]);
      expect((await parked(sick)).map((row) => row.item["kind"])).toEqual(["leftover"]);
      expect(await parked(well)).toEqual([]);
      expect(await messages(sick)).toEqual(["late", "after 0", "after 2", "after 4", "after 6", "after 8"]);
      expect(await brokenInvariants(lanes.pool)).toEqual([]);
    } finally {
      await allow("conversations", "no_late");
    }
  });

  test("in a settled effect ends it as a dead letter: it is not performed for ever", async () => {
    const home = await lanes.organization();
    const engine = lanes.engine();
    const { conversation } = resultOf(await engine.submit(incoming(home, phone(1), "hi")));
    const next = resultOf(await engine.submit(command(home, "message.send", { conversation, text: "answer" })));
    await refuse("messages", "no_error", "delivery_error is null or delivery_error not like '%poison%'");
    try {
      await engine.settle(home.place, {
        effect: next["effect"] as string,
        attempt: 0,
        outcome: { status: "failed", error: { code: "x", message: "poison" } },
      });
    } finally {
      await allow("messages", "no_error");
    }
    expect(await lanes.rows("select status from effects where organization = $1", [home.id])).toEqual([
      { status: "dead" },
    ]);
    expect((await parked(home)).map((row) => row.id)).toEqual([next["effect"]]);
  });

  test("in a wake is taken out of the way", async () => {
    const home = await lanes.organization();
    const engine = lanes.engine();
    const ids: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      const { conversation } = resultOf(await engine.submit(incoming(home, phone(n), "hi")));
      ids.push(conversation as string);
      await engine.submit(
        command(home, "conversation.snooze", { conversation, until: new Date(Date.now() + 3_600_000).toISOString() }),
      );
    }
    await lanes.rows(
      "update conversations set wake_at = now() - interval '1 day', snoozed_until = now() - interval '1 day' where organization = $1",
      [home.id],
    );
    await refuse("conversations", "stays", `id <> '${ids[1]}' or status <> 'open'`);
    try {
      await engine.tick();
    } finally {
      await allow("conversations", "stays");
    }
    expect(
      (
        await lanes.rows<{ status: string }>("select status from conversations where organization = $1 order by id", [
          home.id,
        ])
      ).map((row) => row.status),
    ).toEqual(["open", "snoozed", "open"]);
    expect((await parked(home)).map((row) => row.id)).toEqual([ids[1]]);
    await lanes.rows("update conversations set status = 'open', snoozed_until = null where id = $1", [ids[1]]);
  });
});

test("a fault after the commit does not have the batch carried again", async () => {
  const home = await lanes.organization();
  await lanes.publish(home, {
    triggers: [{ event: "message.received" }],
    start: "tag",
    steps: { tag: { action: "conversation.add_tags", input: { tags: ["seen"] } } },
  });
  const metrics = createMetrics();
  const engine = lanes.engine({
    metrics: {
      ...metrics,
      runs: () => expect.fail("a label is wrong"),
      decided: () => expect.fail("a label is wrong"),
    },
  });
  const answer = await engine.submit(incoming(home, phone(1), "once"));
  expect(answer.answer.ok).toBe(true);
  await engine.quiet();
  expect(await messages(home)).toEqual(["once"]);
  expect(engine.faults.map((each) => each.what)).toEqual(["after_commit"]);
});

test("a settlement for an organization that is not there ends", async () => {
  const home = await lanes.organization();
  const engine: TestEngine = lanes.engine();
  await engine.settle(
    { ...home.place, organization: freshId() },
    { effect: freshId(), attempt: 0, outcome: { status: "done", output: {} } },
  );
  expect((await engine.submit(incoming(home, phone(1), "fine"))).answer.ok).toBe(true);
});
