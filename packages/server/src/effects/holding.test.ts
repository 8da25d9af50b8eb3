import { expect, test } from "vitest";
import type { Claimed } from "./claim.ts";
import { beginWithinMs, Holding } from "./holding.ts";

const held = (kind: string, since = 0) => ({ claimed: { kind } as Claimed, since });

test("as much is held as was performed in two seconds of late, and twice what may be under way at the least", () => {
  let now = 0;
  const holding = new Holding(10, () => now);
  expect([holding.room, holding.wants]).toEqual([20, true]);
  // what is born leaves half to those who have waited for longer
  for (let n = 0; n < 10; n += 1) expect(holding.reserve(true)).toBe(true);
  expect(holding.reserve(true)).toBe(false);
  for (let n = 0; n < 10; n += 1) expect(holding.reserve()).toBe(true);
  expect([holding.reserve(), holding.wants, holding.taken]).toEqual([false, false, 20]);
  holding.performed(20);
  expect(holding.room).toBe(40);
  // a second later the pace of the last one counts, and after a rest none
  now = 1500;
  expect(holding.room).toBe(40);
  now = 3000;
  expect(holding.room).toBe(20);
  for (let n = 0; n < 10_000; n += 1) holding.reserve();
  holding.performed(10_000);
  expect(holding.room + holding.taken).toBe(4096);
});

test("waits for more until little waits here", () => {
  const holding = new Holding(10, () => 0);
  for (let n = 0; n < 6; n += 1) holding.reserve();
  holding.put(Array.from({ length: 6 }, () => held("a")));
  expect(holding.wants).toBe(false);
  expect(holding.take(1)).toHaveLength(1);
  expect(holding.wants).toBe(true);
});

test("hands out what waits in its order, of one kind at a time, and nothing more once it is closed", () => {
  const holding = new Holding(10, () => 0);
  for (let n = 0; n < 5; n += 1) holding.reserve();
  holding.put([held("a"), held("a"), held("a"), held("b"), held("a")]);
  const kinds = (most: number) => holding.take(most).map(({ claimed }) => claimed.kind);
  expect([kinds(2), kinds(2), kinds(9)]).toEqual([["a", "a"], ["a"], ["b"]]);
  expect(holding.close()).toHaveLength(1);
  expect([holding.room, holding.reserve(), holding.waiting]).toEqual([0, false, 0]);
});

test("nothing is begun when its lease is half over", () => {
  let now = 1000;
  const holding = new Holding(1, () => now);
  expect(holding.isFresh(held("a", 1000))).toBe(true);
  now += beginWithinMs;
  expect(holding.isFresh(held("a", 1000))).toBe(false);
});
