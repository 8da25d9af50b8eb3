import { expect, test } from "vitest";
import { inSets } from "./in-sets.ts";

test("what is given while a set is under way goes with the next, and each hears of its own", async () => {
  const sets: number[][] = [];
  const ends: (() => void)[] = [];
  const carry = inSets<number>(async (set) => {
    sets.push([...set]);
    await new Promise<void>((resolve) => ends.push(resolve));
    if (set.includes(3)) throw new Error("no");
  });
  const end = async (): Promise<void> => {
    await expect.poll(() => ends.length).toBe(1);
    ends.pop()?.();
  };
  const first = [carry(1), carry(2)];
  await expect.poll(() => sets).toEqual([[1, 2]]);
  const second = Promise.allSettled([carry(3), carry(4)]);
  await end();
  await Promise.all(first);
  await end();
  expect((await second).map((each) => each.status)).toEqual(["rejected", "rejected"]);
  const third = carry(5);
  await end();
  await third;
  expect(sets).toEqual([[1, 2], [3, 4], [5]]);
});
