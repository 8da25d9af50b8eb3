import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { redactor } from "../secrets/redact.ts";
import { startTestApi, type TestApi } from "../testing/test-api.ts";
import { redactedFault } from "./redacted.ts";

/** The secret that must be found nowhere. */
const needle = "needle+/in a haystack=0123456789";

let api: TestApi;
let provider: Server;
let answer: (authorization: string, response: ServerResponse) => void;
let base: string;
beforeAll(async () => {
  api = await startTestApi({ THREADMILL_ALLOW_PRIVATE_ADDRESSES: "127.0.0.1" });
  provider = createServer((request, response) => answer(request.headers.authorization ?? "", response));
  await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
});
afterEach(() => provider.closeAllConnections());
afterAll(async () => {
  provider.close();
  await api.close();
});

let senders = 0;
/** A channel over Twilio at some address, with a conversation in it. */
async function conversationOver(base_url: string) {
  const mailbox = (await api.call("GET", "/mailboxes")).json.items[0].id;
  const channel = await api.call("POST", "/channels", {
    body: {
      name: `Line ${(senders += 1)}`,
      kind: "sms",
      mailbox,
      provider: "twilio",
      address: "+14155550100",
      provider_settings: { account_sid: "AC1", base_url },
      auth_token: needle,
    },
  });
  const came = await api.call("POST", `/channels/${channel.json.id}/messages`, {
    body: { from: `+1415777${1000 + senders}`, text: "hi" },
  });
  return { channel: channel.json.id as string, conversation: came.json.result.conversation as string };
}

async function sendOver(base_url: string) {
  const { conversation } = await conversationOver(base_url);
  const sent = await api.call("POST", `/conversations/${conversation}/messages`, { body: { text: "hello" } });
  const message = sent.json.result.message as string;
  await expect
    .poll(async () => (await api.call("GET", `/messages/${message}`)).json.delivery, { timeout: 10_000 })
    .not.toBe("queued");
  return (await api.call("GET", `/messages/${message}`)).json as { delivery: string; delivery_error: string | null };
}

/** Every row of every table as text. */
async function everything(): Promise<string> {
  const { pool } = api.server.database;
  const tables = await pool.query<{ name: string }>(
    "select quote_ident(tablename) as name from pg_tables where schemaname = 'public'",
  );
  const texts = [];
  for (const { name } of tables.rows) {
    const { rows } = await pool.query<{ text: string }>(`select t::text as text from ${name} t`);
    texts.push(...rows.map((row) => row.text));
  }
  return texts.join("\n");
}

test("a provider that repeats what it was sent gives no secret away, in no table", async () => {
  const echo = (authorization: string) => {
    const plain = Buffer.from(authorization.replace("Basic ", ""), "base64").toString();
    return { message: `${authorization} ${plain} ${encodeURIComponent(plain)}`, code: plain, more_info: plain };
  };
  const says =
    (status: number, more: (authorization: string) => object = () => ({})) =>
    (authorization: string, response: ServerResponse): void =>
      void response.writeHead(status).end(JSON.stringify({ ...echo(authorization), ...more(authorization) }));
  answer = says(400);
  expect(await sendOver(base)).toMatchObject({
    delivery: "failed",
    delivery_error: expect.stringMatching(/^Twilio answered 400: Basic .*\[redacted\]/),
  });
  answer = says(500);
  expect(await sendOver(base)).toMatchObject({ delivery: "held" });
  answer = says(201, (authorization) => ({ sid: `SM${authorization}` }));
  expect(await sendOver(base)).toMatchObject({ delivery: "held" });
  const stored = await everything();
  const basic = Buffer.from(`AC1:${needle}`).toString("base64");
  for (const spelling of [needle, encodeURIComponent(needle), basic, basic.slice(8, 32)])
    expect(stored).not.toContain(spelling);
});

test("what stands in an answer beside its code and message is not kept", async () => {
  answer = (_authorization, response) =>
    void response.writeHead(403, { "x-inside": "inside-1" }).end('{"body":"inside-2","message":"line 1\\nline 2"}');
  const { delivery_error } = await sendOver(base);
  expect(delivery_error).toBe("Twilio answered 403: line 1 line 2");
  answer = (_authorization, response) => void response.writeHead(403).end("inside-3 as plain text");
  expect((await sendOver(base)).delivery_error).toBe("Twilio answered 403: ");
  expect(await everything()).not.toMatch(/inside-\d/);
});

test("an address inside the house is refused and says nothing of what is there", async () => {
  expect(await sendOver("http://169.254.169.254/latest/meta-data")).toMatchObject({
    delivery: "failed",
    delivery_error: "The channel's base_url: 169.254.169.254 is no public address",
  });
});

test("a fault in a provider's code is logged without the secret", async () => {
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  const redact = redactor([needle]);
  log.error({ err: redactedFault(new Error(`bad header ${needle}`, { cause: needle }), redact) }, "failed");
  log.error({ err: redactedFault(needle, redact) }, "failed");
  expect(lines).toHaveLength(2);
  expect(lines.join("")).not.toContain(needle);
});
