import { describe, expect, test } from "vitest";
import { type Admitted, batchLimits, LaneQueue, type WorkClass } from "./admission.ts";
import { freshId } from "./fresh-id.ts";
import { EngineFault } from "./port.ts";
import { Waiting, weigh } from "./waiting.ts";

const waiting = (work: WorkClass, since = 0): Admitted => ({
  place: { lane: 1, organization: "o" },
  id: freshId(),
  command: { type: "t", actor: { kind: "system", id: null }, input: {} },
  work,
  since,
  resolve: () => {},
  reject: () => {},
});
const many = (work: WorkClass, count: number): Admitted[] => Array.from({ length: count }, (_, n) => waiting(work, n));

/** Lets a queue run in which interactive work never ends; answers the seconds that each class had. */
function race(rounds: number, seconds: { readonly [K in WorkClass]: number }): { [K in WorkClass]: number } {
  const queue = new LaneQueue();
  const had = { interactive: 0, bulk: 0 };
  const [one, other] = [waiting("interactive"), waiting("bulk")];
  for (let round = 0; round < rounds; round += 1) {
    while (queue.interactive.length < 20) queue.interactive.push(one);
    while (queue.bulk.length < 100) queue.bulk.push(other);
    const taken = queue.take();
    const work = taken.admitted[0]?.work as WorkClass;
    if (taken.admitted.some((each) => each.work !== work)) throw new Error("two classes in one batch");
    had[work] += seconds[work];
    queue.spent(taken, seconds[work]);
  }
  return had;
}

describe("bulk work", () => {
  test.each([
    { interactive: 0.1, bulk: 0.02 },
    { interactive: 0.1, bulk: 0.4 },
    { interactive: 0.005, bulk: 0.02 },
  ])("has a quarter of the time while interactive work never ends, whatever a batch takes: %j", (seconds) => {
    const had = race(4000, seconds);
    expect(had.bulk / (had.bulk + had.interactive)).toBeCloseTo(0.25, 2);
  });

  test("goes after those who wait, and alone it has all the time and owes nothing for it", () => {
    const queue = new LaneQueue();
    queue.bulk.push(...many("bulk", 500));
    for (let n = 0; n < 5; n += 1) {
      const taken = queue.take();
      expect(taken.admitted).toHaveLength(batchLimits.bulk);
      queue.spent(taken, 10);
    }
    queue.interactive.push(...many("interactive", 2));
    const first = queue.take();
    expect(first.admitted.map((each) => each.work)).toEqual(["interactive", "interactive"]);
    queue.interactive.push(waiting("interactive"));
    queue.spent(first, 0.003);
    expect(queue.take().admitted[0]?.work).toBe("bulk");
  });

  test("a batch of what is due alone changes nobody's share", () => {
    const queue = new LaneQueue();
    queue.spent({ admitted: [], settlements: [] }, 100);
    queue.bulk.push(waiting("bulk"));
    queue.interactive.push(waiting("interactive"));
    expect(queue.take().admitted[0]?.work).toBe("interactive");
  });
});

test("whoever waits for too long is taken out, and nobody else", () => {
  const queue = new LaneQueue();
  queue.interactive.push(...many("interactive", 10));
  queue.bulk.push(...many("bulk", 10));
  expect(queue.oldest("interactive")).toBe(0);
  expect(queue.takeOlder(4).admitted.map((each) => each.since)).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
  expect(queue.oldest("bulk")).toBe(4);
  expect(queue.takeOlder(Infinity).admitted).toHaveLength(12);
  expect([queue.empty, queue.oldest("bulk")]).toEqual([true, null]);
});

describe("what waits in a process", () => {
  const input = { text: "x".repeat(10_000) };
  const fill = (room: Waiting, lane: number, work: WorkClass): (() => void)[] => {
    const leaves: (() => void)[] = [];
    for (;;) {
      try {
        leaves.push(room.admit(lane, work, input));
      } catch (error) {
        expect(error).toBeInstanceOf(EngineFault);
        expect((error as EngineFault).code).toBe("overloaded");
        return leaves;
      }
    }
  };

  test("is about as heavy as it is long", () => {
    for (const value of ["some text", { a: [1, "two", { three: "x".repeat(500) }] }, input])
      expect(Math.abs(weigh(value) - JSON.stringify(value).length)).toBeLessThan(30);
  });

  test("one lane has a fifth at most, bulk work less, and the next lane always finds room", () => {
    const room = new Waiting(10_000_000);
    const before = fill(room, 1, "bulk");
    expect(room.bytes).toBeLessThan(600_000);
    for (const leave of before) leave();
    expect(room.bytes).toBe(0);
    const first = fill(room, 1, "interactive");
    expect(room.bytes).toBeGreaterThan(1_900_000);
    expect(room.bytes).toBeLessThan(2_050_000);
    for (let lane = 2; lane < 14; lane += 1) expect(fill(room, lane, "interactive").length).toBeGreaterThan(10);
    expect(room.bytes).toBeLessThan(10_000_000);
    const [leave] = first as [() => void];
    const full = room.bytes;
    leave();
    leave();
    expect(full - room.bytes).toBeLessThan(12_000);
  });
});
