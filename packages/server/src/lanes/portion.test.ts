import fc from "fast-check";
import { expect, test } from "vitest";
import type { Admitted, Settlement } from "./admission.ts";
import { dueKinds } from "./park.ts";
import { divide, type Portion, type Single } from "./portion.ts";

const named = <T>(count: number, prefix: string): T[] =>
  Array.from({ length: count }, (_, n) => ({ id: `${prefix}${n}` }) as T);

const portions = fc
  .record({
    commands: fc.nat(20),
    settlements: fc.nat(20),
    heads: fc.record({ leftovers: fc.nat(8), timers: fc.nat(8), conversations: fc.nat(8), customers: fc.nat(8) }),
  })
  .map(({ commands, settlements, heads }): Portion => ({
    taken: { admitted: named<Admitted>(commands, "c"), settlements: named<Settlement>(settlements, "s") },
    heads,
  }));

/** Takes a portion apart until everything stands alone. */
function takeApart(whole: Portion): Single[] {
  const alone: Single[] = [];
  const waiting = [whole];
  for (let rounds = 0; waiting.length > 0; rounds += 1) {
    expect(rounds).toBeLessThan(1000);
    const division = divide(waiting.shift() as Portion);
    if (division.single !== null) alone.push(division.single);
    else waiting.unshift(...division.parts);
  }
  return alone;
}

test("a portion that is divided again and again ends in single things: what is due first, then each caller in order", () => {
  fc.assert(
    fc.property(portions, (portion) => {
      const alone = takeApart(portion);
      const { admitted, settlements } = portion.taken;
      expect(alone.flatMap((each) => (each.kind === "command" ? [each.command] : []))).toEqual(admitted);
      expect(alone.flatMap((each) => (each.kind === "settlement" ? [each.settlement] : []))).toEqual(settlements);
      // of each kind the first one that is due; the next batches see to the rest
      expect(alone.flatMap((each) => (each.kind === "due" ? [each.due] : []))).toEqual(
        dueKinds.filter((kind) => portion.heads[kind] > 0),
      );
      const firstCaller = alone.findIndex((each) => each.kind !== "due");
      expect(alone.slice(firstCaller === -1 ? alone.length : firstCaller).some((each) => each.kind === "due")).toBe(
        false,
      );
    }),
  );
});

test("where only a half of what is due is tried, the rest remains due", () => {
  const heads = { leftovers: 0, timers: 5, conversations: 0, customers: 0 };
  const nobody = { admitted: [], settlements: [] };
  expect(divide({ taken: nobody, heads })).toEqual({
    single: null,
    parts: [{ taken: nobody, heads: { ...heads, timers: 3 } }],
    dueRemains: true,
  });
  expect(divide({ taken: nobody, heads: { ...heads, timers: 0 } })).toEqual({
    single: null,
    parts: [],
    dueRemains: false,
  });
});
