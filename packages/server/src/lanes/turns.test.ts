import { expect, test } from "vitest";
import { TurnMissed, Turns } from "./turns.ts";

test("turns come one at a time, in the order in which they were asked for", async () => {
  const turns = new Turns();
  const order: number[] = [];
  let busy = 0;
  await Promise.all(
    Array.from({ length: 5 }, async (_, n) => {
      const end = await turns.take(Infinity);
      busy += 1;
      expect(busy).toBe(1);
      order.push(n);
      await new Promise((resolve) => setImmediate(resolve));
      busy -= 1;
      end();
      // a second time means nothing
      end();
    }),
  );
  expect(order).toEqual([0, 1, 2, 3, 4]);
});

test("whoever has no patience left goes away, and the next one comes in its place", async () => {
  const turns = new Turns();
  const end = await turns.take(Infinity);
  const impatient = turns.take(5);
  const patient = turns.take(Infinity);
  await expect(impatient).rejects.toBeInstanceOf(TurnMissed);
  end();
  (await patient)();
  (await turns.take(0))();
});
