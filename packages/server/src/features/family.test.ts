import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestApi, type TestApi } from "../testing/test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

type Item = Record<string, string>;
const write = async (channel: string, from: string): Promise<Item> =>
  (await api.call("POST", `/channels/${channel}/messages`, { body: { from, text: "hello" } })).json.result;
const items = async (url: string): Promise<Item[]> => (await api.call("GET", url)).json.items;
const typesOf = async (url: string) => (await items(url)).map((event) => event["type"]);

test("what was merged is found under both ids: conversations, messages and events, before and after the merge", async () => {
  const text = await write("sms", "+14155550101");
  const call = await write("api", "visitor-1");
  await api.call("POST", `/customers/${text["customer"]}/merge`, { body: { into: call["customer"] } });
  // told of the customer who stands for both by now, in the conversation of the one who was merged
  await api.call("POST", `/conversations/${text["conversation"]}/topic`, { body: { topic: "refund" } });
  const before = ["customer.created", "conversation.opened", "message.received"];
  const own = before.slice(1);
  expect(await typesOf(`/events?conversation=${text["conversation"]}`)).toEqual([...own, "conversation.topic_set"]);
  expect(await typesOf(`/events?conversation=${call["conversation"]}`)).toEqual(own);

  for (const customer of [text["customer"], call["customer"]]) {
    const found = await items(`/conversations?customer=${customer}`);
    expect(new Set(found.map((row) => row["id"]))).toEqual(new Set([text["conversation"], call["conversation"]]));
    expect((await typesOf(`/events?customer=${customer}`)).slice(0, 7)).toEqual([
      ...before,
      ...before,
      "customer.merged",
    ]);
  }

  await api.call("POST", `/conversations/${text["conversation"]}/merge`, { body: { into: call["conversation"] } });
  await write("sms", "+14155550101");
  for (const conversation of [text["conversation"], call["conversation"]]) {
    expect(await typesOf(`/events?conversation=${conversation}&order=newest&limit=2`)).toEqual([
      "message.received",
      "conversation.merged",
    ]);
    const messages = await items(`/conversations/${conversation}/messages?order=oldest`);
    expect(messages.map((message) => [message["conversation"], message["address"]])).toEqual([
      [text["conversation"], "+14155550101"],
      [call["conversation"], "visitor-1"],
      [call["conversation"], "+14155550101"],
    ]);
    const detail = (await api.call("GET", `/conversations/${conversation}`)).json;
    expect(detail.messages).toHaveLength(3);
    expect(detail.customer_detail).toMatchObject({ id: call["customer"], merged_into: null });
  }
  const bySms = await items("/conversations?channel=sms");
  const byApi = await items("/conversations?channel=api");
  expect(new Set(bySms.map((row) => row["id"]))).toEqual(new Set([text["conversation"], call["conversation"]]));
  expect(byApi.map((row) => row["id"])).toEqual([call["conversation"]]);
});

test("runs are found under both ids, those that were over before the merge too", async () => {
  await api.call("POST", "/workflows?publish=true", {
    body: {
      name: "Tag",
      kind: "automatic",
      triggers: [{ event: "message.received" }],
      start: "tag",
      steps: { tag: { action: "conversation.add_tags", input: { tags: ["seen"] } } },
    },
  });
  const text = await write("sms", "+14155550109");
  const call = await write("api", "visitor-9");
  await api.call("POST", `/customers/${text["customer"]}/merge`, { body: { into: call["customer"] } });
  await api.call("POST", `/conversations/${text["conversation"]}/merge`, { body: { into: call["conversation"] } });
  for (const one of [text, call]) {
    expect(await items(`/runs?customer=${one["customer"]}`)).toHaveLength(2);
    expect(await items(`/runs?conversation=${one["conversation"]}&status=finished`)).toHaveLength(2);
  }
});

test("who is not there has nothing, and stands for nobody", async () => {
  const nobody = "01a1f9e6-9668-7e36-8355-3116b8a45207";
  expect(await items(`/conversations?customer=${nobody}`)).toEqual([]);
  expect(await items(`/events?customer=${nobody}`)).toEqual([]);
  expect(await api.call("GET", `/events?conversation=${nobody}`)).toMatchObject({ status: 422 });
  expect(await api.call("GET", `/conversations/${nobody}/messages`)).toMatchObject({ status: 404 });
});
