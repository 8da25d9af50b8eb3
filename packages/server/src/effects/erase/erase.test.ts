import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { backupToFile } from "../../db/backup.ts";
import { type ApiAnswer, startTestApi, type TestApi } from "../../testing/test-api.ts";

/** What must be found nowhere afterwards: a word, and a telephone number in any writing. */
const needle = "zebulon";
const phone = "+15552223344";
const found = new RegExp(`${needle}|5552223344`, "i");

let api: TestApi;
let provider: Server;
/** what the provider answers, by a word in the message's text */
const answers: Record<string, [status: number, body: object]> = {
  refuse: [400, { code: 21211, message: `${needle} is no valid number` }],
  busy: [503, { message: `busy with ${needle}` }],
};

beforeAll(async () => {
  provider = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = new URLSearchParams(Buffer.concat(chunks).toString()).get("Body") ?? "";
      const [status, body] = answers[Object.keys(answers).find((word) => text.includes(word)) ?? ""] ?? [
        201,
        { sid: `SM${needle}` },
      ];
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
  api = await startTestApi({ THREADMILL_ALLOW_PRIVATE_ADDRESSES: "127.0.0.1" });
});
afterAll(async () => {
  await api.close();
  provider.closeAllConnections();
  provider.close();
});

const query = async <T extends object>(text: string, values: unknown[] = []): Promise<T[]> =>
  (await api.server.database.pool.query<T>(text, values)).rows;

async function call(path: string, body: object = {}, headers: Record<string, string> = {}): Promise<ApiAnswer> {
  const answer = await api.call("POST", path, { body, headers });
  expect([path, answer.status, answer.text]).toEqual([path, expect.toBeOneOf([200, 201]), answer.text]);
  return answer;
}

/** The tables of the schema, partitioned ones once, in which the needle stands in any column. */
async function whereFound(): Promise<string[]> {
  const tables = await query<{ name: string }>(
    `select distinct table_name as name from information_schema.columns c where table_schema = 'public'
and not exists (select from pg_class p where p.relname = c.table_name and p.relispartition)`,
  );
  expect(tables.length).toBeGreaterThan(20);
  const held: string[] = [];
  for (const { name } of tables) {
    const rows = await query<{ row: string }>(`select to_jsonb(t)::text as row from "${name}" t`);
    if (rows.some(({ row }) => found.test(row))) held.push(name);
  }
  return held.toSorted();
}

const workflow = (name: string, rest: object) =>
  call("/workflows?publish=true", { name, kind: "automatic", ...rest }).then((answer) => answer);

async function setUp(): Promise<void> {
  const { port } = provider.address() as AddressInfo;
  const mailbox = (await api.call("GET", "/mailboxes")).json.items[0].id;
  await call("/channels", {
    slug: "out",
    name: "Out",
    kind: "sms",
    mailbox,
    address: "+14155550199",
    provider: "twilio",
    provider_settings: { account_sid: "AC1", base_url: `http://127.0.0.1:${port}` },
    auth_token: "token",
  });
  await call("/workflows?publish=true", {
    name: "Elsewhere",
    kind: "callable",
    inputs: { who: { type: "text" } },
    start: "hold",
    steps: { hold: { wait: { for: "30d" } } },
  });
  await workflow("Doors", {
    triggers: [{ event: "message.received" }],
    start: "tag",
    steps: {
      tag: {
        action: "conversation.add_tags",
        input: { tags: ["said {{ message.text | slice: 0, 20 }}"] },
        next: "topic",
      },
      topic: { action: "conversation.set_topic", input: { topic: "{{ message.text | slice: 0, 50 }}" }, next: "ask" },
      ask: {
        branch: [{ when: { field: "message.text", op: "is", value: "never" }, next: "note" }],
        next: "note",
      },
      note: { action: "message.note", input: { text: "noted: {{ message.text }}" }, next: "call" },
      call: {
        action: "run.start",
        input: { workflow: "elsewhere", inputs: { who: "{{ message.text }}" } },
        next: "send",
      },
      send: {
        action: "message.send",
        input: { text: "You said: {{ message.text }}" },
        await: true,
        next: "end",
        onError: "failed",
      },
      failed: { action: "conversation.set_pending", next: "end" },
      end: { stop: { outputs: { who: "{{ message.text }}" } } },
    },
  });
  await workflow("Fails", {
    triggers: [{ event: "message.received" }],
    start: "bad",
    steps: {
      bad: { action: "conversation.assign", input: { user: "{{ message.text }}" } },
    },
  });
}

