import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApi, type TestApi } from "../../testing/test-api.ts";
import { watchAgain } from "./clocks.ts";

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

test.each(["publish", "enable"])("what fell due while a workflow was off is skipped by %s", async (how) => {
  const name = `off-${how}`;
  const publish = () => api.call("POST", `/workflows/${name}/publish`);
  await api.call("POST", "/workflows?publish=true", { body: escalate(name) });
  await api.call("POST", `/workflows/${name}/disable`);
  const { json } = await api.call("POST", "/channels/api/messages", { body: { from: name, text: "hello?" } });
  const { conversation } = json.result;
  await api.server.database.pool.query(
    "update conversations set waiting_since = clock_timestamp() - interval '2 hours', wake_at = null where id = $1",
    [conversation],
  );
  const asOf = async () => {
    const { rows } = await api.server.database.pool.query(
      "select v.due_from, v.trigger_due_from from workflows w join workflow_versions v on v.lane = w.lane and v.id = w.published where w.slug = $1",
      [name],
    );
    return rows[0];
  };
  const off = new Date().toISOString();
  if (how === "publish") {
    await api.call("PUT", `/workflows/${name}`, { body: { ...escalate(name), limits: { runs_per_day: 1000 } } });
    expect((await publish()).json).toMatchObject({ created: true });
    expect((await asOf()).due_from >= off).toBe(true);
    // nor by publishing the same once more
    await api.call("POST", `/workflows/${name}/disable`);
    const again = new Date().toISOString();
    expect((await publish()).json).toMatchObject({ created: false });
    expect((await asOf()).due_from >= again).toBe(true);
  } else expect((await api.call("POST", `/workflows/${name}/enable`)).status).toBe(200);
  const { due_from, trigger_due_from } = await asOf();
  expect(due_from >= off).toBe(true);
  expect(trigger_due_from).toEqual({});
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

describe("a change of the settings that moves instants", () => {
  const everyDay = (open: string[][]) =>
    Object.fromEntries(["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map((day) => [day, open]));
  const wakeOf = async (conversation: string): Promise<string | null> => {
    const { rows } = await api.server.database.pool.query("select wake_at from conversations where id = $1", [
      conversation,
    ]);
    return rows[0].wake_at;
  };
  const write = async (from: string): Promise<string> =>
    (await api.call("POST", "/channels/api/messages", { body: { from, text: "hello?" } })).json.result.conversation;

  test("a calendar that opens earlier rings the clocks that count by it", async () => {
    // open for a minute a day, and not today or tomorrow
    const holidays = [-1, 0, 1].map((day) => ({
      date: new Date(Date.now() + day * 86_400_000).toISOString().slice(0, 10),
      name: "Closed",
    }));
    const calendar = { zone: "UTC", hours: everyDay([["12:00", "12:01"]]), holidays };
    const made = await api.call("POST", "/calendars", { body: { name: "Office", calendar } });
    expect(made.status).toBe(201);
    const document = {
      ...escalate("by-calendar"),
      triggers: [{ time: { since: "conversation.waiting_since", for: "1s", in: "office" } }],
    };
    expect((await api.call("POST", "/workflows?publish=true", { body: document })).status).toBe(201);
    const conversation = await write("calendar");
    const wake = await wakeOf(conversation);
    expect(Date.parse(wake ?? "")).toBeGreaterThan(Date.now() + 1_800_000);
    const always = { zone: "UTC", hours: everyDay([["00:00", "24:00"]]), holidays: [] };
    expect((await api.call("PATCH", `/calendars/${made.json.id}`, { body: { calendar: always } })).status).toBe(200);
    await expect.poll(() => tagsOf(conversation), { timeout: 20_000 }).toContain("by-calendar");
  });

  test("another zone of the organization lets every clock look again", async () => {
    const conversation = await write("zone");
    await api.server.database.pool.query("update conversations set wake_at = '2100-01-01' where id = $1", [
      conversation,
    ]);
    expect((await api.call("PATCH", "/organization", { body: { name: "Same zone" } })).status).toBe(200);
    expect((await wakeOf(conversation))?.slice(0, 4)).toBe("2100");
    expect((await api.call("PATCH", "/organization", { body: { zone: "Asia/Tokyo" } })).status).toBe(200);
    await expect.poll(async () => (await wakeOf(conversation))?.slice(0, 4), { timeout: 20_000 }).not.toBe("2100");
  });

  test("looks at each clock once, whatever the number of workflows, and not anew while that still waits", async () => {
    const { pool } = api.server.database;
    const { rows: homes } = await pool.query("select lane, organization from organizations");
    const client = await pool.connect();
    try {
      await client.query("begin");
      const workflows = ["a", "b"].map((name) => ({ document: escalate(name) as never }));
      const at = new Date(Date.now() + 3_600_000).toISOString();
      for (let n = 0; n < 2; n += 1) await watchAgain(client, homes[0], workflows, at);
      const { rows } = await client.query(
        "select payload from effects where order_key = 'watch/settings' and due_at = $1",
        [at],
      );
      expect(rows.map((row) => row.payload)).toEqual([{ table: "conversations", field: "waiting_since" }]);
    } finally {
      await client.query("rollback");
      client.release();
    }
  });
});

test("only the workflows that name what was archived are looked at, also those from before names were listed", async () => {
  const team = async (name: string) => (await api.call("POST", "/teams", { body: { name } })).json;
  const [gone, kept] = [await team("Gone"), await team("Kept")];
  const assigning = (name: string, to: string) => ({
    name,
    kind: "automatic",
    triggers: [{ event: "message.received", when: { field: "conversation.team", op: "is", value: to } }],
    start: "done",
    steps: { done: { stop: true } },
  });
  for (const [name, to] of [
    ["names-gone", gone.slug],
    ["names-gone-by-id", gone.id],
    ["names-kept", kept.slug],
  ] as const)
    expect((await api.call("POST", "/workflows?publish=true", { body: assigning(name, to) })).status).toBe(201);
  const { pool } = api.server.database;
  await pool.query("delete from workflow_names");
  await pool.query("update workflows set named = null");
  await api.call("POST", `/teams/${gone.id}/archive`);
  const enabled = async (name: string) => (await api.call("GET", `/workflows/${name}`)).json.enabled;
  expect([await enabled("names-gone"), await enabled("names-gone-by-id"), await enabled("names-kept")]).toEqual([
    false,
    false,
    true,
  ]);
  expect((await pool.query("select 1 from workflows where named is distinct from published")).rows).toEqual([]);
});
