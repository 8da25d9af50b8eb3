import { afterAll, beforeAll, expect, test } from "vitest";
import { type ApiAnswer, startTestApi, type TestApi } from "../../testing/test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const post = (path: string, body: object = {}): Promise<ApiAnswer> => api.call("POST", path, { body });
const made = async (fields: object): Promise<string> => (await post("/customers", fields)).json.result.customer;
const read = async (id: string) => (await api.call("GET", `/customers/${id}`)).json;

test("a customer says where they live, for whom they work, and since when they want messages", async () => {
  const id = await made({ phone: "+14155550101", city: "Bonn", region: "NRW", country: "de", company: "Acme" });
  expect(await read(id)).toMatchObject({ city: "Bonn", region: "NRW", country: "DE", company: "Acme" });
  await post(`/customers/${id}/unsubscribe`);
  expect(await read(id)).toMatchObject({ subscribed: false, unsubscribed_at: expect.any(String), subscribed_at: null });
  await post(`/customers/${id}/subscribe`);
  expect(await read(id)).toMatchObject({ subscribed: true, unsubscribed_at: null, subscribed_at: expect.any(String) });
  expect((await post("/customers", { phone: "+14155550101", country: "Narnia" })).json).toMatchObject({
    code: "country_unknown",
    path: "/country",
  });
});

test("a customer is found by each of several addresses, and a removed one is free for another", async () => {
  const ann = await made({ email: "ann@example.com" });
  const bob = await made({ email: "bob@example.com" });
  const address = { kind: "email", address: "ann@work.example" };
  expect((await post(`/customers/${ann}/add_address`, address)).json.result).toEqual({ customer: ann, changed: true });
  const find = async (email: string) =>
    (await api.call("GET", `/customers?email=${email}`)).json.items.map((row: { id: string }) => row.id);
  expect(await find("ann@work.example")).toEqual([ann]);
  const taken = await post(`/customers/${bob}/add_address`, address);
  expect(taken.status).toBe(409);
  expect(taken.json).toMatchObject({ code: "address_taken", path: "/address", customer: ann });
  expect((await post("/customers", { customer: bob, email: "ann@work.example" })).json).toMatchObject({
    code: "email_taken",
    customer: ann,
  });
  await post(`/customers/${ann}/make_address_primary`, address);
  expect(await read(ann)).toMatchObject({ email: "ann@work.example", handles: ["email:ann@example.com"] });
  await post(`/customers/${ann}/remove_address`, address);
  expect(await read(ann)).toMatchObject({ email: "ann@example.com", handles: [] });
  await post(`/customers/${bob}/add_address`, address);
  expect(await find("ann@work.example")).toEqual([bob]);
});
