import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestApi, type TestApi } from "../../testing/test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const get = async (query: string) => api.call("GET", `/attributes${query}`);
const paths = async (query: string): Promise<string[]> =>
  (await get(query)).json.attributes.map(({ path }: { path: string }) => path);

test("a builder learns what a trigger's condition and a step can name, the organization's own among it", async () => {
  const property = { noun: "customer", name: "tier", label: "Tier", type: "choice", options: ["gold", "tin"] };
  expect((await api.call("POST", "/properties", { body: property })).status).toBe(201);
  const { json } = await get("?trigger=message.received");
  expect(json.attributes).toContainEqual({
    path: "customer.properties.tier",
    label: "Tier",
    group: "Customer",
    type: "text",
    operators: expect.arrayContaining(["is", "changed_to"]),
    choices: ["gold", "tin"],
    refers_to: null,
    lazy: true,
  });
  expect(json.operators).toContainEqual({
    name: "contains",
    label: "contains",
    phrase: "{field} contains {value}",
    value: "text",
    exact: true,
  });
  expect(await paths("?trigger=customer.property_set")).toContain("event.data.names");
  expect(await paths("?trigger=customer.property_set&in=step")).not.toContain("event.data.names");
  expect(await paths("?trigger=conversation.waiting_since")).not.toContain("message.text");
  expect(await paths("?trigger=customer.created,message.received&in=step")).toContain("message.text");
  expect(await paths("?in=step")).toContain("run.started_at");
});

test.each(["?trigger=message.recieved", "?trigger=conversation.subject", ""])(
  "%s is no place to stand",
  async (query) => {
    expect(await get(query)).toMatchObject({ status: 422, json: { path: "/trigger" } });
  },
);
