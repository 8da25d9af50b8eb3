import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestApi, type TestApi } from "../../testing/test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const stats = async (query = "") => (await api.call("GET", `/stats${query}`)).json;
const receive = (from: string, text: string) => api.call("POST", "/channels/api/messages", { body: { from, text } });

test("counts everything, or what came after an instant", async () => {
  const workflow = {
    name: "Tag",
    kind: "automatic",
    triggers: [{ event: "message.received", when: { field: "message.text", op: "contains", value: "refund" } }],
    start: "tag",
    steps: {
      tag: { action: "conversation.add_tags", input: { tags: ["refund"] }, next: "topic" },
      topic: { action: "conversation.set_topic", input: { topic: "Refunds" } },
    },
  };
  await api.call("POST", "/workflows?publish=true", { body: workflow });
  await receive("ada", "a refund please");
  const all = await stats();
  expect(all).toMatchObject({ messages: 1, conversations: 1, runs: 1, steps: 2 });

  expect(await stats(`?since=${all.at}`)).toMatchObject({
    messages: 0,
    conversations: 0,
    events: 0,
    runs: 0,
    steps: 0,
  });
  await receive("ada", "another refund");
  await receive("bob", "hello");
  const later = await stats(`?since=${all.at}`);
  expect(later).toMatchObject({ messages: 2, conversations: 1, runs: 1, steps: 2 });
  const { items } = (await api.call("GET", "/events?limit=100")).json;
  expect((await stats()).events).toBe(items.length);
  expect((await stats("?since=1969-07-20T20:17:40.000Z")).events).toBe(items.length);
  expect(all.events + later.events).toBe(items.length);
});

test.each(["yesterday", "2026-11-20T23:59:60Z"])("refuses what is no instant: %s", async (since) => {
  expect(await api.call("GET", `/stats?since=${since}`)).toMatchObject({ status: 422, json: { path: "/since" } });
});

test.each(["1970-01-01T00:00:00+05:00", "2026-11-20t00:00:00z"])(
  "takes an instant in other words: %s",
  async (since) => {
    expect(await api.call("GET", `/stats?since=${encodeURIComponent(since)}`)).toMatchObject({ status: 200 });
  },
);

test("counts messages and runs by day; today's follow within moments", async () => {
  const all = await stats();
  const today = async () => (await api.call("GET", "/stats/days?days=3")).json;
  await expect
    .poll(async () => (await today()).days.at(-1), { timeout: 30_000 })
    .toMatchObject({ messages: all.messages, runs: all.runs });
  const { days, as_of } = await today();
  expect(days).toHaveLength(3);
  expect(days.slice(0, 2)).toMatchObject([
    { messages: 0, runs: 0 },
    { messages: 0, runs: 0 },
  ]);
  expect(days.map(({ day }: { day: string }) => day)).toEqual([2, 1, 0].map((ago) => dayBefore(as_of, ago)));
  expect(as_of >= all.at).toBe(true);
  expect((await api.call("GET", "/stats/days")).json.days).toHaveLength(30);
  expect(await api.call("GET", "/stats/days?days=401")).toMatchObject({ status: 422 });
});

const dayBefore = (instant: string, days: number): string =>
  new Date(Date.parse(instant) - days * 86_400_000).toISOString().slice(0, 10);
