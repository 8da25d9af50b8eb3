import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startTestApi, type TestApi } from "../../testing/test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
}, 60_000);
afterAll(() => api.close());

const post = async (path: string, body: unknown = {}) => {
  const answer = await api.call("POST", path, { body });
  expect(answer.status).toBeLessThan(300);
  return answer.json;
};
const get = async (path: string) => (await api.call("GET", path)).json;
const soon = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 60_000, interval: 100 });
const jobs = async () => (await get("/jobs?kind=conversations.leave_behind")).items;

test("who goes offline leaves conversations behind, which a workflow gives to whoever is there; the count is shown before", async () => {
  const sms = (await get("/channels")).items.find((one: { kind: string }) => one.kind === "sms").id;
  const users: string[] = [];
  for (const name of ["ann", "ben"]) users.push((await post("/users", { name, email: `${name}@acme.test` })).id);
  const [ann, ben] = users as [string, string];
  await post("/teams", { name: "Desk", slug: "desk", members: users });
  for (const user of users) await post(`/users/${user}/presence`, { status: "online" });
  const held: string[] = [];
  for (let n = 0; n < 5; n += 1) {
    const { conversation } = (await post(`/channels/${sms}/messages`, { from: `+1415555010${n}`, text: "hi" })).result;
    await post(`/conversations/${conversation}/assign`, { user: n < 3 ? ann : ben });
    if (n < 3) held.push(conversation);
  }
  expect((await get("/presences")).items.filter(({ user }: { user: string }) => users.includes(user))).toMatchObject([
    { user: ann, status: "online", chosen: "online", seen: null, open_conversations: 3, capacity: null },
    { user: ben, status: "online", open_conversations: 2 },
  ]);
  const assistant = (await post("/users", { name: "Aria", kind: "assistant", role: "assistant", capacity: 7 })).id;
  expect(await get(`/users/${assistant}/presence`)).toEqual({
    user: assistant,
    status: "online",
    since: null,
    chosen: null,
    seen: null,
    open_conversations: 0,
    capacity: 7,
  });
  const stranger = "01890000-0000-7000-8000-000000000000";
  expect(await api.call("GET", `/users/${stranger}/presence`)).toMatchObject({ status: 404 });
  const parameters = { user: ann };
  expect(await post("/jobs/count", { kind: "conversations.leave_behind", parameters })).toEqual({ total: 3 });
  const unknown = { kind: "conversations.leave_behind", parameters: { user: "nobody" } };
  expect(await api.call("POST", "/jobs/count", { body: unknown })).toMatchObject({ status: 404 });

  // nobody wants to hear of it yet
  await post(`/users/${ann}/presence`, { status: "offline" });
  await post(`/users/${ann}/presence`, { status: "online" });

  const { pool } = api.server.database;
  await soon(async () => {
    const { rows } = await pool.query(
      `select from followers f where name = 'absences' and seq >= all (select seq + count - 1 from log where lane = f.lane)`,
    );
    expect(rows).not.toEqual([]);
  });
  await post("/workflows?publish=true", {
    name: "Left behind",
    kind: "automatic",
    triggers: [{ event: "conversation.left_behind" }],
    start: "give",
    steps: {
      give: { action: "conversation.assign", input: { team: "desk", by: "round_robin", only_available: true } },
    },
  });
  expect(await jobs()).toEqual([]);

  await post(`/users/${ann}/presence`, { status: "offline" });
  await soon(async () => {
    const rows = await Promise.all(held.map((id) => get(`/conversations/${id}`)));
    expect(rows.map((row) => row.assignee)).toEqual([ben, ben, ben]);
  });
  await soon(async () => expect(await jobs()).toMatchObject([{ state: "done", total: 3, done: 3, refused: 0 }]));
  const { items } = await get("/events?type=conversation.left_behind");
  expect(items.map((each: { refs: object }) => each.refs)).toMatchObject(
    held.map((conversation) => ({ conversation, user: ann })),
  );
}, 120_000);
