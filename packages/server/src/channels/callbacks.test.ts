import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestApi, testPublicUrl, type TestApi } from "../testing/test-api.ts";
import { type FormField, twilioSignature } from "./twilio/signature.ts";

const authToken = "twilio-auth-token";
let api: TestApi;
let sms: string;
let whatsapp: string;
let messenger: string;

beforeAll(async () => {
  api = await startTestApi();
  const mailbox = (await api.call("GET", "/mailboxes")).json.items[0].id;
  const channel = async (kind: string) =>
    (await api.call("POST", "/channels", { body: { name: `Twilio ${kind}`, kind, mailbox, auth_token: authToken } }))
      .json.id as string;
  [sms, whatsapp, messenger] = [await channel("sms"), await channel("whatsapp"), await channel("messenger")];
});
afterAll(() => api.close());

interface Sent {
  readonly fields: Record<string, string>;
  readonly signature?: string;
  readonly path?: string;
}

async function send(channel: string, { fields, signature, path = "" }: Sent) {
  const url = `/webhooks/twilio/${channel}${path}`;
  const list: FormField[] = Object.entries(fields);
  const answer = await api.raw({
    method: "POST",
    url,
    headers: {
      "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
      "x-twilio-signature": signature ?? twilioSignature(authToken, testPublicUrl + url, list),
    },
    payload: new URLSearchParams(fields).toString(),
  });
  return {
    status: answer.statusCode,
    type: answer.headers["content-type"],
    body: answer.body,
    code: answer.body.startsWith("{") ? answer.json<{ code: string }>().code : null,
  };
}

const newest = async () => (await api.call("GET", "/conversations?limit=1")).json.items[0];
const messages = async (conversation: string) =>
  (await api.call("GET", `/conversations/${conversation}/messages?order=oldest`)).json.items;
const accepted = { status: 200, type: "text/xml", body: '<?xml version="1.0" encoding="UTF-8"?><Response/>' };

test("an SMS comes in once, however often it is told", async () => {
  const fields = {
    MessageSid: "SM1",
    From: "+14155552671",
    To: "+14155550100",
    Body: "Grüße 👋",
    NumMedia: "1",
    MediaUrl0: "https://a.test/1.png",
    MediaContentType0: "image/png",
  };
  expect(await send(sms, { fields })).toMatchObject(accepted);
  expect(await send(sms, { fields })).toMatchObject(accepted);
  const conversation = await newest();
  expect(conversation).toMatchObject({ address: "+14155552671", channel: sms, status: "open" });
  expect(await messages(conversation.id)).toMatchObject([
    {
      direction: "inbound",
      text: "Grüße 👋",
      provider_id: "SM1",
      media: [{ url: "https://a.test/1.png", content_type: "image/png" }],
    },
  ]);
});

test("WhatsApp and Messenger keep their addresses", async () => {
  expect(
    await send(whatsapp, {
      fields: { MessageSid: "SM2", From: "whatsapp:+14155552672", Body: "hi", ProfileName: "Wanda" },
    }),
  ).toMatchObject(accepted);
  const first = await newest();
  expect(first).toMatchObject({ address: "whatsapp:+14155552672" });
  expect((await api.call("GET", `/customers/${first.customer}`)).json).toMatchObject({
    first_name: "Wanda",
    phone: "+14155552672",
  });
  expect(await send(messenger, { fields: { MessageSid: "SM3", From: "messenger:12345", Body: "hi" } })).toMatchObject(
    accepted,
  );
  expect(await newest()).toMatchObject({ address: "messenger:12345" });
});

test("status callbacks tell what became of a message", async () => {
  await send(sms, { fields: { MessageSid: "SM4", From: "+14155552674", Body: "hi" } });
  const { id } = await newest();
  const reply = (await api.call("POST", `/conversations/${id}/messages`, { body: { text: "hello" } })).json.result
    .message;
  const delivery = async () => (await api.call("GET", `/messages/${reply}`)).json;
  await expect.poll(delivery, { timeout: 10_000 }).toMatchObject({ delivery: "sent" });
  const { provider_id } = await delivery();
  const status = (fields: Record<string, string>) =>
    send(sms, { path: "/status", fields: { MessageSid: provider_id, ...fields } });
  expect(await status({ MessageStatus: "queued" })).toMatchObject(accepted);
  expect(await status({ MessageStatus: "undelivered", ErrorCode: "30003" })).toMatchObject(accepted);
  expect(await delivery()).toMatchObject({ delivery: "failed", delivery_error: "twilio 30003" });
  expect(await status({ MessageStatus: "delivered" })).toMatchObject(accepted);
  expect(await delivery()).toMatchObject({ delivery: "delivered" });
  expect(
    await send(sms, { path: "/status", fields: { MessageSid: "SM-unknown", MessageStatus: "sent" } }),
  ).toMatchObject({ status: 404, code: "message_not_found" });
});

