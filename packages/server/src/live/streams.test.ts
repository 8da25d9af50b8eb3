import { afterAll, beforeAll, expect, test } from "vitest";
import { command, incoming, phone, resultOf, testLanes, type TestLanes } from "../lanes/test-lanes.ts";
import { startTestApi } from "../testing/test-api.ts";
import { liveHouse } from "./test-house.ts";
import { openPage } from "./test-page.ts";

let lanes: TestLanes;
beforeAll(async () => {
  lanes = await testLanes();
});
afterAll(() => lanes.close());

test("a page that takes nothing is sent no more than one thing at a time, is cut off, and goes on where it was", async () => {
  const home = await lanes.organization({ lane: 61 });
  await using own = await liveHouse(lanes, home, { patienceMs: 300 });
  const slow = await openPage(own.server);
  const quick = await openPage(own.server);
  slow.pause();
  const word = "x".repeat(1024 * 1024);
  for (let n = 0; n < 40; n += 1) {
    own.live.say(home.id, { event: "big", data: { word, n }, for: () => true });
    await own.engine.submit(incoming(home, phone(n), `m${n}`));
    // beyond what is on its way, nothing is kept for it
    expect(Math.max(...own.unsent())).toBeLessThan(3 * 1024 * 1024);
  }
  await quick.until((page) => page.changes().filter(({ type }) => type === "message.received").length === 40);
  slow.resume();
  await slow.until(({ ended }) => ended);
  expect(quick.ended).toBe(false);
  const again = await openPage(own.server, { after: slow.lastId });
  const all = () => [...slow.changes(), ...again.changes()].map(({ seq }) => seq);
  await again.until(() => all().length >= quick.changes().length);
  expect(all()).toEqual(quick.changes().map(({ seq }) => seq));
  again.kill();
  quick.kill();
}, 90_000);

test("many events at once, more than are read at a time, come whole and in order", async () => {
  const home = await lanes.organization({ lane: 62 });
  await using own = await liveHouse(lanes, home);
  const page = await openPage(own.server);
  await Promise.all(Array.from({ length: 1200 }, (_, n) => own.engine.submit(incoming(home, phone(n), `m${n}`))));
  await page.until(() => page.changes().filter(({ type }) => type === "message.received").length === 1200);
  const seqs = page.changes().map(({ seq }) => seq);
  expect(seqs).toEqual(seqs.map((_, n) => (seqs[0] as number) + n));
  // too much to be told again: who was away for all of it reads anew
  const far = await openPage(own.server, { after: (seqs[0] as number) - 1 });
  await far.until(() => far.changes().length === seqs.length || far.named("reload").length === 1);
  page.kill();
  far.kill();
}, 90_000);

test("pages that come back one after the other, each from further back, miss nothing and hear nothing twice", async () => {
  const home = await lanes.organization({ lane: 64 });
  const before = lanes.engine();
  for (let n = 0; n < 4; n += 1) await before.submit(incoming(home, phone(n), `m${n}`));
  const rows = await lanes.rows<{ last: number }>("select max(seq + count - 1) as last from log where lane = 64");
  const last = Number(rows[0]?.last);
  // nothing is in memory yet; most places lie within a row of the log
  await using own = await liveHouse(lanes, home);
  for (let after = last - 1; after >= 0; after -= 1) {
    const page = await openPage(own.server, { after });
    await page.until((each) => each.changes().at(-1)?.seq === last);
    expect(page.changes().map(({ seq }) => seq)).toEqual(Array.from({ length: last - after }, (_, n) => after + 1 + n));
    page.kill();
  }
}, 60_000);

