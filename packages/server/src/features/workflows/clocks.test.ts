import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestApi, type TestApi } from "../../testing/test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const escalate = (name: string) => ({
  name,
  kind: "automatic",
  triggers: [{ time: { since: "conversation.waiting_since", for: "2h" } }],
  start: "tag",
  steps: { tag: { action: "conversation.add_tags", input: { tags: [name] } } },
});

const tagsOf = async (conversation: string): Promise<string[]> => {
  const { json } = await api.call("GET", `/conversations/${conversation}`);
  return json.tags ?? json.conversation.tags;
};

/** As if the customer had written that long ago; the log keeps the true instant, which this test does not read. */
const waitedSince = (conversation: string, hours: number) =>
  api.server.database.pool.query(
    "update conversations set waiting_since = clock_timestamp() - make_interval(hours => $2) where id = $1",
    [conversation, hours],
  );

test("a published time trigger minds what falls due from then on, and what was overdue only when asked", async () => {
  const old = await api.call("POST", "/channels/api/messages", { body: { from: "old", text: "hello?" } });
  const conversation = old.json.result.conversation;
  await waitedSince(conversation, 5);
  await api.call("POST", "/workflows", { body: escalate("fresh-only") });
  const first = await api.call("POST", "/workflows/fresh-only/publish");
  expect(first.json).toMatchObject({ created: true, clocks: 1 });
  await api.call("POST", "/workflows", { body: escalate("overdue-too") });
  await api.call("POST", "/workflows/overdue-too/publish", { body: { overdue: "include" } });
  await expect.poll(() => tagsOf(conversation), { timeout: 10_000 }).toEqual(["overdue-too"]);

  const young = await api.call("POST", "/channels/api/messages", { body: { from: "young", text: "hello?" } });
  const other = young.json.result.conversation;
  const { rows } = await api.server.database.pool.query(
    "select wake_at, waiting_since from conversations where id = $1",
    [other],
  );
  expect(Date.parse(rows[0].wake_at) - Date.parse(rows[0].waiting_since)).toBe(7_200_000);
});