test.each([
  ["a short code", "12345", "12345"],
  ["a name", "ACME", "ACME"],
  ["nobody", "", "other:unknown"],
])("a message from %s is taken in", async (_name, From, address) => {
  const sent = await send(sms, { fields: { MessageSid: `SM-from-${address}`, From, Body: "your code is 1" } });
  expect(sent).toMatchObject(accepted);
  expect(await newest()).toMatchObject({ address });
});

test.each([
  [
    "a wrong signature",
    { fields: { MessageSid: "SM9", From: "+14155552679", Body: "x" }, signature: "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" },
    403,
    "wrong_signature",
  ],
  [
    "no signature",
    { fields: { MessageSid: "SM9", From: "+14155552679", Body: "x" }, signature: "" },
    403,
    "wrong_signature",
  ],
  ["no id", { fields: { From: "+14155552679", Body: "x" } }, 422, "invalid_input"],
  ["NUL", { fields: { MessageSid: "SM9", From: "+14155552679", Body: "a\0" } }, 422, "text_not_allowed"],
  ["no such status", { fields: { MessageSid: "SM9" }, path: "/status" }, 422, "invalid_input"],
])("%s is refused", async (_name, sent, status, code) => {
  expect(await send(sms, sent)).toMatchObject({ status, code });
});

test("a channel without a secret believes nobody, and unknown ones are not found", async () => {
  const fields = { MessageSid: "SM9", From: "+14155552679", Body: "x" };
  const channels = (await api.call("GET", "/channels")).json.items as { id: string; slug: string }[];
  const bare = channels.find((one) => one.slug === "sms")?.id as string;
  expect(await send(bare, { fields })).toMatchObject({ status: 403, code: "wrong_signature" });
  expect(await send(channels.find((one) => one.slug === "api")?.id as string, { fields })).toMatchObject({
    status: 404,
  });
  expect(await send("01890000-0000-7000-8000-000000000000", { fields })).toMatchObject({
    status: 404,
    code: "not_found",
  });
  expect(await send("odd", { fields })).toMatchObject({ status: 404 });
});

test("a secret that another process changed is looked up when the one that is known does not fit", async () => {
  const mailbox = (await api.call("GET", "/mailboxes")).json.items[0].id;
  const body = { name: "Changed", kind: "sms", mailbox, auth_token: "before" };
  const { id } = (await api.call("POST", "/channels", { body })).json;
  const fields = { MessageSid: "SM11", From: "+14155552679", Body: "x" };
  expect(await send(id, { fields })).toMatchObject({ status: 403 });
  await api.call("PATCH", `/channels/${id}`, { body: { auth_token: authToken } });
  // well before the five seconds for which channels are remembered
  await expect.poll(() => send(id, { fields }), { timeout: 3500, interval: 300 }).toMatchObject(accepted);
});

test("a secret that cannot be opened is our trouble, and the provider is to come again", async () => {
  const mailbox = (await api.call("GET", "/mailboxes")).json.items[0].id;
  const body = { name: "Lost", kind: "sms", mailbox, auth_token: authToken };
  const { id } = (await api.call("POST", "/channels", { body })).json;
  await api.server.database.pool.query(
    "update channels set provider_secrets = jsonb_build_object('auth_token', 'v1:x') where id = $1",
    [id],
  );
  const fields = { MessageSid: "SM10", From: "+14155552679", Body: "x" };
  expect(await send(id, { fields })).toMatchObject({ status: 503, code: "unavailable" });
});

test("JSON is no form", async () => {
  const answer = await api.raw({
    method: "POST",
    url: `/webhooks/twilio/${sms}`,
    headers: { "content-type": "application/json" },
    payload: "{}",
  });
  expect(answer.statusCode).toBe(415);
});
