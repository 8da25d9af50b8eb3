import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createMetrics } from "../observe/metrics.ts";
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

let lanes: TestLanes;
let engine: TestEngine;
beforeAll(async () => {
  lanes = await testLanes();
  engine = lanes.engine();
});
afterAll(() => lanes.close());

const waits = (hold: object, more: object = {}) => ({
  triggers: [{ event: "message.received" }],
  start: "hold",
  steps: {
    hold: { wait: hold, next: "tag", ...more },
    tag: { action: "conversation.add_tags", input: { tags: ["late"] } },
  },
});

const receive = async (home: Home, from = phone(1), text = "hi") =>
  resultOf(await engine.submit(incoming(home, from, text)));
const tags = async (home: Home) =>
  (
    await lanes.rows<{ tags: string[] }>("select tags from conversations where organization = $1 order by id", [
      home.id,
    ])
  ).map((row) => row.tags);
const timers = (home: Home) =>
  lanes.rows<{ run: string; due_at: string }>("select run, due_at from timers where organization = $1", [home.id]);
const overdue = (home: Home) => lanes.overdue(home.lane);
const statuses = (home: Home) =>
  lanes.rows<{ status: string }>(
    "select status from runs where organization = $1 union all select status from runs_history where organization = $1",
    [home.id],
  );

describe("a wait", () => {
  test("has a timer, falls due through the poller, and leaves no timer behind", async () => {
    const home = await lanes.organization();
    await lanes.publish(home, waits({ for: "1h" }));
    await receive(home);
    expect(await timers(home)).toHaveLength(1);
    await engine.tick();
    expect(await tags(home)).toEqual([[]]);
    await overdue(home);
    await engine.tick();
    expect(await tags(home)).toEqual([["late"]]);
    expect(await timers(home)).toEqual([]);
    expect(await statuses(home)).toEqual([{ status: "finished" }]);
    expect(await brokenInvariants(lanes.pool)).toEqual([]);
  });

  test("of a second ends no earlier than its instant", async () => {
    const home = await lanes.organization();
    await lanes.publish(home, waits({ for: "1s" }));
    await receive(home);
    const [timer] = await timers(home);
    await expect.poll(() => engine.tick().then(() => timers(home)), { timeout: 10_000, interval: 50 }).toEqual([]);
    const [run] = await lanes.rows<{ finished_at: string }>(
      "select finished_at from runs_history where organization = $1",
      [home.id],
    );
    expect((run?.finished_at as string) >= (timer?.due_at as string)).toBe(true);
    expect(await tags(home)).toEqual([["late"]]);
  });

  test("is interrupted by the event that it must not outwait; its timer goes", async () => {
    const home = await lanes.organization();
    await lanes.publish(home, waits({ for: "1h", unless: "conversation.closed" }));
    const { conversation } = await receive(home);
    await engine.submit(command(home, "conversation.close", { conversation }));
    expect(await timers(home)).toEqual([]);
    await engine.tick();
    expect(await tags(home)).toEqual([[]]);
    expect(await statuses(home)).toEqual([{ status: "finished" }]);
    expect(await brokenInvariants(lanes.pool)).toEqual([]);
  });

  test("again and again in one run: each wait has the one timer", async () => {
    const home = await lanes.organization();
    await lanes.publish(home, {
      triggers: [{ event: "message.received" }],
      start: "a",
      steps: {
        a: { wait: { for: "1h" }, next: "b" },
        b: { wait: { for: "2h" }, next: "c" },
        c: { wait: { for: "3h" } },
      },
    });
    await receive(home);
    for (let n = 0; n < 3; n += 1) {
      expect(await timers(home)).toHaveLength(1);
      await overdue(home);
      await engine.tick();
    }
    expect(await timers(home)).toEqual([]);
    expect(await statuses(home)).toEqual([{ status: "finished" }]);
  });

  test("of a cancelled run leaves no timer", async () => {
    const home = await lanes.organization();
    await lanes.publish(home, waits({ for: "1h" }));
    await receive(home);
    const [timer] = await timers(home);
    expect((await engine.submit(command(home, "run.cancel", { run: timer?.run }))).answer.ok).toBe(true);
    expect(await timers(home)).toEqual([]);
    expect(await statuses(home)).toEqual([{ status: "cancelled" }]);
  });
});

