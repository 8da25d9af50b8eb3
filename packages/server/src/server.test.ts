import { type AddressInfo, connect, createServer, type Server as NetServer, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openPool } from "./db/pool.ts";
import { startServerProcess } from "./lanes/test-server-process.ts";
import { explainFault } from "./main.ts";
import { startTestApi, testToken } from "./testing/test-api.ts";
import { createTestDatabase, type TestDatabase } from "./testing/test-database.ts";

let database: TestDatabase;
let silent: NetServer;
let silentUrl: string;
const callers = new Set<Socket>();

beforeAll(async () => {
  database = await createTestDatabase();
  // takes every call and never says a word
  silent = createServer((socket) => callers.add(socket));
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  silentUrl = `postgres://nobody@127.0.0.1:${(silent.address() as AddressInfo).port}/none`;
});
afterAll(async () => {
  for (const socket of callers) socket.destroy();
  await new Promise((resolve) => silent.close(resolve));
  await database.drop();
});

const processOf = (env: Record<string, string> = {}) =>
  startServerProcess({
    DATABASE_URL: database.url,
    THREADMILL_TOKEN: testToken,
    THREADMILL_SECRET_KEY: "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
    THREADMILL_DRAIN_SECONDS: "1",
    ...env,
  });

/** Sends the head of a request and half of its body; answers when it was sent. */
async function halfRequest(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  const head = `POST /api/v2/channels/api/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${testToken}\r\n`;
  await new Promise((resolve) =>
    socket.write(`${head}content-type: application/json\r\ncontent-length: 1000\r\n\r\n{"from":"ada",`, resolve),
  );
  return socket;
}

describe("a process that is asked to stop", () => {
  test("does so although a request is half sent and the direct address of the database never answers", async () => {
    const server = await processOf({ DATABASE_DIRECT_URL: silentUrl });
    await expect.poll(() => callers.size).toBeGreaterThan(0);
    const half = await halfRequest(server.url);
    const cut = new Promise<void>((resolve) => half.once("close", () => resolve()));
    // another answer shows that the half request has arrived as well
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect(await server.stop()).toBe(0);
    await cut;
    expect(server.output()).toContain("the time for draining is over");
  }, 60_000);

  test("needs no deadline where nothing is in the way", async () => {
    const server = await processOf({ THREADMILL_DRAIN_SECONDS: "3600", DATABASE_DIRECT_URL: silentUrl });
    expect(await server.stop()).toBe(0);
    expect(server.output()).not.toContain("the time for draining is over");
  }, 60_000);

  test("tells callers whose lane stands still that nothing was done", async () => {
    const pool = openPool({ url: database.url, max: 1 });
    const server = await processOf();
    const holder = await pool.connect();
    try {
      await holder.query("begin");
      await holder.query("select from lanes where lane in (select lane from directory_organizations) for update");
      const asked = fetch(`${server.url}/api/v2/channels/api/messages`, {
        method: "POST",
        headers: { authorization: `Bearer ${testToken}`, "content-type": "application/json" },
        body: JSON.stringify({ from: "ada", text: "wait" }),
      });
      const stuck = async () =>
        ((await (await fetch(`${server.url}/readyz`)).json()) as { stuck_lanes?: [] }).stuck_lanes;
      await expect.poll(stuck, { timeout: 20_000 }).toHaveLength(1);
      const stopped = server.stop();
      const answer = await asked;
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([503, "shutting_down"]);
      expect(await stopped).toBe(0);
    } finally {
      await holder.query("rollback");
      holder.release();
      await pool.end();
    }
  }, 60_000);
});

test("an address that takes the call and never answers is given up, in a sentence", async () => {
  const pool = openPool({ url: silentUrl, connectTimeoutMs: 200 });
  const error: unknown = await pool.query("select 1").catch((thrown: unknown) => thrown);
  expect(explainFault(error)).toEqual({
    sentence: expect.stringMatching(/^The database cannot be reached \(no answer\)/),
    exit: "unreachable",
  });
  await pool.end();
});

test("statements for requests have a time limit, on the server and, where a pooler hides it, on our side", async () => {
  await using api = await startTestApi({ THREADMILL_DATABASE_POOL_SIZE: "14", DATABASE_URL: database.url });
  const { rows } = await api.server.database.pool.query("show statement_timeout");
  expect(rows).toEqual([{ statement_timeout: "30s" }]);
  const direct = openPool({ url: database.url, max: 1, statementTimeoutMs: 50 });
  await expect(direct.query("select pg_sleep(60)")).rejects.toMatchObject({ code: "57014" });
  await direct.end();
  const pooled = openPool({ url: database.url, max: 1, statementTimeoutMs: 50, pooled: true });
  expect((await pooled.query("show statement_timeout")).rows).toEqual([{ statement_timeout: "0" }]);
  await expect(pooled.query("select pg_sleep(60)")).rejects.toThrow("Query read timeout");
  await pooled.end();
});

test("a process opens as many connections as its option says, all told, and not one more", async () => {
  await using own = await createTestDatabase();
  await using api = await startTestApi({ THREADMILL_DATABASE_POOL_SIZE: "14", DATABASE_URL: own.url });
  const { database: opened } = api.server;
  const watch = openPool({ url: own.url, max: 1, applicationName: "the test itself" });
  const count = async (): Promise<number> =>
    (
      await watch.query<{ n: number }>(
        "select count(*)::int as n from pg_stat_activity where datname = current_database() and application_name like 'threadmill%'",
      )
    ).rows[0]?.n ?? 0;
  const calls = Array.from({ length: 60 }, (_, n) =>
    n % 3 === 0
      ? api.call("GET", "/events")
      : n % 3 === 1
        ? api.call("POST", "/channels/api/messages", { body: { from: `c${n}`, text: "hi" } })
        : api.call("PATCH", "/organization", { body: { name: `N${n}` } }),
  );
  // every pool is asked for all that it has, and more
  const pools = [opened.pool, opened.lanes, opened.waiters, opened.background];
  const taken = await Promise.all(
    pools.flatMap((pool) => Array.from({ length: pool.options.max }, async () => pool.connect())),
  );
  await expect.poll(count, { timeout: 20_000 }).toBe(14);
  for (const client of taken) client.release();
  await Promise.all(calls);
  expect(await count()).toBe(14);
  await watch.end();
}, 60_000);

test("with port 0 links and webhooks name the port that is bound", async () => {
  await using own = await createTestDatabase();
  await using api = await startTestApi({ THREADMILL_PUBLIC_URL: "", DATABASE_URL: own.url });
  const { port } = api.server.app.server.address() as AddressInfo;
  expect(api.server.url).toBe(`http://localhost:${port}`);
  const document = (await api.raw({ method: "GET", url: "/api/v2/openapi.json" })).json();
  expect(document.servers).toEqual([{ url: `http://localhost:${port}` }]);
  const channels = await api.call("GET", "/channels");
  expect(JSON.stringify(channels.json)).toContain(`http://localhost:${port}/webhooks/`);
});

test("processes that start at once on an empty database make one organization, and leave no lock behind", async () => {
  await using own = await createTestDatabase({ empty: true });
  const apis = await Promise.all([startTestApi({ DATABASE_URL: own.url }), startTestApi({ DATABASE_URL: own.url })]);
  const { pool } = apis[0].server.database;
  expect((await pool.query("select from directory_organizations")).rowCount).toBe(1);
  expect((await pool.query("select from pg_locks where locktype = 'advisory'")).rowCount).toBe(0);
  expect(apis.filter((api) => api.server.firstToken !== null)).toHaveLength(1);
  await Promise.all(apis.map((api) => api.close()));
}, 60_000);
