import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@threadmill/client";
import { apply, ConversationSchema, CustomerSchema, loggedTables, MessageSchema, NoteSchema } from "@threadmill/core";
import { openPool, readEvents } from "@threadmill/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { backUp } from "./backup.ts";
import { type Pool, withDatabase } from "./database.ts";
import { restoreBackup } from "./restore.ts";
import { createUser } from "./user.ts";
import { contextOf, type Installation, newDataDir, startInstallation, testToken } from "./testing/installation.ts";

let source: Installation;
let folder = "";
let target: Awaited<ReturnType<typeof newDataDir>>;
beforeAll(async () => {
  [source, folder, target] = await Promise.all([
    startInstallation(),
    mkdtemp(join(tmpdir(), "threadmill-backups-")),
    newDataDir(),
  ]);
}, 60_000);
afterAll(async () => {
  await source.close();
  await target.remove();
  await rm(folder, { recursive: true });
});

const owner = { email: "olga@example.com", password: "correct horse battery" };
/** Asks what a page of ours asks. */
const page = (url: string, path: string, body: object) =>
  fetch(`${url}/api/v2/auth/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: url, "x-threadmill-page": "1" },
    body: JSON.stringify(body),
  });

const workflow = {
  name: "Answer",
  kind: "automatic",
  triggers: [{ event: "message.received", when: { field: "message.text", op: "contains", value: "refund" } }],
  start: "tag",
  steps: {
    tag: { action: "conversation.add_tags", input: { tags: ["refund"] }, next: "reply" },
    reply: { action: "message.send", input: { text: "We got it" }, next: "hold" },
    hold: { wait: { for: "2h" } },
  },
};

/** Customers who write one message after the other until told to stop; gives the messages that were answered. */
function load(writers: number) {
  const client = createClient({ url: source.server.url, token: testToken });
  const answered: string[] = [];
  let stopped = false;
  const write = async (writer: number): Promise<void> => {
    for (let n = 0; !stopped; n += 1) {
      const { result } = await client.messages.receive("api", {
        from: `customer-${writer}-${n % 3}`,
        text: n % 2 === 0 ? "a refund please" : "hello",
      });
      answered.push(result.message);
    }
  };
  const writing = Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  const until = async (count: number): Promise<void> => {
    while (answered.length < count) await new Promise((resolve) => setImmediate(resolve));
  };
  const stop = async (): Promise<void> => {
    stopped = true;
    await writing;
  };
  return { answered, until, stop };
}

/** The rows of every table, counted. */
async function countRows(pool: Pool, tables: readonly string[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of tables)
    counts[table] = (await pool.query<{ n: number }>(`select count(*)::int as n from ${table}`)).rows[0]?.n ?? -1;
  return counts;
}

type LogRow = Parameters<typeof readEvents>[0] & { readonly lane: number; readonly count: number };

/** What of a row the log tells; the rest is bookkeeping. */
const shapes = {
  customers: CustomerSchema,
  conversations: ConversationSchema,
  messages: MessageSchema,
  notes: NoteSchema,
};

/** Holds a database against its own log: no gaps, and folding it gives the rows. */
async function checkLog(pool: Pool): Promise<number> {
  const { rows: log } = await pool.query<LogRow>(
    "select lane, seq, at, root, count, events from log order by lane, seq",
  );
  const next = new Map<number, number>();
  const folded: Parameters<typeof apply>[1] = new Map();
  let events = 0;
  for (const row of log) {
    expect(row.seq).toBe(next.get(row.lane) ?? 1);
    next.set(row.lane, row.seq + row.count);
    const read = readEvents(row);
    expect(read).toHaveLength(row.count);
    for (const event of read) apply(event, folded);
    events += read.length;
  }
  for (const table of loggedTables) {
    const { rows } = await pool.query<Record<string, unknown> & { id: string }>(`select * from ${table}`);
    expect(rows).toHaveLength([...folded.keys()].filter((name) => name.startsWith(`${table}/`)).length);
    for (const row of rows) {
      const logged = folded.get(`${table}/${row.id}`) as Record<string, unknown>;
      const columns = (of: Record<string, unknown>) =>
        Object.fromEntries(Object.keys(shapes[table].properties).map((name) => [name, of[name]]));
      expect(columns(row)).toEqual(columns(logged));
    }
  }
  return events;
}

test("a backup under load, restored elsewhere, is the whole state of one moment", async () => {
  const client = createClient({ url: source.server.url, token: testToken });
  await client.workflows.create(workflow, { publish: true });
  // a setting that is sealed with the secret key
  await client.request("POST", "/channels", {
    name: "Phone",
    kind: "sms",
    mailbox: (await client.channels.list()).items[0]?.mailbox,
    address: "+15550001111",
    auth_token: "0123456789",
  });

  // somebody who signs in
  const made = await createUser(contextOf(source.env), { email: owner.email });
  const token = (made.json as { link: string }).link.split("=")[1];
  expect((await page(source.server.url, "invitation/accept", { token, password: owner.password })).status).toBe(200);

  const file = join(folder, "loaded.backup");
  const traffic = load(8);
  await traffic.until(120);
  const before = [...traffic.answered];
  const backup = (await backUp(contextOf(source.env), { file, withoutKey: false })).json as {
    source: string;
    rows: Record<string, number>;
    secret_key: boolean;
  };
  await traffic.until(before.length + 60);
  await traffic.stop();
  expect(backup).toMatchObject({ source: "running", secret_key: true });
  expect(process.platform === "win32" ? 0o600 : (await stat(file)).mode & 0o777).toBe(0o600);

  const env = { THREADMILL_DATA_DIR: target.path };
  const restored = (await restoreBackup(contextOf(env), { file })).json as { rows: Record<string, number> };
  expect(restored.rows).toEqual(backup.rows);
  const keyFile = join(target.path, "secret.key");
  expect(await readFile(keyFile, "utf8")).toBe(await readFile(join(source.dataDir, "secret.key"), "utf8"));
  if (process.platform !== "win32") expect((await stat(keyFile)).mode & 0o777).toBe(0o600);

  await withDatabase(contextOf(env).config, { say() {} }, async ({ pool }) => {
    expect(await countRows(pool, Object.keys(backup.rows))).toEqual(backup.rows);
    expect(await checkLog(pool)).toBeGreaterThan(before.length);
    // who had an answer before it began finds it there
    const { rows } = await pool.query<{ id: string }>("select id from messages where id = any ($1)", [before]);
    expect(rows).toHaveLength(before.length);
    // and it is a beginning of what the source came to be
    const mine = await pool.query<{ lane: number; seq: number; events: unknown }>(
      "select lane, seq, root, events from log order by lane, seq",
    );
    const later = openPool({ url: source.server.database.url, max: 1 });
    try {
      const theirs = await later.query("select l.lane, l.seq, l.root, l.events from log l order by lane, seq");
      const whole = new Map(theirs.rows.map((row: { lane: number; seq: number }) => [`${row.lane}/${row.seq}`, row]));
      expect(whole.size).toBeGreaterThan(mine.rows.length);
      for (const row of mine.rows) expect(whole.get(`${row.lane}/${row.seq}`)).toEqual(row);
      await checkLog(later);
    } finally {
      await later.end();
    }
  });
}, 60_000);

test("a server goes on from it", async () => {
  const resumed = await startInstallation(target.path);
  try {
    const client = createClient({ url: resumed.server.url, token: testToken });
    const was = await client.stats();
    expect((await page(resumed.server.url, "sign-in", owner)).status).toBe(200);
    expect((await page(resumed.server.url, "sign-in", { ...owner, password: "another one" })).status).toBe(403);
    expect(was.runs).toBeGreaterThan(0);
    const { result } = await client.messages.receive("api", { from: "customer-0-0", text: "a refund please" });
    const conversation = await client.conversations.get(result.conversation);
    expect(conversation.tags).toEqual(["refund"]);
    expect((await client.stats()).messages).toBeGreaterThan(was.messages);
  } finally {
    await resumed.close();
  }
}, 60_000);

test("a restore refuses what is not empty, a backup what is there already", async () => {
  const file = join(folder, "loaded.backup");
  await expect(backUp(contextOf(source.env), { file, withoutKey: false })).rejects.toMatchObject({
    code: "file_exists",
  });
  await expect(restoreBackup(contextOf({ THREADMILL_DATA_DIR: target.path }), { file })).rejects.toMatchObject({
    code: "data_dir_not_empty",
  });
  const empty = await newDataDir();
  try {
    const here = { THREADMILL_DATA_DIR: empty.path };
    const other = { ...here, DATABASE_URL: source.server.database.url };
    await expect(restoreBackup(contextOf(other), { file })).rejects.toMatchObject({ code: "database_not_empty" });
    expect(existsSync(join(empty.path, "secret.key"))).toBe(false);
    const wrongKey = { ...here, THREADMILL_SECRET_KEY: "00".repeat(32) };
    await expect(restoreBackup(contextOf(wrongKey), { file })).rejects.toMatchObject({ code: "secret_key_differs" });
    const torn = join(folder, "torn.backup");
    await writeFile(torn, (await readFile(file)).subarray(0, 20_000));
    await expect(restoreBackup(contextOf(here), { file: torn })).rejects.toMatchObject({ code: "backup_damaged" });
    await expect(restoreBackup(contextOf(here), { file: join(folder, "none") })).rejects.toMatchObject({
      code: "file_missing",
    });
    await expect(backUp(contextOf(here), { file: join(folder, "b"), withoutKey: true })).rejects.toMatchObject({
      code: "database_missing",
    });
    await expect(backUp(contextOf(here), { file: join(folder, "b"), withoutKey: false })).rejects.toMatchObject({
      code: "secret_key_missing",
    });
    await expect(restoreBackup(contextOf(source.env), { file })).rejects.toMatchObject({ code: "data_dir_not_empty" });
  } finally {
    await empty.remove();
  }
}, 60_000);
