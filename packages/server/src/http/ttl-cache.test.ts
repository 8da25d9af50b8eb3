import { expect, test } from "vitest";
import { ttlCache } from "./ttl-cache.ts";

function setUp() {
  let now = 0;
  const loads: { key: string; give: (value: string) => void; fail: (error: Error) => void }[] = [];
  const cache = ttlCache<string>({
    load: (key) => new Promise((give, fail) => loads.push({ key, give, fail })),
    ttlMs: 100,
    most: 3,
    nowMs: () => now,
  });
  return { cache, loads, pass: (ms: number) => (now += ms) };
}

test("those who ask within the time share one load", async () => {
  const { cache, loads, pass } = setUp();
  const answers = [cache.get("a"), cache.get("a")];
  loads[0]?.give("A");
  pass(99);
  answers.push(cache.get("a"));
  expect(await Promise.all(answers)).toEqual(["A", "A", "A"]);
  pass(1);
  void cache.get("a");
  expect(loads.length).toBe(2);
});

test("what failed is asked anew", async () => {
  const { cache, loads } = setUp();
  const first = cache.get("a");
  loads[0]?.fail(new Error("no"));
  await expect(first).rejects.toThrow("no");
  const second = cache.get("a");
  loads[1]?.give("A");
  expect(await second).toBe("A");
});

test("a load that was under way when it was forgotten is not kept", async () => {
  const { cache, loads } = setUp();
  const old = cache.get("a");
  cache.forget("a");
  const fresh = cache.get("a");
  loads[0]?.give("old");
  loads[1]?.give("fresh");
  expect([await old, await fresh, await cache.get("a")]).toEqual(["old", "fresh", "fresh"]);
});

test("a flood of keys does not fill memory", () => {
  const { cache, loads } = setUp();
  for (const key of ["a", "b", "c", "d", "a"]) void cache.get(key);
  expect(loads.map((one) => one.key)).toEqual(["a", "b", "c", "d", "a"]);
});

test("a flood of keys that nobody asks for again leaves what is in use where it is", () => {
  const { cache, loads } = setUp();
  for (const key of ["real", "a", "real", "b", "real", "c", "real", "d", "e", "real"]) void cache.get(key);
  expect(loads.map((one) => one.key)).toEqual(["real", "a", "b", "c", "d", "e"]);
});
