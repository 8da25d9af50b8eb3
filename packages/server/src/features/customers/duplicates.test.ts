import { afterAll, beforeAll, expect, test } from "vitest";
import { rebuild } from "../../followers/cursor.ts";
import { type ApiAnswer, startTestApi, type TestApi } from "../../testing/test-api.ts";
import { duplicates } from "./duplicates.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const post = (path: string, body: object = {}): Promise<ApiAnswer> => api.call("POST", path, { body });
const get = (path: string): Promise<ApiAnswer> => api.call("GET", path);
const made = async (fields: object): Promise<string> => (await post("/customers", fields)).json.result.customer;
interface Pair {
  readonly customers: readonly { readonly id: string }[];
  readonly reasons: readonly string[];
}
const pairs = async (query = "") =>
  (await get(`/customers/duplicates${query}`)).json.items.map(({ customers, reasons }: Pair) => [
    customers.map(({ id }) => id),
    reasons,
  ]);
const shortly = { timeout: 20_000 };

test("who may be one person is suggested: by number, address, or name and zip code", async () => {
  const ann = await made({ phone: "+14155550101", first_name: "Ann", last_name: "Lee", zip_code: "94110" });
  const chat = await made({ external_id: "14155550101" });
  await expect.poll(() => pairs(), shortly).toEqual([[[ann, chat], ["phone"]]]);
  const mail = await made({ email: "ann@example.com" });
  const plus = await made({ email: "ann+news@example.com" });
  await expect.poll(() => pairs(`?customer=${plus}`), shortly).toEqual([[[mail, plus], ["email"]]]);
  // in whatever order they came
  const later = await made({ external_id: "Ann+shop@example.com" });
  await expect.poll(() => pairs(`?customer=${later}`), shortly).toHaveLength(2);
  const named = await made({ email: "lee@example.com", first_name: "ANN", last_name: "lee", zip_code: "94110" });
  await expect.poll(() => pairs(`?customer=${named}`), shortly).toEqual([[[ann, named], ["name"]]]);
  // one who is no more like the other is none of the pair
  await post("/customers", { customer: named, zip_code: "10001" });
  await expect.poll(() => pairs(`?customer=${named}`), shortly).toEqual([]);

  const dismissed = await post("/customers/duplicates/dismiss", { customer: plus, other: mail });
  expect(dismissed.json).toEqual({ dismissed: true });
  expect(await pairs(`?customer=${mail}`)).not.toContainEqual([[mail, plus], ["email"]]);
  // also when one of them changes, and when all is made anew
  await post("/customers", { customer: mail, first_name: "A", last_name: "L", zip_code: "1" });
  await made({ email: "l@example.com", first_name: "a", last_name: "l", zip_code: "1" });
  await expect
    .poll(() => pairs(`?customer=${mail}`), shortly)
    .toContainEqual([expect.arrayContaining([mail]), ["name"]]);
  await rebuild(api.server.database.pool, duplicates);
  await expect.poll(() => pairs(`?customer=${ann}`), shortly).toEqual([[[ann, chat], ["phone"]]]);
  expect(await pairs("?dismissed=true")).toEqual([[[mail, plus], ["email"]]]);
  expect((await post("/customers/duplicates/restore", { customer: mail, other: plus })).json).toEqual({
    dismissed: false,
  });
  expect(await pairs("?dismissed=true")).toEqual([]);
  expect((await post("/customers/duplicates/dismiss", { customer: ann, other: mail })).json).toMatchObject({
    code: "duplicate_not_found",
  });

  const preview = await get(`/customers/${chat}/merge_preview?into=${ann}`);
  expect(preview.json).toMatchObject({ source: chat, target: ann, waiting_runs: 0 });
  const held = preview.json.fields.find(({ field }: { field: string }) => field === "external_id");
  expect(held).toMatchObject({ source: "14155550101", target: null, result: "14155550101" });
  expect((await get(`/customers/${ann}`)).json.external_id).toBeNull();
  expect((await get(`/customers/${ann}/merge_preview?into=${ann}`)).json).toMatchObject({ code: "merge_with_itself" });
  const nobody = "01890000-0000-7000-8000-000000000000";
  expect((await get(`/customers/${ann}/merge_preview?into=${nobody}`)).status).toBe(404);

  await post(`/customers/${chat}/merge`, { into: ann });
  await expect.poll(() => pairs(`?customer=${ann}`), shortly).toEqual([]);
  await post(`/customers/${mail}/erase`);
  await expect.poll(() => pairs(`?customer=${mail}`), shortly).toEqual([]);
}, 120_000);
