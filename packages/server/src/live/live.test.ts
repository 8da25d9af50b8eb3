import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import fc from "fast-check";
import Compile from "typebox/compile";
import { startTestApi, type TestApi } from "../testing/test-api.ts";
import type { LiveChange } from "./change.ts";
import { LiveMessageSchema } from "./messages.ts";
import { openPage, type TestPage } from "./test-page.ts";

let api: TestApi;
let channel: string;
const pages: TestPage[] = [];
const open = async (options?: Parameters<typeof openPage>[1], server: TestApi = api) => {
  const page = await openPage(server, options);
  pages.push(page);
  return page;
};
beforeAll(async () => {
  api = await startTestApi();
  channel = (await api.call("GET", "/channels")).json.items.find((one: { kind: string }) => one.kind === "sms").id;
}, 60_000);
afterAll(async () => {
  for (const page of pages) page.kill();
  await api.close();
});

let phones = 0;
const receive = async (
  text = "hello",
  server: TestApi = api,
): Promise<{ conversation: string; customer: string; message: string }> => {
  phones += 1;
  const from = `+1415${String(2_000_000 + phones)}`;
  const answer = await server.call("POST", `/channels/${channel}/messages`, { body: { from, text } });
  expect(answer.status).toBe(201);
  return answer.json.result;
};
const post = (path: string, body: unknown = {}) => api.call("POST", path, { body });
const typesOf = (page: TestPage, conversation: string) =>
  page.changes().flatMap(({ type, refs }) => (refs.conversation === conversation ? [type] : []));

describe("a page", () => {
  test("is told what happens, with the fields that changed, and nothing that happened before", async () => {
    const { conversation: earlier } = await receive("before");
    const page = await open();
    expect(page.headers).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
      "x-content-type-options": "nosniff",
    });
    expect(page.heard[0]).toMatchObject({ event: "ready", data: { resumed: false } });
    const { conversation, customer, message } = await receive("what is it?");
    const closed = (await post(`/conversations/${conversation}/close`)).json.command;
    await page.until(() => typesOf(page, conversation).includes("conversation.closed"));
    expect(typesOf(page, earlier)).toEqual([]);
    const received = page.changes().find(({ type }) => type === "message.received") as LiveChange;
    expect(received.refs).toMatchObject({ conversation, customer, message });
    expect(received.changes).toContainEqual(
      expect.objectContaining({
        noun: "message",
        id: message,
        made: true,
        fields: expect.objectContaining({ text: "what is it?" }),
      }),
    );
    const last = page.changes().find(({ root: by }) => by === closed) as LiveChange;
    expect(last.changes).toContainEqual({
      noun: "conversation",
      id: conversation,
      fields: expect.objectContaining({ status: "closed" }),
    });
    expect(JSON.stringify(last.changes)).not.toContain("before");
    const validator = Compile(LiveMessageSchema);
    for (const { event, data } of page.heard) expect([...validator.Errors({ event, data })]).toEqual([]);
  });

  test("is told which members of properties are no more", async () => {
    const { customer } = await receive();
    const page = await open();
    await post(`/customers/${customer}/properties`, { name: "plan", value: "pro" });
    await post(`/customers/${customer}/properties`, { name: "size", value: 3 });
    expect((await api.call("DELETE", `/customers/${customer}/properties/plan`)).status).toBe(200);
    await page.until(() => page.changes().some(({ type }) => type === "customer.property_deleted"));
    const patches = page.changes().flatMap(({ type, changes }) => (type.includes("property") ? changes : []));
    expect(patches).toEqual([
      { noun: "customer", id: customer, fields: { properties: { plan: "pro" } } },
      { noun: "customer", id: customer, fields: { properties: { size: 3 } } },
      { noun: "customer", id: customer, fields: {}, removed: { properties: ["plan"] } },
    ]);
  });

  test("that comes back is told what it missed; from too far back or from nowhere it is told to reload", async () => {
    const page = await open();
    const first = await receive();
    await page.until(() => typesOf(page, first.conversation).includes("message.received"));
    page.kill();
    const missed = await receive();
    const again = await open({ after: page.lastId });
    expect(again.heard[0]).toMatchObject({ event: "ready", data: { seq: page.lastId, resumed: true } });
    await again.until(() => typesOf(again, missed.conversation).includes("message.received"));
    expect(typesOf(again, first.conversation)).toEqual([]);
    const byQuery = await open({ query: `?after=${page.lastId}` });
    await byQuery.until(() => typesOf(byQuery, missed.conversation).length > 0);
    for (const after of ["999999999", "x", "-4", "1.5"]) {
      const lost = await open({ after });
      expect(lost.heard[0]).toMatchObject({ event: "reload", data: { reason: "unknown_place" } });
      const news = await receive();
      await lost.until(() => typesOf(lost, news.conversation).includes("message.received"));
    }
  });

  test("sees nothing of another organization", async () => {
    const { createOrganization } = await import("../features/organization/create.ts");
    const { lane } = (await api.server.database.pool.query("select lane from directory_organizations")).rows[0];
    const other = await createOrganization(api.server.database.pool, { name: "Other", lane });
    const stranger = await open({ token: other.token });
    const page = await open();
    const { conversation } = await receive("a secret");
    await page.until(() => typesOf(page, conversation).length > 0);
    const answer = await api.call("POST", `/channels/${other.channels.sms}/messages`, {
      token: other.token,
      body: { from: "+14155559999", text: "mine" },
    });
    await stranger.until(() => typesOf(stranger, answer.json.result.conversation).length > 0);
    expect(JSON.stringify(stranger.heard)).not.toContain("a secret");
    expect(JSON.stringify(page.heard)).not.toContain("mine");
  });

  test("without a token is refused, and one too many of a caller too", async () => {
    expect((await open({ token: "tm_00000000000000000000000000000000" })).status).toBe(401);
    const many = await Promise.all(Array.from({ length: 101 }, () => openPage(api)));
    const statuses = many.map(({ status }) => status);
    for (const each of many) each.kill();
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(1);
    await vi.waitFor(async () => expect((await open()).status).toBe(200), { timeout: 20_000 });
  });
});

