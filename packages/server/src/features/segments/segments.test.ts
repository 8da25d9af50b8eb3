import { afterAll, beforeAll, expect, test } from "vitest";
import { type ApiAnswer, startTestApi, type TestApi } from "../../testing/test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const post = (path: string, body: object = {}): Promise<ApiAnswer> => api.call("POST", path, { body });
const get = (path: string): Promise<ApiAnswer> => api.call("GET", path);
const made = async (fields: object): Promise<string> => (await post("/customers", fields)).json.result.customer;
const names = async (query: string): Promise<string[]> => {
  const { status, json } = await get(`/customers?${query}`);
  expect([status, json.problems]).toEqual([200, undefined]);
  return json.items.map((row: { first_name: string }) => row.first_name);
};
const asked = (condition: object): string => `filter=${encodeURIComponent(JSON.stringify(condition))}`;
const pro = { field: "customer.properties.plan", op: "is", value: "pro" };

test("a segment is a saved filter: whoever it holds for now is found and counted", async () => {
  for (const [n, plan, country] of [
    [1, "pro", "DE"],
    [2, "free", "DE"],
    [3, "pro", "US"],
  ] as const)
    await made({ phone: `+1415555010${n}`, first_name: `C${n}`, country, properties: { plan, visits: n } });
  const gone = await made({ phone: "+14155550109", first_name: "Gone", properties: { plan: "pro" } });
  await post(`/customers/${gone}/merge`, { into: await made({ phone: "+14155550101" }) });

  const segment = await post("/segments", { name: "Pro users", filter: pro });
  expect(segment).toMatchObject({ status: 201, json: { slug: "pro-users", filter: pro, description: null } });
  expect(await names("segment=pro-users")).toEqual(["C3", "C1"]);
  expect(
    await names(`segment=${segment.json.id}&${asked({ field: "customer.country", op: "is", value: "de" })}`),
  ).toEqual(["C1"]);
  expect((await get("/customers/count?segment=pro-users")).json).toMatchObject({
    customers: 2,
    undecided: 0,
    found_by: expect.stringContaining("No index"),
  });
  expect((await get("/customers/count")).json).toMatchObject({ customers: 3, found_by: "Every customer is counted" });
  // one of the pages behind the first goes on with the filter
  const first = (await get("/customers?segment=pro-users&limit=1")).json;
  expect(await names(`segment=pro-users&limit=1&cursor=${first.next_cursor}`)).toEqual(["C1"]);
  // now and not when it was saved
  await post("/customers", { phone: "+14155550102", properties: { plan: "pro" } });
  expect((await get("/customers/count?segment=pro-users")).json.customers).toBe(3);
  // texts that write no number cannot be judged by size
  await post("/customers", { phone: "+14155550103", properties: { visits: "many" } });
  const many = asked({ field: "customer.properties.visits", op: "gt", value: 1 });
  expect((await get(`/customers/count?${many}`)).json).toMatchObject({ customers: 1, undecided: 1 });
});

test("a filter that means nothing is refused when it is saved, and when it is asked", async () => {
  const wrong = { field: "customer.nose", op: "is", value: 1 };
  const problem = { code: "filter_invalid", problems: [{ code: "field_unknown", path: "/filter" }] };
  expect((await post("/segments", { name: "Noses", filter: wrong })).json).toMatchObject(problem);
  expect(
    (await post("/segments", { name: "Talks", filter: { field: "conversation.status", op: "is", value: "open" } }))
      .json,
  ).toMatchObject({ code: "filter_invalid" });
  expect((await get(`/customers?${asked(wrong)}`)).json).toMatchObject(problem);
  expect((await get("/customers?filter=%7B")).json).toMatchObject({ code: "filter_invalid" });
  expect((await get("/customers?segment=none")).json).toMatchObject({ code: "segment_not_found" });
  const { id } = (await post("/segments", { name: "Pro users 2", filter: pro })).json;
  expect((await api.call("PATCH", `/segments/${id}`, { body: { filter: wrong } })).json).toMatchObject(problem);
  await post(`/segments/${id}/archive`);
  expect((await get(`/customers/count?segment=${id}`)).json).toMatchObject({ code: "segment_not_found" });
});