test("a timer whose run is gone is dropped once, not for ever", async () => {
  const home = await lanes.organization();
  await lanes.publish(home, waits({ for: "1h" }));
  await receive(home);
  await overdue(home);
  await lanes.rows("delete from runs where organization = $1", [home.id]);
  await engine.tick();
  expect(await timers(home)).toEqual([]);
});

test("an overdue load is carried in slices, with room for those who wait", async () => {
  const home = await lanes.organization();
  await lanes.publish(home, waits({ for: "1h" }));
  await Promise.all(Array.from({ length: 500 }, (_, n) => receive(home, phone(n), `m${n}`)));
  await overdue(home);
  const ticking = engine.tick();
  await engine.submit(incoming(home, phone(999), "in between"));
  await ticking;
  const [{ batches, n }] = (await lanes.rows<{ batches: number; n: number }>(
    "select count(distinct finished_at)::int as batches, count(*)::int as n from runs_history where organization = $1",
    [home.id],
  )) as [{ batches: number; n: number }];
  expect(n).toBe(500);
  expect(batches).toBeGreaterThan(2);
  expect(await timers(home)).toHaveLength(1);
  expect(await brokenInvariants(lanes.pool)).toEqual([]);
});

test("when the engine stops, what is due stays for the next", async () => {
  const home = await lanes.organization();
  await lanes.publish(home, waits({ for: "1h" }));
  await Promise.all(Array.from({ length: 500 }, (_, n) => receive(home, phone(n), `m${n}`)));
  await overdue(home);
  const brief = lanes.engine();
  const once = new AbortController();
  const running = brief.poller.run(once.signal);
  once.abort();
  await running;
  await brief.stop();
  expect((await timers(home)).length).toBeGreaterThan(0);
  await engine.tick();
  expect(await timers(home)).toEqual([]);
});

describe("a snooze", () => {
  const snoozed = async (home: Home) => {
    const { conversation } = await receive(home);
    resultOf(
      await engine.submit(
        command(home, "conversation.snooze", { conversation, until: new Date(Date.now() + 3_600_000).toISOString() }),
      ),
    );
    return conversation as string;
  };
  const status = async (conversation: string) =>
    (
      await lanes.rows<{ status: string; wake_at: string | null }>(
        "select status, wake_at from conversations where id = $1",
        [conversation],
      )
    )[0];

  test("is over when its instant has come, and wakes once", async () => {
    const home = await lanes.organization();
    const conversation = await snoozed(home);
    await engine.tick();
    expect((await status(conversation))?.status).toBe("snoozed");
    await lanes.rows(
      "update conversations set wake_at = wake_at - interval '1 day', snoozed_until = snoozed_until - interval '1 day' where id = $1",
      [conversation],
    );
    await engine.tick();
    expect(await status(conversation)).toEqual({ status: "open", wake_at: null });
    expect(
      await lanes.rows(
        "select count(*)::int as n from log, json_array_elements(events) e where organization = $1 and e ->> 'type' = 'conversation.reopened'",
        [home.id],
      ),
    ).toEqual([{ n: 1 }]);
  });

  test("that wakes too early sleeps on", async () => {
    const home = await lanes.organization();
    const conversation = await snoozed(home);
    const [{ until }] = (await lanes.rows<{ until: string }>(
      "select snoozed_until as until from conversations where id = $1",
      [conversation],
    )) as [{ until: string }];
    await lanes.rows("update conversations set wake_at = clock_timestamp() - interval '1 minute' where id = $1", [
      conversation,
    ]);
    await engine.tick();
    expect(await status(conversation)).toEqual({ status: "snoozed", wake_at: until });
  });
});

test("polling finds nothing to do and does nothing", async () => {
  const metrics = createMetrics();
  const idle = lanes.engine({ metrics });
  await engine.tick();
  await idle.tick();
  await idle.tick();
  const { values } = await metrics.batchItems.get();
  expect(values.find(({ metricName }) => metricName?.endsWith("_count"))?.value ?? 0).toBe(0);
  expect([...engine.faults, ...idle.faults]).toEqual([]);
});