test("whatever breaks and comes back, each event is told once and in order, or a reload says that some are not (property)", async () => {
  /** what the log holds for everybody in the end */
  const logged = async (behind: number): Promise<number[]> => {
    const seqs: number[] = [];
    let cursor = "";
    do {
      const { json } = await api.call("GET", `/events?order=oldest&limit=100${cursor}`);
      seqs.push(...json.items.map((item: { seq: number }) => item.seq));
      cursor = json.next_cursor === null ? "" : `&cursor=${encodeURIComponent(json.next_cursor)}`;
    } while (cursor !== "");
    return seqs.filter((seq) => seq > behind);
  };
  const step = fc.record({ messages: fc.integer({ min: 0, max: 6 }), kill: fc.boolean(), late: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      let page = await open();
      const begun = page.lastId as number;
      const seen: number[] = [];
      const takeOver = () => {
        expect(page.named("reload")).toEqual([]);
        seen.push(...page.changes().map(({ seq }) => seq));
      };
      for (const { messages, kill, late } of steps) {
        const work = Promise.all(Array.from({ length: messages }, () => receive()));
        if (late) await work;
        if (kill) {
          page.kill();
          await page.until(({ ended }) => ended);
          takeOver();
          page = await open({ after: page.lastId });
        }
        await work;
      }
      const wanted = await logged(begun);
      await page.until(() => wanted.length === 0 || seen.length + page.changes().length >= wanted.length);
      takeOver();
      page.kill();
      expect(seen).toEqual(wanted);
    }),
    { numRuns: 12 },
  );
}, 120_000);

test("many pages that come back at once after a restart, from different places, miss nothing", async () => {
  const from = (await open()).lastId as number;
  const made = [];
  for (let n = 0; n < 20; n += 1) made.push((await receive()).conversation);
  // a process that has just started has nothing in memory
  await using second = await startTestApi({ DATABASE_URL: api.databaseUrl });
  const places = Array.from({ length: 40 }, (_, n) => from + n);
  const all = await Promise.all(places.map((after) => open({ after }, second)));
  const last = made.at(-1) as string;
  await Promise.all(all.map((page) => page.until(() => typesOf(page, last).includes("message.received"))));
  const whole = (all[0] as TestPage).changes().map(({ seq }) => seq);
  for (const [n, page] of all.entries())
    expect(page.changes().map(({ seq }) => seq)).toEqual(whole.filter((seq) => seq > (places[n] as number)));
}, 60_000);
