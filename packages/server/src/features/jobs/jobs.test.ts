import { afterAll, beforeAll, expect, test } from "vitest";
import { createOrganization } from "../organization/create.ts";
import { startTestApi, type TestApi } from "../../testing/test-api.ts";

let api: TestApi;
let strangersToken: string;
let agentsToken: string;
beforeAll(async () => {
  api = await startTestApi();
  strangersToken = (await createOrganization(api.server.database.pool, { name: "Strangers" })).token;
  await api.call("POST", "/users", { body: { name: "Ben", email: "ben@acme.test", kind: "person", role: "agent" } });
  agentsToken = (await api.call("POST", "/tokens", { body: { name: "ben", user: "ben@acme.test" } })).json.token;
});
afterAll(() => api.close());

const post = (path: string, body: unknown = {}, more: { token?: string; headers?: Record<string, string> } = {}) =>
  api.call("POST", path, { body, ...more });
const talk = async (from: string): Promise<string> =>
  (await post("/channels/api/messages", { from, text: "hello" })).json.result.conversation;
const ended = async (job: string) => {
  let found = await api.call("GET", `/jobs/${job}`);
  await expect
    .poll(async () => (found = await api.call("GET", `/jobs/${job}`)).json.state, { timeout: 20_000 })
    .toMatch(/done|failed|cancelled/);
  return found.json;
};
const tagging = (ids: readonly string[]) => ({
  kind: "conversations.change",
  parameters: { selection: { ids }, command: "conversation.add_tags", input: { tags: ["bulk"] } },
});
const nobody = "01890000-0000-7000-8000-000000000000";

test("a bulk action is asked for, counted, done, and what was refused is told", async () => {
  const ids = await Promise.all(["a", "b", "c"].map(talk));
  const body = tagging([...ids, nobody]);
  expect((await post("/jobs/count", body)).json).toEqual({ total: 4 });
  const made = await post("/jobs", body, { headers: { "idempotency-key": "once" } });
  expect(made).toMatchObject({ status: 201, json: { kind: "conversations.change", total: 4 } });
  const again = await post("/jobs", body, { headers: { "idempotency-key": "once" } });
  expect(again).toMatchObject({ status: 201, json: { id: made.json.id } });
  expect(again.headers["idempotency-replayed"]).toBe("true");
  expect(await post("/jobs", tagging(ids), { headers: { "idempotency-key": "once" } })).toMatchObject({
    status: 422,
    json: { code: "idempotency_key_reused" },
  });
  expect(await ended(made.json.id)).toMatchObject({ state: "done", done: 3, refused: 1 });
  for (const id of ids) expect((await api.call("GET", `/conversations/${id}`)).json.tags).toEqual(["bulk"]);
  expect((await api.call("GET", `/jobs/${made.json.id}/refusals`)).json.items).toMatchObject([
    { number: 1, item: nobody, code: "conversation_not_found" },
  ]);
  expect((await api.call("GET", "/jobs?state=done&kind=conversations.change")).json.items).toMatchObject([
    { id: made.json.id },
  ]);
});

test.each<[object, number, string]>([
  [{ command: "conversation.nothing", input: {} }, 422, "command_unknown"],
  [{ command: "customer.close", input: {} }, 422, "command_unknown"],
  [{ command: "conversation.add_tags", input: {} }, 422, "invalid_input"],
  [{ command: "conversation.assign", input: { user: "nobody@acme.test" } }, 404, "user_not_found"],
])("mistakes are told before there is a job: %j", async (wanted, status, code) => {
  const parameters = { selection: { ids: [nobody] }, ...wanted };
  const answer = await post("/jobs", { kind: "conversations.change", parameters });
  expect([answer.status, answer.json.code]).toEqual([status, code]);
});

test.each([
  {},
  { kind: "no.such", parameters: {} },
  { kind: "conversations.change", parameters: {} },
  { ...tagging([]) },
  { ...tagging([nobody, nobody]) },
  { ...tagging([nobody]), more: 1 },
])("what is no job is refused: %j", async (body) => {
  expect((await post("/jobs", body)).status).toBe(422);
});

test("jobs are seen and steered by whoever asked, and by whoever may", async () => {
  const ids = await Promise.all(["d", "e"].map(talk));
  const { pool } = api.server.database;
  const mine = (await post("/jobs", tagging(ids))).json.id as string;
  await ended(mine);
  const bens = (await post("/jobs", tagging(ids), { token: agentsToken })).json.id as string;
  await ended(bens);
  const list = async (token: string) =>
    (await api.call("GET", "/jobs?limit=2", { token })).json.items.map((job: { id: string }) => job.id);
  expect(await list(agentsToken)).toEqual([bens]);
  expect(await list(strangersToken)).toEqual([]);
  expect((await api.call("GET", "/jobs?limit=2")).json.items.map((job: { id: string }) => job.id)).toEqual([
    bens,
    mine,
  ]);
  for (const token of [agentsToken, strangersToken])
    for (const path of [`/jobs/${mine}`, `/jobs/${mine}/refusals`])
      expect(await api.call("GET", path, { token })).toMatchObject({ status: 404, json: { code: "job_not_found" } });
  for (const way of ["pause", "cancel", "resume"]) {
    expect((await post(`/jobs/${mine}/${way}`, {}, { token: agentsToken })).status).toBe(404);
    expect(await post(`/jobs/${mine}/${way}`)).toMatchObject({ status: 409, json: { code: "job_state" } });
  }
  // one that no process takes up, to be steered at leisure
  await pool.query("update directory_jobs set state = 'waiting', due_at = now() + interval '1 day' where id = $1", [
    bens,
  ]);
  expect((await post(`/jobs/${bens}/pause`)).json.state).toBe("paused");
  expect((await post(`/jobs/${bens}/pause`, {}, { token: agentsToken })).json.state).toBe("paused");
  await post(`/jobs/${bens}/resume`, {}, { token: agentsToken });
  expect(await ended(bens)).toMatchObject({ state: "done" });
  await pool.query("update directory_jobs set state = 'waiting', due_at = now() + interval '1 day' where id = $1", [
    mine,
  ]);
  expect((await post(`/jobs/${mine}/cancel`)).json).toMatchObject({
    state: "cancelled",
    finished_at: expect.any(String),
  });
  expect(await post(`/jobs/${mine}/resume`)).toMatchObject({ status: 409, json: { code: "job_state" } });
});

test("jobs that are over are kept for a while and then removed with all that is theirs", async () => {
  const { pool } = api.server.database;
  const job = (await post("/jobs", tagging([nobody]))).json.id as string;
  await ended(job);
  const { removeExpiredJobs } = await import("../../jobs/store.ts");
  await removeExpiredJobs(pool);
  expect((await api.call("GET", `/jobs/${job}`)).status).toBe(200);
  await pool.query("update directory_jobs set expires_at = now() where id = $1", [job]);
  await removeExpiredJobs(pool);
  expect((await api.call("GET", `/jobs/${job}`)).status).toBe(404);
  expect((await pool.query("select from job_refusals where job = $1", [job])).rows).toEqual([]);
});
