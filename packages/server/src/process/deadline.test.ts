import { expect, test } from "vitest";
import { within } from "./deadline.ts";

const never = new Promise<void>(() => {});

test("work that ends in time is done; what does not is given up", async () => {
  expect(await within(60_000, Promise.resolve())).toBe(true);
  expect(await within(5, never)).toBe(false);
});

test("a failure in time is thrown; a later one disturbs nobody", async () => {
  await expect(within(60_000, Promise.reject(new Error("broke")))).rejects.toThrow("broke");
  let fail = (_error: Error): void => {};
  const later = new Promise<void>((_resolve, reject) => (fail = reject));
  expect(await within(5, later)).toBe(false);
  fail(new Error("too late"));
  await new Promise((resolve) => setImmediate(resolve));
});
