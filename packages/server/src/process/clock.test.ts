import { expect, test } from "vitest";
import { manualClock, systemClock } from "./clock.ts";

const start = "2026-11-20T17:00:00.000Z";

test("the system clock reads fixed-width instants", () => {
  expect(systemClock.now()).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test("a system sleep ends at once when its signal is or becomes aborted", async () => {
  const stop = new AbortController();
  const sleeping = systemClock.sleep(1e12, stop.signal);
  stop.abort();
  await expect(sleeping).resolves.toBeUndefined();
  await expect(systemClock.sleep(1e12, stop.signal)).resolves.toBeUndefined();
  await expect(systemClock.sleep(-1)).resolves.toBeUndefined();
});

test("a manual clock wakes sleepers in order and at their own instants", async () => {
  const clock = manualClock(start);
  const seen: string[] = [];
  const note = (name: string, ms: number) =>
    clock.sleep(ms).then(() => seen.push(`${name} ${clock.now().slice(17, 23)}`));
  const all = [note("c", 3000), note("a", 1000), note("b", 1000), note("z", 9000)];
  await clock.advance(5000);
  expect(seen).toEqual(["a 01.000", "b 01.000", "c 03.000"]);
  expect(clock.now()).toBe("2026-11-20T17:00:05.000Z");
  expect(clock.sleeping()).toBe(1);
  await clock.advance(4000);
  await Promise.all(all);
  expect(seen.at(-1)).toBe("z 09.000");
});

test("a sleeper that sleeps again within the span is woken again", async () => {
  const clock = manualClock(start);
  let rounds = 0;
  void (async () => {
    for (;;) {
      await clock.sleep(1000);
      rounds += 1;
    }
  })();
  await clock.advance(3500);
  expect(rounds).toBe(3);
});

test("aborting a manual sleep ends it and forgets it", async () => {
  const clock = manualClock(start);
  const stop = new AbortController();
  const sleeping = clock.sleep(1000, stop.signal);
  stop.abort();
  await sleeping;
  await clock.sleep(1000, stop.signal);
  expect(clock.sleeping()).toBe(0);
});

test("whenSleeping resolves once enough sleeps are under way", async () => {
  const clock = manualClock(start);
  let ready = false;
  const waiting = clock.whenSleeping(2).then(() => (ready = true));
  void clock.sleep(10);
  await clock.whenSleeping();
  expect(ready).toBe(false);
  void clock.sleep(5);
  await waiting;
  expect(ready).toBe(true);
});
