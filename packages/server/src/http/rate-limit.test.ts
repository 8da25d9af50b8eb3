import fc from "fast-check";
import { expect, test } from "vitest";
import { rateLimit } from "./rate-limit.ts";

test("lets a burst through, then as much as it fills, and says when the next one may come", () => {
  let now = 0;
  const limit = rateLimit({ perSecond: 2, burst: 3 }, () => now);
  expect([1, 2, 3, 4].map(() => limit.take("a"))).toEqual([0, 0, 0, 1]);
  expect(limit.take("b")).toBe(0);
  now = 500;
  expect([limit.take("a"), limit.take("a")]).toEqual([0, 1]);
  // a clock that is set back takes nothing away
  now = 0;
  expect(limit.take("a")).toBe(1);
  now = 60_000;
  expect([1, 2, 3, 4].map(() => limit.take("a"))).toEqual([0, 0, 0, 1]);
  expect(rateLimit({ perSecond: 0.1, burst: 0.5 }, () => 0).take("slow")).toBe(5);
});

test("in no stretch of time more than the burst and what filled meanwhile; whoever waits as told gets through", () => {
  const steps = fc.array(fc.nat(700), { minLength: 1, maxLength: 100 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 10 }), (gaps, perSecond, burst) => {
      let now = 0;
      const limit = rateLimit({ perSecond, burst }, () => now);
      const taken: number[] = [];
      for (const gap of gaps) {
        now += gap;
        const seconds = limit.take("a");
        if (seconds === 0) taken.push(now);
        else {
          now += seconds * 1000;
          expect(limit.take("a")).toBe(0);
          taken.push(now);
        }
      }
      for (const [n, from] of taken.entries()) {
        for (const [m, to] of taken.slice(n).entries())
          expect(m + 1).toBeLessThanOrEqual(burst + ((to - from) / 1000) * perSecond + 1e-6);
      }
    }),
  );
});

test("a flood of callers fills no memory and does not free one that is busy", () => {
  const limit = rateLimit({ perSecond: 1, burst: 1 }, () => 0);
  for (let n = 0; n < 9999; n++) limit.take(`caller-${n}`);
  limit.take("busy");
  expect(limit.take("busy")).toBe(1);
  for (let n = 0; n < 9000; n++) limit.take(`other-${n}`);
  expect(limit.take("busy")).toBe(1);
});
