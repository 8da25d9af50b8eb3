import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pool } from "pg";
import { afterAll, afterEach, expect, test } from "vitest";
import { openPool } from "../db/pool.ts";
import { createTestDatabase, type TestDatabase } from "../testing/test-database.ts";
import { brokenInvariants, phone } from "./test-lanes.ts";
import { breathe, type ServerProcess, startServerProcess } from "./test-server-process.ts";

/** A minute at most on a machine of its own; on a busy one each start of a server takes many seconds. */
const limitMs = 400_000;
const token = "tm_0123456789abcdef0123456789abcdef";
const seed = Number(process.env["TORTURE_SEED"] ?? Math.floor(Math.random() * 1e9));

function seeded(from: number): () => number {
  let state = from;
  return () => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});
const databases: TestDatabase[] = [];
afterAll(() => Promise.all(databases.map((each) => each.drop())));

/** What a caller was told, for good. */
interface Told {
  readonly key: string;
  readonly path: string;
  readonly body: object;
  readonly status: number;
  readonly result: Record<string, string>;
}

type Answer = { readonly status: number; readonly json: Record<string, unknown>; readonly replayed: boolean } | null;

/** One request; null when the connection broke and nobody knows. */
async function post(url: string, path: string, body: object, key?: string): Promise<Answer> {
  try {
    const response = await fetch(`${url}/api/v2${path}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        ...(key !== undefined && { "idempotency-key": key }),
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    });
    return {
      status: response.status,
      json: (await response.json()) as Record<string, unknown>,
      replayed: response.headers.get("idempotency-replayed") === "true",
    };
  } catch {
    return null;
  }
}

async function publish(url: string, document: object): Promise<void> {
  const made = await post(url, "/workflows", document);
  expect(made?.status).toBe(201);
  expect((await post(url, `/workflows/${String(made?.json["slug"])}/publish`, {}))?.status).toBe(200);
}

const workflows = [
  {
    name: "Refunds",
    kind: "automatic",
    triggers: [{ event: "message.received", when: { field: "message.text", op: "contains", value: "refund" } }],
    start: "tag",
    steps: {
      tag: { action: "conversation.add_tags", input: { tags: ["refund"] }, next: "reply" },
      reply: { action: "message.send", input: { text: "We got it" }, next: "hold" },
      hold: { wait: { for: "1s" }, next: "topic" },
      topic: { action: "conversation.set_topic", input: { topic: "Refunds" } },
    },
  },
  {
    name: "Long",
    kind: "automatic",
    triggers: [{ event: "message.received", when: { field: "message.text", op: "contains", value: "long" } }],
    start: "hold",
    steps: {
      hold: { wait: { for: "2h", unless: "conversation.closed" }, next: "close" },
      close: { action: "conversation.close" },
    },
  },
];

interface Ordeal {
  /** servers that are up; killed ones are replaced */
  readonly servers: ServerProcess[];
  readonly restart: (n: number) => Promise<ServerProcess>;
  readonly kills: number;
  readonly random: () => number;
}

/** Load by callers who never give up on a key, while servers are killed under them. */
async function endure({
  servers,
  restart,
  kills,
  random,
}: Ordeal): Promise<{ readonly told: Told[]; readonly broken: number }> {
  const told: Told[] = [];
  const conversations: string[] = [];
  let broken = 0;
  let over = false;
  const caller = async (n: number): Promise<void> => {
    for (let m = 0; !over; m += 1) {
      const key = `${n}-${m}`;
      const conversation = conversations[Math.floor(random() * conversations.length)];
      const roll = random();
      const [path, body] =
        conversation === undefined || roll < 0.6
          ? ([
              "/channels/api/messages",
              {
                from: `guest-${Math.floor(random() * 30)}`,
                text: `${key} ${roll < 0.2 ? "refund" : roll < 0.35 ? "long" : "hello"}`,
              },
            ] as const)
          : roll < 0.8
            ? ([`/conversations/${conversation}/notes`, { text: key }] as const)
            : roll < 0.9
              ? ([`/conversations/${conversation}/close`, {}] as const)
              : ([`/conversations/${conversation}/messages`, { text: key }] as const);
      for (let tries = 0; ; tries += 1) {
        if (tries > 5000) throw new Error(`no answer for ${key}`);
        const server = servers[(n + tries) % servers.length] as ServerProcess;
        const answer = await post(server.url, path, body, key);
        if (answer === null || answer.status >= 500) {
          // 500 would be a bug; 503 says that it is not known or not now
          if (answer !== null && answer.status !== 503)
            throw new Error(`${key}: ${JSON.stringify(answer)} ${server.output().slice(-3000)}`);
          broken += 1;
          // whoever asks again without a pause keeps the server from starting
          await breathe(20);
          continue;
        }
        if (answer.status < 300) {
          const result = (answer.json["result"] ?? {}) as Record<string, string>;
          told.push({ key, path, body, status: answer.status, result });
          if (result["conversation"] !== undefined) conversations.push(result["conversation"]);
        }
        break;
      }
    }
  };
  const callers = Promise.all(Array.from({ length: 16 }, (_, n) => caller(n)));
  const killing = (async () => {
    for (let kill = 0; kill < kills; kill += 1) {
      const goal = told.length + 30 + Math.floor(random() * 200);
      while (told.length < goal && !over) await breathe(2);
      const n = kill % servers.length;
      await servers[n]?.kill();
      servers[n] = await restart(n);
    }
    const goal = told.length + 50;
    while (told.length < goal && !over) await breathe(2);
  })().finally(() => (over = true));
  await Promise.all([callers.finally(() => (over = true)), killing]);
  return { told, broken };
}

/** DESIGN section 11 against what the callers were told. */
async function expectTruth(pool: Pool, url: string, told: readonly Told[]): Promise<void> {
  expect(new Set(told.map((each) => each.key)).size).toBe(told.length);
  const { rows: messages } = await pool.query<{ id: string; text: string; conversation: string }>(
    "select id, text, conversation from messages where not automated",
  );
  const texts = new Map(messages.map((row) => [row.text, row]));
  // at most once, told or not
  expect(texts.size).toBe(messages.length);
  for (const { body, result } of told) {
    if (!("text" in body)) continue;
    expect(texts.get(body.text as string)).toMatchObject({
      id: result["message"],
      conversation: result["conversation"],
    });
  }
  // the same key gets the same answer, from whoever is asked
  for (const each of told.filter((_, n) => n % Math.ceil(told.length / 25) === 0)) {
    expect(await post(url, each.path, each.body, each.key)).toMatchObject({
      status: each.status,
      replayed: true,
      json: { result: each.result },
    });
  }
  // what killed workers held is taken over; the test does not wait a minute for their leases
  await pool.query("update effects set lease_until = clock_timestamp() where lease_until is not null");
  const unsettled = async () =>
    (
      await pool.query<{ what: string; n: number; sample: object }>(
        `select 'effects' as what, count(*)::int as n, (array_agg(to_jsonb(e) - 'payload'))[1] as sample from effects e having count(*) > 0
union all select 'timers', count(*)::int, (array_agg(to_jsonb(t)))[1] from timers t where due_at < clock_timestamp() + interval '1 minute' having count(*) > 0`,
      )
    ).rows;
  await expect.poll(unsettled, { timeout: 120_000, interval: 200 }).toEqual([]);
  const { rows: deliveries } = await pool.query<{ n: number; messages: number }>(
    "select (select count(*) from recorded_deliveries)::int as n, (select count(*) from messages where direction = 'outbound')::int as messages",
  );
  expect(deliveries[0]?.n).toBe(deliveries[0]?.messages);
  expect(await brokenInvariants(pool)).toEqual([]);
  const { rows: odd } = await pool.query(
    "select status, reason from runs_history where status in ('failed', 'cancelled')",
  );
  expect(odd).toEqual([]);
  // a run for each message that asked for one, and none twice
  const { rows: runs } = await pool.query<{ n: number }>(
    "select (select count(*) from runs)::int + (select count(*) from runs_history)::int as n",
  );
  expect(runs[0]?.n).toBe(messages.filter((row) => /refund|long/.test(row.text)).length);
  expect((await pool.query("select id from parked")).rows).toEqual([]);
}

const folder = async (): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), "threadmill-torture-"));
  cleanups.push(() => rm(dir, { recursive: true, force: true }));
  return dir;
};

test.each([1, 2])(
  `servers killed under load lose nothing and do nothing twice: %i at a time (seed ${seed})`,
  async (count) => {
    const database = await createTestDatabase();
    databases.push(database);
    const dir = await folder();
    const restart = () =>
      startServerProcess({ DATABASE_URL: database.url, THREADMILL_DATA_DIR: dir, THREADMILL_TOKEN: token });
    const servers: ServerProcess[] = [];
    cleanups.push(() => Promise.all(servers.map((each) => each.kill())));
    for (let n = 0; n < count; n += 1) servers.push(await restart());
    const pool = openPool({ url: database.url, max: 3 });
    cleanups.push(() => pool.end());
    const url = () => (servers[0] as ServerProcess).url;
    for (const workflow of workflows) await publish(url(), workflow);

    const { told, broken } = await endure({ servers, restart, kills: 4, random: seeded(seed + count) });
    expect(told.length).toBeGreaterThan(150);
    expect(broken).toBeGreaterThan(0);
    await expectTruth(pool, url(), told);

    // and a polite end: whoever was let in is answered, the process ends well
    const last = Array.from({ length: 40 }, (_, n) =>
      post(url(), "/channels/api/messages", { from: phone(n), text: `last ${n}` }, `last-${n}`),
    );
    await Promise.race(last);
    const codes = await Promise.all(servers.map((each) => each.stop()));
    expect(codes).toEqual(servers.map(() => 0));
    const answers = await Promise.all(last);
    const { rows } = await pool.query<{ n: number }>(
      "select count(*)::int as n from messages where text like 'last %'",
    );
    expect(rows[0]?.n).toBe(answers.filter((each) => each?.status === 201).length);
    expect(answers.every((each) => each === null || each.status === 201 || each.status === 503)).toBe(true);
    expect(await brokenInvariants(pool)).toEqual([]);
  },
  limitMs,
);

test(
  `a killed server leaves its embedded PostgreSQL behind; the next takes over and knows everything (seed ${seed})`,
  async () => {
    const dir = await folder();
    const restart = () => startServerProcess({ THREADMILL_DATA_DIR: dir, THREADMILL_TOKEN: token });
    const servers = [await restart()];
    cleanups.push(() => Promise.all(servers.map((each) => each.stop())));
    const url = () => (servers[0] as ServerProcess).url;
    for (const workflow of workflows) await publish(url(), workflow);
    const { told } = await endure({ servers, restart, kills: 2, random: seeded(seed) });
    for (const each of told.filter((_, n) => n % Math.ceil(told.length / 40) === 0)) {
      expect(await post(url(), each.path, each.body, each.key)).toMatchObject({
        status: each.status,
        replayed: true,
        json: { result: each.result },
      });
    }
    expect(await servers[0]?.stop()).toBe(0);
    // once more, after a polite end
    servers[0] = await restart();
    const [first] = told;
    expect(await post(url(), first?.path ?? "", first?.body ?? {}, first?.key)).toMatchObject({ replayed: true });
  },
  limitMs,
);
