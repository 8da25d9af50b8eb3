import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestApi, type TestApi } from "../../testing/test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const secret = "+15552223344";

test("erasing a customer leaves nothing personal in any table, and what happened stays", async () => {
  await api.call("POST", "/workflows?publish=true", {
    body: {
      name: "Echo",
      kind: "automatic",
      triggers: [{ event: "message.received" }],
      start: "reply",
      steps: { reply: { action: "message.send", input: { text: "You said: {{ message.text }}" } } },
    },
  });
  const received = await api.call("POST", "/channels/sms/messages", {
    body: { from: secret, text: "my number is 5552223344", first_name: "Zebulon" },
  });
  expect(received.status).toBe(201);
  const { customer, conversation } = received.json.result;
  await expect.poll(async () => (await api.call("GET", "/deliveries")).json.items, { timeout: 10_000 }).toHaveLength(1);
  // somebody who was merged into the customer held the same person's data
  const other = await api.call("POST", "/customers", {
    body: { email: "zebulon@example.test", first_name: "Zebulon" },
  });
  await api.call("POST", `/customers/${other.json.result.customer}/merge`, { body: { into: customer } });

  const erased = await api.call("POST", `/customers/${customer}/erase`);
  expect(erased.json.result).toMatchObject({ changed: true, erase_pending: true });
  const left = () =>
    api.server.database.pool.query("select count(*) as left from effects where kind = 'customer.blank'");
  await expect.poll(async () => (await left()).rows[0].left, { timeout: 10_000 }).toBe(0);

  const tables = [
    "customers",
    "addresses",
    "conversations",
    "messages",
    "log",
    "runs",
    "runs_history",
    "effects",
    "recorded_deliveries",
    "receipts",
  ];
  for (const table of tables) {
    const { rows } = await api.server.database.pool.query(
      `select count(*) as found from ${table} t where to_jsonb(t)::text ~* '5552223344|zebulon'`,
    );
    expect([table, rows[0].found]).toEqual([table, 0]);
  }
  const events = await api.call("GET", `/events?conversation=${conversation}`);
  expect(events.json.items.map((event: { type: string }) => event.type)).toEqual(
    expect.arrayContaining(["conversation.opened", "message.received", "message.sent"]),
  );
  const runs = await api.call("GET", `/runs?subject=${conversation}`);
  expect(runs.json.items).toHaveLength(1);
});
