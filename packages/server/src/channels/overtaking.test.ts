import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startTestApi, testPublicUrl, type TestApi } from "../testing/test-api.ts";
import { twilioSignature } from "./twilio/signature.ts";

const authToken = "twilio-auth-token";
let api: TestApi;
let channel: string;
let twilio: Server;
/** What the provider does with a message before it answers our call; the address is where it is to tell its news. */
let meanwhile: (sid: string, callback: string) => Promise<number> = async () => 201;
let sent = 0;

beforeAll(async () => {
  api = await startTestApi({ THREADMILL_ALLOW_PRIVATE_ADDRESSES: "127.0.0.1" });
  twilio = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      const sid = `SM${(sent += 1)}`;
      void meanwhile(sid, form.get("StatusCallback") as string).then((status) =>
        response.writeHead(status).end(JSON.stringify({ sid })),
      );
    });
  });
  await new Promise<void>((resolve) => twilio.listen(0, "127.0.0.1", resolve));
  const mailbox = (await api.call("GET", "/mailboxes")).json.items[0].id;
  const made = await api.call("POST", "/channels", {
    body: {
      name: "Twilio",
      kind: "sms",
      mailbox,
      provider: "twilio",
      address: "+14155550100",
      provider_settings: { account_sid: "AC1", base_url: `http://127.0.0.1:${(twilio.address() as AddressInfo).port}` },
      auth_token: authToken,
    },
  });
  channel = made.json.id;
});
afterEach(() => twilio.closeAllConnections());
afterAll(async () => {
  twilio.close();
  await api.close();
});

/** Twilio's news of a message, signed as it signs. */
async function news(callback: string, sid: string, status: string, more: Record<string, string> = {}) {
  const fields = { MessageSid: sid, MessageStatus: status, ...more };
  const answer = await api.raw({
    method: "POST",
    url: callback.replace(testPublicUrl, ""),
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "x-twilio-signature": twilioSignature(authToken, callback, Object.entries(fields)),
    },
    payload: new URLSearchParams(fields).toString(),
  });
  return { status: answer.statusCode, body: answer.body };
}

let customers = 0;
async function send(): Promise<string> {
  const came = await api.call("POST", `/channels/${channel}/messages`, {
    body: { from: `+1415777${1000 + (customers += 1)}`, text: "hi" },
  });
  const path = `/conversations/${came.json.result.conversation}/messages`;
  return (await api.call("POST", path, { body: { text: "hello" } })).json.result.message;
}
const read = async (message: string) => (await api.call("GET", `/messages/${message}`)).json;
/** Settled: no effect of it is due any more. */
const settled = async (message: string) => {
  const { rows } = await api.server.database.pool.query<{ status: string }>(
    "select status from effects where payload ->> 'message' = $1 and status = 'due'",
    [message],
  );
  return rows.length === 0;
};

test.each([
  ["delivered", 201, { delivery: "delivered", delivery_error: null }],
  ["read", 201, { delivery: "read" }],
  ["undelivered", 201, { delivery: "failed", delivery_error: "twilio 30003" }],
  ["sent", 201, { delivery: "sent" }],
  // our call broke, but the news says that the message went out
  ["delivered", 500, { delivery: "delivered" }],
])("news of %s that comes before our call is answered with %i is kept", async (status, answer, expected) => {
  const told: number[] = [];
  let id = "";
  meanwhile = async (sid, callback) => {
    id = sid;
    const error = status === "undelivered" ? { ErrorCode: "30003" } : undefined;
    told.push((await news(callback, sid, status, error)).status);
    return answer;
  };
  const message = await send();
  await expect.poll(() => settled(message), { timeout: 10_000 }).toBe(true);
  expect(told).toEqual([200]);
  expect(await read(message)).toMatchObject({ ...expected, provider_id: id });
});

test("the address of a message's news names that message and no other", async () => {
  const callbacks: string[] = [];
  meanwhile = async (_sid, callback) => {
    callbacks.push(callback);
    return 201;
  };
  const messages = [await send(), await send()] as [string, string];
  for (const message of messages) await expect.poll(() => settled(message), { timeout: 10_000 }).toBe(true);
  const [first] = callbacks as [string, string];
  expect(first).toMatch(new RegExp(`^${testPublicUrl}/webhooks/twilio/${channel}/status\\?message=[\\w.-]+$`));
  expect(first).not.toContain(messages[0]);
  const at = first.indexOf("=") + 20;
  const forged = first.slice(0, at) + (first[at] === "A" ? "B" : "A") + first.slice(at + 1);
  for (const url of [forged, first.replace(/message=.*/, `message=${messages[1]}`), `${first}&message=x`])
    expect(await news(url, "SM1", "read")).toMatchObject({ status: 403 });
  // an address that names none goes by the provider's id
  const { provider_id } = await read(messages[1]);
  expect(await news(first.replace(/\?.*/, ""), provider_id, "read")).toMatchObject({ status: 200 });
  expect(await read(messages[1])).toMatchObject({ delivery: "read" });
  expect(await read(messages[0])).toMatchObject({ delivery: "sent" });
  // it belongs to its channel
  const other = await api.call("POST", "/channels", {
    body: {
      name: "Other",
      kind: "sms",
      mailbox: (await api.call("GET", "/mailboxes")).json.items[0].id,
      provider: "twilio",
      auth_token: authToken,
    },
  });
  expect(await news(first.replace(channel, other.json.id), "SM1", "read")).toMatchObject({ status: 403 });
});
