import { worldNouns } from "@threadmill/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parts } from "../../jobs/kinds/export-customer.ts";
import { startTestApi, type TestApi, testPublicUrl, testToken } from "../../testing/test-api.ts";

let api: TestApi;
let adminsToken: string;
beforeAll(async () => {
  api = await startTestApi();
  await api.call("POST", "/users", { body: { name: "Eve", email: "eve@acme.test", kind: "person", role: "admin" } });
  adminsToken = (await api.call("POST", "/tokens", { body: { name: "eve", user: "eve@acme.test" } })).json.token;
});
afterAll(() => api.close());

const post = (path: string, body: unknown = {}, token?: string) =>
  api.call("POST", path, { body, ...(token !== undefined && { token }) });
const run = async (kind: string, parameters: object) => {
  let job = (await post("/jobs", { kind, parameters })).json;
  await expect
    .poll(async () => (job = (await api.call("GET", `/jobs/${job.id}`)).json).state, { timeout: 30_000 })
    .toMatch(/done|failed/);
  return job;
};
const fetched = (url: string, token: string | null = testToken) =>
  api.raw({ method: "GET", url, headers: token === null ? {} : { authorization: `Bearer ${token}` } });
const fileOf = async (job: { id: string }) => (await fetched(`/api/v2/jobs/${job.id}/file`)).body;
const objects = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

test("customers are written as lines and as a table that runs no formula", async () => {
  await post("/properties", { noun: "customer", name: "plan", type: "text" });
  for (let n = 0; n < 3; n += 1)
    await post("/customers", {
      email: `c${n}@acme.test`,
      first_name: n === 1 ? "=HYPERLINK(1)" : `Name ${n}`,
      properties: { plan: "pro, yearly" },
    });
  const lines = objects(await fileOf(await run("customers.export", { format: "jsonl" })));
  const listed = (await api.call("GET", "/customers?limit=100")).json.items;
  expect(lines).toEqual(listed.toReversed());
  const job = await run("customers.export", { format: "csv" });
  expect(job).toMatchObject({ state: "done", done: lines.length, result: { bytes: expect.any(Number) } });
  const table = await fileOf(job);
  const rows = table.split("\r\n");
  expect(rows[0]).toContain("first_name");
  expect(rows[0]).toMatch(/property:plan$/);
  expect(table).toContain("'=HYPERLINK(1)");
  expect(table).not.toMatch(/,=HYPER/);
  expect(rows.filter((row) => row.endsWith('"pro, yearly"'))).toHaveLength(3);
});

test("conversations are written with their messages, in both forms", async () => {
  const { conversation } = (await post("/channels/api/messages", { from: "ada", text: "hello, you" })).json.result;
  await post(`/conversations/${conversation}/notes`, { text: "a note" });
  const lines = objects(await fileOf(await run("conversations.export", { format: "jsonl" })));
  const ours = lines.find((line: { id: string }) => line.id === conversation);
  expect(ours.messages.map(({ text }: { text: string }) => text)).toEqual(["hello, you", "a note"]);
  const table = await fileOf(await run("conversations.export", { format: "csv" }));
  expect(table.split("\r\n").filter((row) => row.startsWith(conversation))).toHaveLength(2);
  expect(table).toContain('"hello, you"');
});

test("all that is kept of a customer is written, of all tables that name one", async () => {
  const { customer, conversation } = (await post("/channels/api/messages", { from: "dora", text: "who am I" })).json
    .result;
  await post(`/conversations/${conversation}/messages`, { text: "Dora" });
  const other = (await post("/channels/api/messages", { from: "else", text: "not about her" })).json.result;
  const text = await fileOf(await run("customers.disclose", { customer }));
  const lines = objects(text);
  const tables = lines.map(({ table }: { table: string }) => table);
  for (const table of ["customers", "addresses", "conversations", "messages", "log"]) expect(tables).toContain(table);
  expect(text).not.toContain("not about her");
  expect(text).not.toContain(other.customer);
  expect(lines.filter(({ table }: { table: string }) => table === "messages")).toHaveLength(2);
  const nobody = "01890000-0000-7000-8000-000000000000";
  expect(await post("/jobs", { kind: "customers.disclose", parameters: { customer: nobody } })).toMatchObject({
    status: 404,
    json: { code: "customer_not_found" },
  });
  const named = Object.entries(worldNouns)
    .filter(([, noun]) => Object.hasOwn(noun.properties, "customer"))
    .map(([table]) => table);
  expect(named.filter((table) => !parts.some((part) => part.table === table))).toEqual([]);
});

test("a file is its asker's alone; a link to it is anybody's, for a while", async () => {
  const job = await run("customers.export", { format: "jsonl" });
  const content = await fileOf(job);
  expect((await fetched(`/api/v2/jobs/${job.id}/file`, adminsToken)).statusCode).toBe(404);
  expect((await post(`/jobs/${job.id}/link`, {}, adminsToken)).status).toBe(404);
  const { url, expires_at } = (await post(`/jobs/${job.id}/link`)).json;
  expect(Date.parse(expires_at) - Date.now()).toBeLessThan(16 * 60_000);
  const path = url.slice(testPublicUrl.length);
  const answer = await fetched(path, null);
  expect(answer.statusCode).toBe(200);
  expect(answer.body).toBe(content);
  expect(answer.headers["x-content-type-options"]).toBe("nosniff");
  expect(answer.headers["content-disposition"]).toContain("attachment");
  expect((await fetched(`${path.slice(0, -3)}AAA`, null)).statusCode).toBe(404);
  expect((await fetched("/downloads/x", null)).statusCode).toBe(404);
  // an export is not kept for long
  await api.server.database.pool.query("update job_files set expires_at = now() where id = $1", [job.id]);
  expect((await fetched(path, null)).statusCode).toBe(404);
  expect((await fetched(`/api/v2/jobs/${job.id}/file`)).statusCode).toBe(404);
});

test("a job without a file has none", async () => {
  const body = {
    selection: { ids: ["01890000-0000-7000-8000-000000000000"] },
    command: "conversation.close",
    input: {},
  };
  const job = await run("conversations.change", body);
  expect((await fetched(`/api/v2/jobs/${job.id}/file`)).statusCode).toBe(404);
});

test("who is erased is in no export and in no refused row any more", async () => {
  const { customer } = (await post("/customers", { phone: "+1 415 555 0188", email: "gone@acme.test" })).json.result;
  const exported = await run("customers.export", { format: "jsonl" });
  expect(await fileOf(exported)).toContain("gone@acme.test");
  const { pool } = api.server.database;
  const rows = ["GONE@acme.test", "(415) 555-0188", "somebody else"];
  await pool.query(
    `insert into job_refusals (lane, organization, job, number, item, code, message, detail)
select lane, id, $1, n, n::text, 'x', 'because', jsonb_build_array(($2::text[])[n], 'Gone') from directory_organizations, generate_series(1, 3) n
where id = (select organization from directory_jobs where id = $1)`,
    [exported.id, rows],
  );
  await post(`/customers/${customer}/erase`);
  await expect
    .poll(async () => (await fetched(`/api/v2/jobs/${exported.id}/file`)).statusCode, { timeout: 30_000 })
    .toBe(404);
  const left = await pool.query("select detail from job_refusals where job = $1 order by number", [exported.id]);
  expect(left.rows).toEqual([{ detail: null }, { detail: null }, { detail: ["somebody else", "Gone"] }]);
});
