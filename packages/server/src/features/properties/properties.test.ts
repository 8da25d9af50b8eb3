import { afterAll, beforeAll, expect, test } from "vitest";
import { type ApiAnswer, startTestApi, type TestApi } from "../../testing/test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const post = (path: string, body: object = {}): Promise<ApiAnswer> => api.call("POST", path, { body });
const patch = (path: string, body: object): Promise<ApiAnswer> => api.call("PATCH", path, { body });
const define = (fields: object): Promise<ApiAnswer> => post("/properties", { noun: "customer", ...fields });
const all = async (): Promise<Record<string, string>> =>
  Object.fromEntries(
    (await api.call("GET", "/properties?archived=true&limit=100")).json.items.map(
      (row: { noun: string; name: string; type: string }) => [`${row.noun}.${row.name}`, row.type],
    ),
  );

test("a definition says how people see it and which values it takes", async () => {
  const made = await define({
    name: "score",
    type: "number",
    label: "Lead score",
    group: "Sales",
    position: 3,
    description: "0 to 100",
    rules: { min: 0, max: 100 },
  });
  expect(made).toMatchObject({
    status: 201,
    json: { name: "score", label: "Lead score", group: "Sales", position: 3, rules: { min: 0, max: 100 }, options: [] },
  });
  const { customer } = (await post("/customers", { phone: "+14155550101" })).json.result;
  const set = (value: unknown) => post(`/customers/${customer}/properties`, { name: "score", value });
  expect((await set(101)).json).toMatchObject({ code: "property_value", path: "/value" });
  expect((await set("50")).json).toMatchObject({ code: "property_type" });
  expect((await set(50)).status).toBe(200);
  const changed = await patch(`/properties/${made.json.id}`, { rules: { max: 10 }, label: "Score", group: null });
  expect(changed.json).toMatchObject({ label: "Score", group: null, rules: { max: 10 }, position: 3 });
  // what stands there stays, and other values of the customer can be set
  expect((await set(51)).json).toMatchObject({ code: "property_value" });
  expect((await post("/customers", { phone: "+14155550101", properties: { free: 1 } })).status).toBe(200);
  expect((await patch(`/properties/${made.json.id}`, { rules: { pattern: "x" } })).json).toMatchObject({
    code: "rule_unexpected",
    path: "/rules/pattern",
  });
  expect((await define({ name: "sizes", type: "choices" })).json).toMatchObject({ code: "options_missing" });
});

test("an unknown property that is set where the caller asks for it becomes one of its value's type", async () => {
  const given = {
    phone: "+14155550102",
    properties: {
      plan: "pro",
      visits: 3,
      site: "https://acme.test/",
      since: "2026-01-31",
      bag: { a: 1 },
      "odd name": 1,
    },
  };
  // without being asked for, nothing is defined
  const { customer } = (await post("/customers", given)).json.result;
  expect(Object.keys(await all())).not.toContain("customer.plan");
  expect((await post("/customers?define_properties=true", given)).status).toBe(200);
  expect(await all()).toMatchObject({
    "customer.plan": "text",
    "customer.visits": "number",
    "customer.site": "link",
    "customer.since": "date",
  });
  expect(Object.keys(await all())).not.toEqual(expect.arrayContaining(["customer.bag", "customer.odd name"]));
  const { items } = (await api.call("GET", "/events?type=settings.changed&order=newest&limit=1")).json;
  expect(items[0].data).toMatchObject({ noun: "property", before: null, after: { noun: "customer", name: "since" } });
  // now it has a type
  expect((await post(`/customers/${customer}/properties`, { name: "visits", value: "many" })).json).toMatchObject({
    code: "property_type",
  });
  // a refused command defines nothing
  const refused = { phone: "+14155550102", properties: { visits: "many", other: 1 } };
  expect((await post("/customers?define_properties=true", refused)).json).toMatchObject({ code: "property_type" });
  expect(Object.keys(await all())).not.toContain("customer.other");
});

test("a property that was archived stays so, whoever sets it", async () => {
  const { id } = (await define({ name: "Old", type: "number" })).json;
  await post(`/properties/${id}/archive`);
  const { customer } = (await post("/customers", { phone: "+14155550103" })).json.result;
  const set = await post(`/customers/${customer}/properties?define_properties=true`, { name: "old", value: "text" });
  expect(set.status).toBe(200);
  expect(await all()).toMatchObject({ "customer.Old": "number" });
  expect(Object.keys(await all())).not.toContain("customer.old");
});

test("conversations' properties are defined by the same means, and only by who may", async () => {
  const { conversation } = (await post("/channels/sms/messages", { from: "+14155550104", text: "hi" })).json.result;
  const path = `/conversations/${conversation}/properties?define_properties=true`;
  const agent = (await post("/users", { kind: "person", role: "agent", name: "Ben", email: "ben@acme.test" })).json.id;
  const token = (await post("/tokens", { user: agent, name: "ben" })).json.token;
  const body = { name: "order_id", value: "A-1" };
  expect(await api.call("POST", path, { body, token })).toMatchObject({ status: 403, json: { code: "forbidden" } });
  expect((await post(path, body)).status).toBe(200);
  expect(await all()).toMatchObject({ "conversation.order_id": "text" });
});
