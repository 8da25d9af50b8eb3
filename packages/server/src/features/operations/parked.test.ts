import { afterAll, beforeAll, expect, test } from "vitest";
import { maintain } from "../../db/maintenance.ts";
import { startTestApi, type TestApi } from "../../testing/test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await query(`create function refuse_poison() returns trigger language plpgsql as $$
begin if new.text like '%poison%' then raise exception 'poison'; end if; return new; end $$`);
  await break_();
});
afterAll(() => api.close());

const query = (text: string) => api.server.database.pool.query(text);
const break_ = () =>
  query("create trigger poison before insert on messages for each row execute function refuse_poison()");
const mend = () => query("drop trigger poison on messages");
const parked = async (resolved = false) => (await api.call("GET", `/parked?resolved=${resolved}`)).json.items;
const messages = async () => (await query("select text from messages order by seq")).rows.map((row) => row.text);

test("an inbound message that no batch could carry is kept, and done once when the fault is mended, however often it is asked for", async () => {
  const came = await api.call("POST", "/channels/sms/messages", { body: { from: "+14155550101", text: "poison" } });
  const id = came.json.result.parked;
  expect(await parked()).toMatchObject([{ id, resolved_at: null, resolution: null }]);

  // the fault is still there: it goes on waiting, and nothing else is kept beside it
  const early = await api.raw({
    method: "POST",
    url: `/api/v2/parked/${id}/retry`,
    headers: { authorization: "Bearer tm_0123456789abcdef0123456789abcdef" },
  });
  expect(early.statusCode).toBe(500);
  expect(await parked()).toMatchObject([{ id, resolved_at: null }]);

  await mend();
  const tries = await Promise.all(Array.from({ length: 5 }, () => api.call("POST", `/parked/${id}/retry`)));
  expect(tries.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409, 409, 409]);
  const done = tries.find(({ status }) => status === 200)?.json.result;
  expect(done).toMatchObject({ parked: id, message: expect.any(String), conversation: expect.any(String) });
  expect(await messages()).toEqual(["poison"]);
  expect(await parked()).toEqual([]);
  const me = (await api.call("GET", "/me")).json.user.id;
  expect(await parked(true)).toMatchObject([{ id, resolution: "retried", resolved_by: me }]);
});

test("what its client had done meanwhile by its key is not done again, also when the receipt is gone", async () => {
  await break_();
  const ask = (key: string) =>
    api.call("POST", "/channels/api/messages", {
      body: { from: "ada", text: `poison ${key}` },
      headers: { "idempotency-key": key },
    });
  const [done, open] = [(await ask("again")).json.result.parked, (await ask("never")).json.result.parked];
  await mend();
  expect((await ask("again")).json.result).toMatchObject({ message: expect.any(String) });
  const before = await messages();
  const { pool } = api.server.database;
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
  await maintain(pool, { eventsDays: 400, runsDays: 30 }, inDays(4));
  expect((await query("select count(*)::int as n from receipts")).rows).toEqual([{ n: 0 }]);
  await maintain(pool, { eventsDays: 400, runsDays: 30 }, inDays(0));
  expect((await api.call("POST", `/parked/${done}/retry`)).json).toMatchObject({ code: "parked_resolved" });
  expect(await parked(true)).toContainEqual(expect.objectContaining({ id: done, resolution: "retried" }));
  expect(await messages()).toEqual(before);
  // of one that was not done there is nothing to be told of
  expect(await parked()).toMatchObject([{ id: open }]);
  expect((await api.call("POST", `/parked/${open}/retry`)).json.result).toMatchObject({ message: expect.any(String) });
});

test("what is not worth it is marked as seen to", async () => {
  await break_();
  const came = await api.call("POST", "/channels/sms/messages", { body: { from: "+14155550102", text: "poison 2" } });
  const id = came.json.result.parked;
  const resolved = await api.call("POST", `/parked/${id}/resolve`);
  expect(resolved.json.result).toEqual({ parked: id, changed: true });
  expect((await api.call("POST", `/parked/${id}/retry`)).json).toMatchObject({ code: "parked_resolved" });
  expect((await api.call("POST", `/parked/${id.replace(/.$/, "0").replace(/..$/, "00")}/resolve`)).status).toBe(404);
  await mend();
  expect(await messages()).not.toContain("poison 2");
});
