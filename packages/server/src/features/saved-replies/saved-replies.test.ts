import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestApi, type TestApi } from "../../testing/test-api.ts";

let api: TestApi;
let agent: string;
let conversation: string;
beforeAll(async () => {
  api = await startTestApi();
  const user = (await api.call("POST", "/users", { body: { name: "Ben", kind: "person", role: "agent" } })).json.id;
  agent = (await api.call("POST", "/tokens", { body: { name: "Ben's", user } })).json.token;
  const body = { from: "+14155550101", text: "hello", first_name: "Ann" };
  conversation = (await api.call("POST", "/channels/sms/messages", { body })).json.result.conversation;
});
afterAll(() => api.close());

const make = (body: object, token?: string) =>
  api.call("POST", "/saved-replies", { body, ...(token !== undefined && { token }) });
const use = (reply: string, token?: string) =>
  api.call("POST", `/conversations/${conversation}/saved-replies/${reply}/use`, {
    body: {},
    ...(token !== undefined && { token }),
  });

test("a saved reply is made into words for a conversation, and its uses are counted", async () => {
  const text = "Hi {{ customer.first_name | default: 'there' }}, {{ user.name }} here";
  const { json } = await make({ name: "Greeting", text, folder: "Hello", shared: true });
  expect(json).toMatchObject({ shared: true, folder: "Hello", uses: 0, used_at: null });
  expect((await use(json.id, agent)).json).toEqual({ reply: json.id, text: "Hi Ann, Ben here" });
  await use(json.id);
  const listed = (await api.call("GET", "/saved-replies?folder=Hello&search=GREET", { token: agent })).json.items;
  expect(listed).toMatchObject([{ id: json.id, uses: 2, used_at: expect.any(String) }]);
  expect((await api.call("GET", "/saved-replies?search=nowhere")).json.items).toEqual([]);
});

test("one's own are nobody else's, and everybody's are changed with the right alone", async () => {
  const own = (await make({ name: "Mine", text: "x" }, agent)).json;
  expect(await use(own.id)).toMatchObject({ status: 404, json: { code: "saved_reply_not_found" } });
  expect(
    (await api.call("PATCH", `/saved-replies/${own.id}`, { token: agent, body: { text: "y" } })).json,
  ).toMatchObject({ name: "Mine", text: "y" });
  const shared = (await make({ name: "All", text: "x", shared: true })).json;
  expect((await make({ name: "All", text: "x", shared: true }, agent)).status).toBe(403);
  for (const method of ["PATCH", "DELETE"] as const)
    expect(
      (await api.call(method, `/saved-replies/${shared.id}`, { token: agent, ...(method === "PATCH" && { body: {} }) }))
        .status,
    ).toBe(403);
  expect((await api.call("DELETE", `/saved-replies/${own.id}`, { token: agent })).json).toEqual({ id: own.id });
  expect((await use(own.id, agent)).status).toBe(404);
});

test("a text with mistakes is refused, and one that cannot be made says so", async () => {
  expect(await make({ name: "Bad", text: "{{ customer.colour }}" })).toMatchObject({
    status: 422,
    json: { code: "text_invalid", problems: [{ code: "field_unknown", path: "/text" }] },
  });
  const long = "{% for n in (1..60000) %}ab{% endfor %}";
  const { json } = await make({ name: "Long", text: long });
  expect(await use(json.id)).toMatchObject({ status: 409, json: { code: "template_runaway" } });
});
