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

test("publishing anew drops no time trigger that is due and not yet true", async () => {
  const when = { field: "conversation.tags", op: "contains", value: "vip" };
  const tagging = (name: string, text: string, hours = "2h") => ({
    name,
    kind: "automatic",
    triggers: [{ time: { since: "conversation.waiting_since", for: hours }, when }],
    start: "tag",
    steps: { tag: { action: "conversation.add_tags", input: { tags: [text] } } },
  });
  const names = ["kept", "other"];
  for (const name of names) await api.call("POST", "/workflows?publish=true", { body: tagging(name, `${name}-old`) });
  const { json } = await api.call("POST", "/channels/api/messages", { body: { from: "vip", text: "hello?" } });
  const { conversation } = json.result;
  const dueAt = new Date(Date.now() + 50).toISOString();
  await api.server.database.pool.query(
    "update conversations set waiting_since = $2::timestamptz - interval '2 hours', wake_at = $2 where id = $1",
    [conversation, dueAt],
  );
  // due by now and looked at, but not true
  const wakeAt = async () =>
    (await api.server.database.pool.query("select wake_at from conversations where id = $1", [conversation])).rows[0]
      .wake_at;
  await expect.poll(wakeAt, { timeout: 20_000 }).toBeNull();
  await api.call("PUT", "/workflows/kept", { body: tagging("kept", "kept-new") });
  await api.call("PUT", "/workflows/other", { body: tagging("other", "other-new", "1h") });
  for (const name of names) expect((await api.call("POST", `/workflows/${name}/publish`)).json.created).toBe(true);
  await api.call("POST", `/conversations/${conversation}/add_tags`, { body: { tags: ["vip"] } });
  await expect.poll(() => tagsOf(conversation), { timeout: 20_000 }).toContain("kept-new");
  expect((await tagsOf(conversation)).filter((tag) => /old|other/.test(tag))).toEqual([]);
});
