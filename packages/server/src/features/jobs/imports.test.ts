import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestApi, type TestApi, testToken } from "../../testing/test-api.ts";

let api: TestApi;
let agentsToken: string;
beforeAll(async () => {
  api = await startTestApi();
  await api.call("POST", "/users", { body: { name: "Ben", email: "ben@acme.test", kind: "person", role: "agent" } });
  agentsToken = (await api.call("POST", "/tokens", { body: { name: "ben", user: "ben@acme.test" } })).json.token;
  await api.call("POST", "/properties", { body: { noun: "customer", name: "seats", type: "number" } });
});
afterAll(() => api.close());

const upload = async (bytes: Buffer | string, query = "", type = "text/csv") => {
  const answer = await api.raw({
    method: "POST",
    url: `/api/v2/imports${query}`,
    headers: { authorization: `Bearer ${testToken}`, "content-type": type },
    payload: bytes,
  });
  return { status: answer.statusCode, json: answer.json() };
};
const post = (path: string, body: unknown, token?: string) =>
  api.call("POST", path, { body, ...(token !== undefined && { token }) });
const run = async (parameters: object) => {
  const made = await post("/jobs", { kind: "customers.import", parameters });
  if (made.status !== 201) return made.json;
  let job = made.json;
  await expect
    .poll(async () => (job = (await api.call("GET", `/jobs/${job.id}`)).json).state, { timeout: 30_000 })
    .toMatch(/done|failed/);
  return job;
};
const customer = async (query: string) => (await api.call("GET", `/customers?${query}`)).json.items[0];

test("a table of any encoding is uploaded, looked at, tried, imported, and what was refused is told", async () => {
  const table = Buffer.from(
    [
      "Vorname;Nachname;E-Mail-Address;Phone;Seats;Kommentar",
      "Jürgen;Müller;jm@acme.test;+1 415 555 2671;12;x",
      '"Zoë ""Z""";Groß;zoe@acme.test;;zwölf;"zwei\r\nZeilen"',
      "Nobody;;not an address;;;",
      ";;;;;kein Schlüssel",
      "Jürgen;Meier;jm@acme.test;;13;",
    ].join("\r\n"),
    "latin1",
  );
  const made = await upload(table, "?name=kunden.csv");
  expect(made).toMatchObject({
    status: 201,
    json: {
      name: "kunden.csv",
      encoding: "windows-1252",
      separator: ";",
      unreadable: 0,
      rows: 5,
      columns: ["Vorname", "Nachname", "E-Mail-Address", "Phone", "Seats", "Kommentar"],
      mapping: ["first_name", "last_name", "email", "phone", "property:seats", null],
    },
  });
  expect(made.json.preview[1]).toEqual(['Zoë "Z"', "Groß", "zoe@acme.test", "", "zwölf", "zwei\r\nZeilen"]);
  const { id: file, mapping } = made.json;
  const preview = (await post(`/imports/${file}/preview`, { mapping })).json.rows;
  expect(preview[0]).toEqual({
    row: 1,
    input: {
      first_name: "Jürgen",
      last_name: "Müller",
      email: "jm@acme.test",
      phone: "+1 415 555 2671",
      properties: { seats: 12 },
    },
    problem: null,
  });
  expect(preview[2].problem).not.toBe(null);

  const refused = { done: 2, refused: 3, total: 5, state: "done" };
  const dry = await run({ file, mapping, dry_run: true });
  expect(dry).toMatchObject(refused);
  expect(await customer("email=jm@acme.test")).toBe(undefined);
  const real = await run({ file, mapping });
  expect(real).toMatchObject(refused);
  expect(await customer("email=jm@acme.test")).toMatchObject({
    first_name: "Jürgen",
    last_name: "Meier",
    phone: "+14155552671",
    properties: { seats: 13 },
  });
  const refusals = async (job: string) => (await api.call("GET", `/jobs/${job}/refusals`)).json.items;
  expect((await refusals(real.id)).map((row: { item: string; code: string }) => [row.item, row.code])).toEqual([
    ["2", "property_type"],
    ["3", "email_invalid"],
    ["4", "customer_unidentified"],
  ]);
  // trying says what doing does
  expect(await refusals(dry.id)).toEqual(await refusals(real.id));
  const report = await api.raw({
    method: "GET",
    url: `/api/v2/jobs/${real.id}/refusals.csv`,
    headers: { authorization: `Bearer ${testToken}` },
  });
  expect(report.headers["content-type"]).toBe("text/csv; charset=utf-8");
  expect(report.headers["content-disposition"]).toContain("attachment");
  const lines = report.body.split("\r\n");
  expect(lines[0]).toBe("Vorname,Nachname,E-Mail-Address,Phone,Seats,Kommentar,row,code,message");
  expect(report.body).toContain('"Zoë ""Z""",Groß,zoe@acme.test,,zwölf,"zwei\r\nZeilen",2,property_type,');
  // what is imported is not kept
  expect((await api.call("GET", `/imports/${file}`)).status).toBe(404);
}, 60_000);

test("a row that is the same person as one before in the file changes that one, in the order of the file", async () => {
  const rows = Array.from({ length: 600 }, (_, n) => `same@acme.test,${n}`);
  const { json } = await upload(`email,first_name\n${rows.join("\n")}\n`);
  expect(await run({ file: json.id, mapping: json.mapping })).toMatchObject({ done: 600, refused: 0 });
  expect(await customer("email=same@acme.test")).toMatchObject({ first_name: "599" });
});

test.each<[string, string | Buffer, string, number]>([
  ["an unknown encoding", "a,b", "?encoding=klingon", 422],
  ["an unknown separator", "a,b", "?separator=x", 422],
  ["a quote that never ends", `"${"x".repeat(300_000)}`, "", 422],
])("%s is refused", async (_what, bytes, query, status) => {
  expect((await upload(bytes, query)).status).toBe(status);
});

test("a table comes as it is, and only where one is expected", async () => {
  expect((await upload("{}", "", "application/json")).status).toBe(415);
  expect((await upload("x", "", "image/png")).status).toBe(415);
  const elsewhere = await api.raw({
    method: "POST",
    url: "/api/v2/customers",
    headers: { authorization: `Bearer ${testToken}`, "content-type": "text/csv" },
    payload: "a,b",
  });
  expect(elsewhere.statusCode).toBe(415);
});

test("an import is its uploader's, and needs its right", async () => {
  const { json } = await upload("email\na@b.test\n");
  expect((await api.call("GET", `/imports/${json.id}`, { token: agentsToken })).status).toBe(403);
  const asked = { kind: "customers.import", parameters: { file: json.id, mapping: ["email"] } };
  expect(await post("/jobs", asked, agentsToken)).toMatchObject({ status: 403 });
  for (const mapping of [[], ["email", "email"], ["nose"], [null], ["property:"], ["first_name"]])
    expect((await post("/jobs", { ...asked, parameters: { file: json.id, mapping } })).status).toBe(422);
  const missing = { file: "01890000-0000-7000-8000-000000000000", mapping: ["email"] };
  expect(await post("/jobs", { ...asked, parameters: missing })).toMatchObject({ status: 404 });
  expect((await api.call("DELETE", `/imports/${json.id}`)).status).toBe(200);
  expect((await post("/jobs", asked)).status).toBe(404);
});