test("what was erased is told to nobody who comes back later", async () => {
  const home = await lanes.organization({ lane: 63 });
  await using own = await liveHouse(lanes, home);
  const page = await openPage(own.server);
  const { customer } = resultOf(await own.engine.submit(incoming(home, phone(1), "my secret")));
  await page.until(() => JSON.stringify(page.heard).includes("my secret"));
  const begun = page.heard[0]?.id as number;
  resultOf(await own.engine.submit(command(home, "customer.erase", { customer })));
  await page.until(() => page.changes().some(({ type }) => type === "customer.erased"));
  // the log is blanked by a worker, which is not here: what is in memory is gone all the same
  await lanes.rows("update log set events = '[]', count = 0 where lane = 63 and seq < $1", [
    page.changes().find(({ type }) => type === "customer.erased")?.seq,
  ]);
  const later = await openPage(own.server, { after: begun });
  await later.until(() => later.heard.length > 0);
  expect(JSON.stringify(later.heard)).not.toContain("my secret");
  page.kill();
  later.kill();
}, 60_000);

test("a process that is stopped says so, at once, and takes no more", async () => {
  const api = await startTestApi();
  const page = await openPage(api);
  const stopping = api.close();
  await page.until(({ ended }) => ended);
  expect(page.named("end")).toMatchObject([{ data: { reason: "shutting_down" } }]);
  await stopping;
}, 60_000);

test("whose token was revoked, and who works here no more, is sent away within seconds, in any process", async () => {
  await using api = await startTestApi();
  await using second = await startTestApi({ DATABASE_URL: api.databaseUrl });
  const post = async (path: string, body: unknown = {}) => (await api.call("POST", path, { body })).json;
  const user = await post("/users", { name: "Eve", email: "eve@acme.test" });
  const [one, two] = [
    await post("/tokens", { name: "one", user: user.id }),
    await post("/tokens", { name: "two", user: user.id }),
  ];
  const [first, other, away] = await Promise.all([
    openPage(second, { token: one.token }),
    openPage(second, { token: two.token }),
    openPage(second),
  ]);
  expect((await api.call("POST", `/tokens/${one.id}/revoke`, { body: {} })).status).toBe(200);
  await first.until(({ ended }) => ended);
  expect(first.named("end")).toMatchObject([{ data: { reason: "unauthorized" } }]);
  expect(other.ended).toBe(false);
  await post(`/users/${user.id}/archive`);
  await other.until(({ ended }) => ended);
  expect(other.named("end")).toMatchObject([{ data: { reason: "unauthorized" } }]);
  expect(away.ended).toBe(false);
  // who looks at what goes from process to process
  const channels = (await api.call("GET", "/channels")).json.items;
  const sms = channels.find((each: { kind: string }) => each.kind === "sms").id;
  const { conversation } = (await post(`/channels/${sms}/messages`, { from: "+14155550123", text: "hi" })).result;
  await away.until((page) => page.changes().some(({ refs }) => refs.conversation === conversation));
  const typing = await post(`/conversations/${conversation}/attention`, { doing: "typing" });
  await away.until((page) => page.named("attention").length > 0);
  const { until: _, ...told } = typing;
  expect(away.named("attention")[0]).toMatchObject({ data: told, id: null });
  const here = await second.call("GET", `/conversations/${conversation}/attention`);
  expect(here.json).toMatchObject({ items: [told] });
  await post(`/conversations/${conversation}/attention`, { doing: "nothing" });
  await away.until((page) => page.named("attention").length > 1);
  expect((await second.call("GET", `/conversations/${conversation}/attention`)).json).toEqual({ items: [] });
  // and so does how far a job is
  const closing = { selection: { ids: [conversation] }, command: "conversation.close", input: {} };
  const { id } = await post("/jobs", { kind: "conversations.change", parameters: closing });
  await away.until((page) => page.named("job").some(({ data }) => data.id === id && data.state === "done"));
  const nowhere = "01890000-0000-7000-8000-000000000000";
  expect((await api.call("POST", `/conversations/${nowhere}/attention`, { body: { doing: "typing" } })).status).toBe(
    404,
  );
  expect((await api.call("GET", `/conversations/${nowhere}/attention`)).status).toBe(404);
  const events = (await api.call("GET", "/events?order=newest")).json.items;
  expect(JSON.stringify(events)).not.toContain("typing");
  away.kill();
}, 90_000);
