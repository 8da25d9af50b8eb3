import { expect, test } from "vitest";
import { manualClock } from "./clock.ts";
import { backoffMs, loop } from "./running.ts";
import type { LoopFailure, LoopOptions } from "./running.ts";

const start = "2026-11-20T17:00:00.000Z";

/** A loop whose ticks play `script` (a number done, or an error) and note when they ran. */
function scripted(script: (number | Error)[], given: Partial<LoopOptions> = {}) {
  const clock = manualClock(start);
  const ticks: number[] = [];
  const failures: LoopFailure[] = [];
  const service = loop({
    name: "test",
    idleMs: 100,
    maxIdleMs: 400,
    backoff: { baseMs: 1000, maxMs: 4000 },
    random: () => 0,
    clock,
    onError: (_error, failure) => failures.push(failure),
    async tick() {
      ticks.push(Date.parse(clock.now()) - Date.parse(start));
      const next = script.shift() ?? 0;
      if (next instanceof Error) throw next;
      return next;
    },
    ...given,
  });
  const stop = new AbortController();
  return { clock, ticks, failures, service, stop, ended: service.run(stop.signal) };
}

test("idle sleeps double up to their limit and start over after work", async () => {
  const l = scripted([0, 0, 0, 0, 5, 0]);
  await l.clock.advance(1300);
  expect(l.ticks).toEqual([0, 100, 300, 700, 1100, 1100, 1200]);
  l.stop.abort();
  await l.ended;
});

test("a wake-up cuts the idle sleep and resets it", async () => {
  const l = scripted([]);
  await l.clock.advance(350);
  l.service.wake();
  await l.clock.advance(100);
  expect(l.ticks).toEqual([0, 100, 300, 350, 450]);
  l.stop.abort();
  await l.ended;
});

test("a wake-up during a tick is not lost", async () => {
  let release = () => {};
  const clock = manualClock(start);
  let ticks = 0;
  const l = scripted([], {
    clock,
    tick: () => {
      ticks += 1;
      if (ticks > 1) return Promise.resolve(0);
      return new Promise((resolve) => (release = () => resolve(0)));
    },
  });
  l.service.wake();
  release();
  await clock.whenSleeping();
  expect(ticks).toBe(2);
  l.stop.abort();
  await l.ended;
});

test("errors are told, back off with jitter, and are forgotten after a good tick", async () => {
  const l = scripted([new Error("a"), new Error("b"), new Error("c"), new Error("d"), 1, new Error("e")]);
  await l.clock.advance(8000);
  expect(l.failures).toEqual([
    { loop: "test", failures: 1, retryInMs: 500 },
    { loop: "test", failures: 2, retryInMs: 1000 },
    { loop: "test", failures: 3, retryInMs: 2000 },
    { loop: "test", failures: 4, retryInMs: 2000 },
    { loop: "test", failures: 1, retryInMs: 500 },
  ]);
  expect(l.ticks.slice(0, 6)).toEqual([0, 500, 1500, 3500, 5500, 5500]);
  l.stop.abort();
  await l.ended;
});

test("a wake-up does not cut a back-off", async () => {
  const l = scripted([new Error("a")]);
  await l.clock.whenSleeping();
  l.service.wake();
  await l.clock.advance(499);
  expect(l.ticks).toEqual([0]);
  await l.clock.advance(1);
  expect(l.ticks).toEqual([0, 500]);
  l.stop.abort();
  await l.ended;
});

test("stopping ends an idle sleep, a back-off and a tick, and the tick's own error is no failure", async () => {
  for (const script of [[0], [new Error("a")]]) {
    const l = scripted(script);
    await l.clock.whenSleeping();
    l.stop.abort();
    await l.ended;
    expect(l.clock.sleeping()).toBe(0);
  }
  const l = scripted([], {
    tick: (signal) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("cut off")))),
  });
  l.stop.abort();
  await l.ended;
  expect(l.failures).toEqual([]);
});

test("a signal that is already aborted means no tick; a second run at once is refused, a later one is not", async () => {
  const l = scripted([]);
  await expect(l.service.run(new AbortController().signal)).rejects.toThrow("already runs");
  l.stop.abort();
  await l.ended;
  const before = l.ticks.length;
  await l.service.run(AbortSignal.abort());
  expect(l.ticks.length).toBe(before);
});

test("a source of wake-ups is subscribed to only while the loop runs", async () => {
  const subscribed = new Set<() => void>();
  const l = scripted([], {
    wake: (wake) => {
      subscribed.add(wake);
      return () => subscribed.delete(wake);
    },
  });
  await l.clock.whenSleeping();
  for (const wake of subscribed) wake();
  await l.clock.advance(0);
  expect(l.ticks).toEqual([0, 0]);
  l.stop.abort();
  await l.ended;
  expect(subscribed.size).toBe(0);
});

test("back-off stays between half its span and its limit", () => {
  const backoff = { baseMs: 100, maxMs: 5000 };
  expect(backoffMs(backoff, 1, 0)).toBe(50);
  expect(backoffMs(backoff, 1, 0.999)).toBe(100);
  expect(backoffMs(backoff, 4000, 0.9999)).toBe(5000);
});
