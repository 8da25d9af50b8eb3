import fc from "fast-check";
import { expect, test } from "vitest";
import { inTimeOrder, play, type Playing } from "./play.ts";
import { quantile } from "./quantile.ts";
import type { RecordedConversation } from "./recording.ts";

const conversation = (id: string, ...times: number[]): RecordedConversation => ({
  id,
  messages: times.map((atMs, at) => ({ from: "customer", atMs, text: `${id}${at}` })),
});
const texts = (conversations: RecordedConversation[]) => inTimeOrder(conversations).map(({ message }) => message.text);
const still = { nowMs: () => 0, sleep: async () => {} };

test("orders the messages of all conversations by time, and keeps the order within one", () => {
  expect(texts([conversation("a", 10, 30), conversation("b", 20, 40)])).toEqual(["a0", "b0", "a1", "b1"]);
  expect(texts([conversation("a", 30, 10), conversation("b", 20)])).toEqual(["b0", "a0", "a1"]);
  expect(texts([conversation("a", 5, 5), conversation("b", 5)])).toEqual(["a0", "a1", "b0"]);
});

test("sends each once, in the order of its conversation, and never more than allowed at once", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.nat(50), { maxLength: 6 }), { maxLength: 8 }),
      fc.integer({ min: 1, max: 5 }),
      fc.scheduler(),
      async (times, parallel, s) => {
        const turns = inTimeOrder(times.map((each, at) => conversation(`c${at}-`, ...each)));
        const done: string[] = [];
        let underWay = 0;
        let most = 0;
        const playing = play(turns, {
          parallel,
          signal: new AbortController().signal,
          clock: still,
          async send({ message }) {
            most = Math.max(most, (underWay += 1));
            await s.schedule(Promise.resolve(), message.text);
            done.push(message.text);
            underWay -= 1;
          },
        });
        await s.waitFor(playing);
        expect(done.toSorted()).toEqual(turns.map(({ message }) => message.text).toSorted());
        expect(most).toBeLessThanOrEqual(parallel);
        for (const [at, each] of times.entries()) {
          const own = done.filter((text) => text.startsWith(`c${at}-`));
          expect(own).toEqual(each.map((_, n) => `c${at}-${n}`));
        }
      },
    ),
  );
});

const quick = (given: Partial<Playing>): Playing => ({
  parallel: 2,
  signal: new AbortController().signal,
  clock: still,
  send: async () => {},
  ...given,
});

test("keeps to the recorded times, so many times faster", async () => {
  let now = 1000;
  const sentAt: number[] = [];
  const clock = {
    nowMs: () => now,
    async sleep(ms: number) {
      // what is under way comes first, as it would
      await new Promise((resolve) => setImmediate(resolve));
      now += ms;
    },
  };
  await play(
    inTimeOrder([conversation("a", 0, 6000), conversation("b", 3000)]),
    quick({ speed: 3, clock, send: async () => void sentAt.push(now) }),
  );
  expect(sentAt).toEqual([1000, 2000, 3000]);
});

test("throws what broke first, after those under way; and stops when told", async () => {
  const sent: string[] = [];
  const send: Playing["send"] = async ({ message }) => {
    sent.push(message.text);
    if (message.text === "a0") throw new Error("broken");
  };
  await expect(play(inTimeOrder([conversation("a", 1, 2, 3, 4)]), quick({ send, parallel: 1 }))).rejects.toThrow(
    "broken",
  );
  expect(sent).toEqual(["a0"]);

  const abort = new AbortController();
  const seen: string[] = [];
  await play(
    inTimeOrder([conversation("a", 1, 2, 3)]),
    quick({
      parallel: 1,
      signal: abort.signal,
      async send({ message }) {
        seen.push(message.text);
        abort.abort();
      },
    }),
  );
  expect(seen).toEqual(["a0"]);
});

test("quantiles by nearest rank", () => {
  const hundred = Array.from({ length: 100 }, (_, at) => 100 - at);
  expect([quantile(hundred, 0.5), quantile(hundred, 0.99), quantile(hundred, 1)]).toEqual([50, 99, 100]);
  expect([quantile([7.126], 0.5), quantile([], 0.5)]).toEqual([7.13, 0]);
});
