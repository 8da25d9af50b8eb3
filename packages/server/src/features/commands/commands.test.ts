import { commands } from "@threadmill/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApi, type TestApi } from "../../testing/test-api.ts";
import { commandRoutes } from "./table.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const post = (path: string, body: unknown = {}, key?: string) =>
  api.call("POST", path, { body, ...(key !== undefined && { headers: { "idempotency-key": key } }) });
const receive = async (from: string, text = "hello") =>
  (await post("/channels/api/messages", { from, text })).json.result;

test("every command has one place", () => {
  expect(commandRoutes.map((row) => row.command).toSorted()).toEqual([...commands.keys()].toSorted());
});

test("a message comes in, is answered, noted, tagged and closed", async () => {
  const first = await post("/channels/api/messages", { from: "ada", text: "hello", first_name: "Ada" });
  expect(first).toMatchObject({ status: 201, json: { cut: false, result: { duplicate: false } } });
  const { conversation, customer, message } = first.json.result;

  expect(await post(`/conversations/${conversation}/messages`, { text: "Hi Ada" })).toMatchObject({ status: 201 });
  expect(await post(`/conversations/${conversation}/notes`, { text: "A friend" })).toMatchObject({ status: 201 });
  expect(await post(`/messages/${message}/tag`, { tags: ["greeting"] })).toMatchObject({ status: 200 });
  expect(await post(`/conversations/${conversation}/add_tags`, { tags: ["vip"] })).toMatchObject({ status: 200 });
  expect(await post(`/conversations/${conversation}/properties`, { name: "plan", value: { tier: 2 } })).toMatchObject({
    status: 200,
  });
  expect(await post(`/conversations/${conversation}/snooze`, { until: "2999-01-01T00:00:00.000Z" })).toMatchObject({
    status: 200,
  });
  // no body at all, and no content type
  expect(await api.call("POST", `/conversations/${conversation}/close`)).toMatchObject({
    status: 200,
    json: { result: { changed: true } },
  });

  const read = await api.call("GET", `/conversations/${conversation}`);
  expect(read.json).toMatchObject({
    status: "closed",
    tags: ["vip"],
    properties: { plan: { tier: 2 } },
    customer_detail: { id: customer, first_name: "Ada", state: "closed" },
    messages: [
      { direction: "inbound", text: "hello", tags: ["greeting"] },
      { direction: "outbound", text: "Hi Ada" },
      { direction: "note", text: "A friend" },
    ],
  });
  expect(read.text).not.toContain("wake_at");

  const events = await api.call("GET", `/events?conversation=${conversation}&limit=100`);
  expect(events.json.items.map((one: { type: string }) => one.type)).toEqual(
    expect.arrayContaining([
      "message.received",
      "message.sent",
      "message.noted",
      "conversation.snoozed",
      "conversation.closed",
    ]),
  );
  const closed = events.json.items.find((one: { type: string }) => one.type === "conversation.closed");
  expect(closed.changes).toContainEqual(
    expect.objectContaining({
      table: "conversations",
      id: conversation,
      after: expect.objectContaining({ status: "closed" }),
    }),
  );
  const byRoot = await api.call("GET", `/events?root=${first.json.command}`);
  expect(byRoot.json.items.map((one: { type: string }) => one.type)).toContain("customer.created");
});

test("a customer is written, changed and found", async () => {
  const made = await post("/customers", {
    phone: "(415) 555-2671",
    email: "bob@example.com",
    external_id: "b-1",
    first_name: "Bob",
  });
  expect(made.status).toBe(200);
  const { customer } = made.json.result;
  expect(await post(`/customers/${customer}/properties`, { name: "plan", value: "pro" })).toMatchObject({
    status: 200,
  });
  expect(await post(`/customers/${customer}/add_tags`, { tags: ["a", "b"] })).toMatchObject({ status: 200 });
  expect(await post(`/customers/${customer}/unsubscribe`)).toMatchObject({ status: 200 });
  for (const query of ["phone=4155552671", "phone=%2B14155552671", "email=bob@example.com", "external_id=b-1"]) {
    const found = await api.call("GET", `/customers?${query}`);
    expect(found.json.items).toMatchObject([
      { id: customer, phone: "+14155552671", properties: { plan: "pro" }, tags: ["a", "b"], subscribed: false },
    ]);
  }
  expect(await api.call("DELETE", `/customers/${customer}/properties/plan`)).toMatchObject({ status: 200 });
  expect((await api.call("GET", `/customers/${customer}`)).json.properties).toEqual({});
  expect((await api.call("GET", "/customers?email=nobody@example.com")).json).toEqual({ items: [], next_cursor: null });
});

test("refusals keep their code, and no path into what stands in the address", async () => {
  const { conversation } = await receive("carl");
  expect(await post(`/conversations/${conversation}/messages`, { text: "  " })).toMatchObject({
    status: 422,
    json: { code: "message_empty", path: "/text" },
  });
  expect(await post(`/conversations/${conversation}/merge`, { into: conversation })).toMatchObject({ status: 409 });
  const missing = await post("/conversations/01890000-0000-7000-8000-000000000000/messages", { text: "x" });
  expect(missing).toMatchObject({ status: 404, json: { code: "conversation_not_found" } });
  expect(missing.json).not.toHaveProperty("path");
});