test("erasing a customer leaves nothing personal in any table or backup, whatever door it came through", async () => {
  await setUp();
  const write = (text: string, more: object = {}) =>
    call("/channels/out/messages", { from: phone, text, ...more }).then(({ json }) => json.result);
  const { customer, conversation, message } = await write(`my name is ${needle}`, {
    first_name: needle,
    subject: `about ${needle}`,
    provider_id: `wamid.${needle}`,
    media: [{ url: `https://example.test/${needle}.jpg` }],
  });
  await expect.poll(async () => (await api.call("GET", `/messages/${message}`)).status).toBe(200);
  await write(`${needle} will refuse`);
  const later = (await write(`${needle} is busy`)).message;
  // the door of the API
  const keyed = { "idempotency-key": `key-of-${needle}` };
  await call(`/customers/${customer}/properties`, { name: needle, value: needle }, keyed);
  const keyedToo = { "idempotency-key": `other-key-of-${needle}` };
  await call(`/customers/${customer}/properties`, { name: needle, value: "other" }, keyedToo);
  await api.call("DELETE", `/customers/${customer}/properties/${needle}`);
  await call("/customers", {
    customer,
    email: `${needle}@example.test`,
    zip_code: needle,
    city: needle,
    region: needle,
    company: needle,
    properties: { a: needle },
  });
  await call(`/customers/${customer}/add_address`, { kind: "external", address: needle });
  const { note } = (await call(`/customers/${customer}/notes`, { text: `note on ${needle}` })).json.result;
  await call(`/notes/${note}`, { text: `again on ${needle}` });
  await call(`/customers/${customer}/add_tags`, { tags: [needle] });
  await call(`/conversations/${conversation}/add_tags`, { tags: [`vip ${needle}`] });
  await call(`/conversations/${conversation}/topic`, { topic: needle });
  await call(`/conversations/${conversation}/properties`, { name: needle, value: { of: needle } });
  await call(`/conversations/${conversation}/notes`, { text: needle });
  await call(`/messages/${message}/tag`, { tags: [needle] });
  const draft = `/conversations/${conversation}/drafts/reply`;
  expect((await api.call("PUT", draft, { body: { version: 0, text: `Dear ${needle}` } })).status).toBe(200);
  await expect.poll(() => query("select 1 from conversation_tags"), { timeout: 20_000 }).not.toHaveLength(0);
  const { run } = (await call("/workflows/elsewhere/runs", { conversation, inputs: { who: needle } })).json.result;
  await call(`/runs/${run}/cancel`, { reason: `${needle} asked for it` });
  // somebody who was merged into the customer held the same person's data
  const other = (await call("/channels/sms/messages", { from: "+15552223345", text: `i am ${needle} too` })).json
    .result;
  await call(`/conversations/${other.conversation}/topic`, { topic: needle });
  await call(`/customers/${other.customer}/merge`, { into: customer });
  await call(`/conversations/${other.conversation}/notes`, { text: `${needle} again` });
  // items that no batch could carry: one names the customer by an address alone, one by a conversation
  await query(`create function refuse_poison() returns trigger language plpgsql as $$
begin if new.text like '%poison%' then raise exception 'poison'; end if; return new; end $$`);
  await query("create trigger poison before insert on messages for each row execute function refuse_poison()");
  await write(`poison of ${needle}`);
  const refused = await api.raw({
    method: "POST",
    url: `/api/v2/conversations/${conversation}/notes`,
    headers: { authorization: "Bearer tm_0123456789abcdef0123456789abcdef" },
    payload: { text: `poison for ${needle}` },
  });
  expect(refused.statusCode).toBe(500);

  // what went wrong outside stands there too
  const effects = () =>
    query<{ status: string; text: string }>("select status, to_jsonb(e)::text as text from effects e");
  await expect
    .poll(async () => (await effects()).filter(({ text }) => text.includes("no valid number")).length, {
      timeout: 20_000,
    })
    .toBeGreaterThan(0);
  await expect
    .poll(async () => (await effects()).some(({ text }) => text.includes("busy with")), { timeout: 20_000 })
    .toBe(true);
  const waits = await query<{ id: string }>("select id from runs where message = $1 and status = 'waiting'", [later]);
  expect(waits).toHaveLength(1);
  expect(await whereFound()).toEqual([
    "addresses",
    "conversation_tags",
    "conversations",
    "customers",
    "drafts",
    "effects",
    "log",
    "messages",
    "notes",
    "parked",
    "receipts",
    "recorded_deliveries",
    "runs",
    "runs_history",
  ]);

  const erased = await call(`/customers/${customer}/erase`);
  expect(erased.json.result).toMatchObject({ changed: true, erase_pending: true });
  const left = () => query("select 1 from effects where kind = 'customer.blank'");
  await expect.poll(left, { timeout: 60_000 }).toHaveLength(0);
  expect(await whereFound()).toEqual([]);

  const again = await api.call("PUT", draft, { body: { version: 0, text: needle } });
  expect(again).toMatchObject({ status: 409, json: { code: "customer_erased" } });
  // what happened stays, and the run that waited for the delivery went on by its failure path
  const events = await api.call("GET", `/events?customer=${customer}&limit=100`);
  expect(events.json.items.map((event: { type: string }) => event.type)).toEqual(
    expect.arrayContaining(["conversation.opened", "message.received", "message.sent", "customer.erased"]),
  );
  const went = (await api.call("GET", `/runs/${waits[0]?.id}`)).json;
  expect(went.status).toBe("finished");
  expect(went.steps.map((step: { step: string; status: string }) => [step.step, step.status])).toEqual(
    expect.arrayContaining([
      ["send", "failed"],
      ["failed", "done"],
    ]),
  );
  // nobody is to be told that something waits, and nothing of it can be sent again
  expect((await api.call("GET", "/parked")).json.items).toEqual([]);
  const [dead] = (await api.call("GET", "/effects?status=dead")).json.items;
  expect((await api.call("POST", `/effects/${dead.id}/retry`)).json).toMatchObject({ code: "customer_erased" });

  const folder = await mkdtemp(join(tmpdir(), "threadmill-erase-"));
  try {
    const path = join(folder, "backup");
    const options = { pool: api.server.database.pool, programVersion: "1", now: "2026-11-21T12:00:00.000Z" };
    await backupToFile(options, path);
    const content = gunzipSync(await readFile(path)).toString("latin1");
    expect(content.length).toBeGreaterThan(10_000);
    expect(found.exec(content)).toBeNull();
  } finally {
    await rm(folder, { recursive: true });
  }
});