describe("lists", () => {
  test("come in pages without gaps or repeats", async () => {
    const made: string[] = [];
    for (let n = 0; n < 7; n++) made.push((await receive(`pager-${n}`)).conversation);
    for (let n = 0; n < 7; n++) await post(`/conversations/${made[0]}/notes`, { text: `note ${n}` });
    const walk = async (path: string) => {
      const seen: { id: string }[] = [];
      for (let cursor: string | null = "", pages = 0; cursor !== null; pages++) {
        expect(pages).toBeLessThan(50);
        const page = await api.call(
          "GET",
          `${path}${path.includes("?") ? "&" : "?"}limit=3${cursor && `&cursor=${cursor}`}`,
        );
        expect(page.json.items.length).toBeLessThanOrEqual(3);
        seen.push(...page.json.items);
        cursor = page.json.next_cursor;
      }
      return seen.map((one) => one.id);
    };
    for (const path of [
      "/conversations",
      "/customers",
      "/events",
      "/events?order=newest",
      `/conversations/${made[0]}/messages`,
      `/conversations/${made[0]}/messages?order=oldest`,
    ]) {
      const ids = await walk(path);
      const whole = (await api.call("GET", `${path}${path.includes("?") ? "&" : "?"}limit=100`)).json.items.map(
        (one: { id: string }) => one.id,
      );
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids).toEqual(whole);
    }
    const newest = await walk("/events?order=newest");
    expect(newest).toEqual((await walk("/events")).toReversed());
  });

  test("are filtered", async () => {
    const { conversation, customer } = await receive("filtered");
    await post(`/conversations/${conversation}/add_tags`, { tags: ["rare"] });
    for (const query of [
      "tag=rare",
      `customer=${customer}`,
      `customer=${customer}&status=open&mailbox=inbox&channel=api&assignee=none`,
    ]) {
      expect(
        (await api.call("GET", `/conversations?${query}`)).json.items.map((one: { id: string }) => one.id),
      ).toEqual([conversation]);
    }
    expect((await api.call("GET", `/conversations?customer=${customer}&status=closed`)).json.items).toEqual([]);
    expect((await api.call("GET", `/events?customer=${customer}&type=message.received`)).json.items).toHaveLength(1);
  });
});

describe("an idempotency key", () => {
  const inbound = "/channels/api/messages";
  test("makes a repeat harmless, and answers alike", async () => {
    const body = { from: "dora", text: "once" };
    const first = await post(inbound, body, "k-1");
    const again = await post(inbound, body, "k-1");
    expect(again).toMatchObject({ status: 201, json: { result: first.json.result } });
    expect(again.headers["idempotency-replayed"]).toBe("true");
    expect(first.headers).not.toHaveProperty("idempotency-replayed");
    const { items } = (await api.call("GET", `/conversations/${first.json.result.conversation}/messages`)).json;
    expect(items).toHaveLength(1);
  });

  test("at the same moment too", async () => {
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => post(inbound, { from: "emil", text: "together" }, "k-2")),
    );
    expect(new Set(answers.map((one) => one.json.result.message)).size).toBe(1);
  });

  test("is refused with another body, now and later", async () => {
    const [one, other] = await Promise.all([
      post(inbound, { from: "fay", text: "1" }, "k-3"),
      post(inbound, { from: "fay", text: "2" }, "k-3"),
    ]);
    expect(new Set([one.status, other.status])).toEqual(new Set([201, 422]));
    const winner = one.status === 201 ? "1" : "2";
    expect(await post(inbound, { from: "fay", text: winner }, "k-3")).toMatchObject({ status: 201 });
    expect(await post(inbound, { from: "fay", text: "3" }, "k-3")).toMatchObject({
      status: 422,
      json: { code: "idempotency_key_reused" },
    });
  });

  test("with two bodies at two servers at once does one of them", async () => {
    await using second = await startTestApi({ DATABASE_URL: api.databaseUrl });
    const codes = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const answers = await Promise.all(
          [api, second].map((server, which) =>
            server.call("POST", inbound, {
              body: { from: `kim-${n}`, text: `body ${which}` },
              headers: { "idempotency-key": `k-both-${n}` },
            }),
          ),
        );
        return answers.map(({ status, json }) => (status === 201 ? "done" : String(json.code)));
      }),
    );
    for (const both of codes) expect(new Set(both)).toEqual(new Set(["done", "idempotency_key_reused"]));
  });

  test("belongs to its route", async () => {
    const { conversation } = await receive("gus");
    const other = await receive("hal");
    for (const id of [conversation, other.conversation]) {
      expect(await post(`/conversations/${id}/close`, {}, "k-4")).toMatchObject({
        status: 200,
        json: { result: { conversation: id, changed: true } },
      });
    }
  });

  test.each(["", "with blank", "é", "x".repeat(256)])("%j is none", async (key) => {
    const answer = await post(inbound, { from: "ivy", text: "x" }, key);
    expect(answer.status).toBe(422);
  });
});
