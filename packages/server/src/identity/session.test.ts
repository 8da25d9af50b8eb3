import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createOrganization } from "../features/organization/create.ts";
import { freshId } from "../lanes/fresh-id.ts";
import { signIn } from "../testing/sign-in.ts";
import { startTestApi, type TestApi, testPublicUrl } from "../testing/test-api.ts";
import { isOwnOrigin, pageHeader } from "./own-pages.ts";
import { organizationHeader } from "./session.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

describe("a session", () => {
  test("acts with its user's rights, and events say by which session", async () => {
    const ann = await signIn(api, "admin");
    expect((await ann.call("GET", "/me")).json).toMatchObject({
      user: { id: ann.user, role: "admin" },
      token: null,
      session: { id: ann.session, identity: ann.identity },
    });
    const team = await ann.call("POST", "/teams", { body: { name: "By session" } });
    expect(team.status).toBe(201);
    const customer = await ann.call("POST", "/customers", { body: { phone: "4155552671" } });
    expect(customer.status).toBe(200);
    const { items } = (await ann.call("GET", "/events?order=newest&limit=2")).json;
    const actor = { kind: "user", id: ann.user, session: ann.session };
    expect(items.map((one: { type: string; actor: object }) => [one.type, one.actor])).toEqual([
      ["customer.created", actor],
      ["settings.changed", actor],
    ]);
    const agent = await signIn(api, "agent");
    expect(await agent.call("POST", "/teams", { body: { name: "x" } })).toMatchObject({ status: 403 });
  });

  test("a token's events say by which token", async () => {
    const { token, user } = (await api.call("GET", "/me")).json;
    await api.call("POST", "/teams", { body: { name: "By token" } });
    const { items } = (await api.call("GET", "/events?order=newest&limit=1")).json;
    expect(items[0].actor).toEqual({ kind: "user", id: user.id, token: token.id });
  });

  test("ends when it is over, and when nobody knows it", async () => {
    const ann = await signIn(api, "agent");
    await api.server.database.pool.query("update directory_sessions set expires_at = now() where id = $1", [
      ann.session,
    ]);
    expect(await ann.call("GET", "/me")).toMatchObject({ status: 401, json: { code: "unauthorized" } });
    for (const cookie of ["__Secure-threadmill_session=", `__Secure-threadmill_session=${"a".repeat(32)}`, "x", "=;;="])
      expect(await api.call("GET", "/me", { token: null, headers: { cookie } })).toMatchObject({ status: 401 });
  });

  test("of a person without an organization is none", async () => {
    const ann = await signIn(api, "agent");
    await api.server.database.pool.query("delete from directory_memberships where identity = $1", [ann.identity]);
    expect(await ann.call("GET", "/me")).toMatchObject({ status: 401 });
  });

  test("lasts on while it is used, and that is written rarely", async () => {
    const { pool } = api.server.database;
    const ann = await signIn(api, "agent");
    const read = async () =>
      (
        await pool.query("select expires_at, last_seen_at, xmin::text from directory_sessions where id = $1", [
          ann.session,
        ])
      ).rows[0];
    const before = await read();
    await ann.call("GET", "/me");
    expect(await read()).toEqual(before);
    await pool.query("update directory_sessions set last_seen_at = now() - interval '1 hour' where id = $1", [
      ann.session,
    ]);
    const other = await startTestApi({ DATABASE_URL: api.databaseUrl });
    await other.call("GET", "/me", { token: null, headers: ann.headers });
    await expect.poll(async () => (await read()).last_seen_at > before.last_seen_at, { timeout: 20_000 }).toBe(true);
    const days = (Date.parse((await read()).expires_at) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(13);
    await other.close();
  });
});

describe("a token", () => {
  test("that has expired does nothing, and its last use is noted", async () => {
    const { pool } = api.server.database;
    const { token, id } = (await api.call("POST", "/tokens", { body: { name: "Brief" } })).json;
    expect(await api.call("GET", "/me", { token })).toMatchObject({ status: 200 });
    const read = async () =>
      (await pool.query("select last_used_at from directory_tokens where id = $1", [id])).rows[0];
    await expect.poll(async () => (await read()).last_used_at, { timeout: 20_000 }).not.toBeNull();
    const past = "2026-01-01T00:00:00.000Z";
    expect(await api.call("POST", "/tokens", { body: { name: "x", expires_at: past } })).toMatchObject({
      status: 422,
      json: { code: "expiry_past", path: "/expires_at" },
    });
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    const late = (await api.call("POST", "/tokens", { body: { name: "Late", expires_at: soon } })).json;
    expect(late).toMatchObject({ expires_at: soon, last_used_at: null });
    await pool.query("update directory_tokens set expires_at = now() where id = $1", [late.id]);
    expect(await api.call("GET", "/me", { token: late.token })).toMatchObject({ status: 401 });
  });
});

describe("a page of another origin", () => {
  const body = { name: "Forged" };
  test.each([
    ["another origin", { origin: "https://evil.test" }],
    ["no origin of a page", { origin: "null" }],
    ["an origin that only begins as ours", { origin: `${testPublicUrl}.evil.test` }],
    ["another site, by the browser's word", { "sec-fetch-site": "cross-site" }],
    ["a neighbour's site", { "sec-fetch-site": "same-site" }],
  ])("is refused by %s", async (_, headers) => {
    const ann = await signIn(api, "admin");
    expect(await ann.call("POST", "/teams", { body, headers })).toMatchObject({
      status: 403,
      json: { code: "page_not_ours" },
    });
  });

  test.each(["origin", pageHeader])("is refused without %s", async (name) => {
    const ann = await signIn(api, "admin");
    const headers = Object.fromEntries(Object.entries(ann.headers).filter(([each]) => each !== name));
    expect(await api.call("POST", "/teams", { token: null, body, headers })).toMatchObject({
      status: 403,
      json: { code: "page_not_ours" },
    });
    const { items } = (await ann.call("GET", "/teams?limit=100")).json;
    expect(items.map((one: { name: string }) => one.name)).not.toContain("Forged");
  });

  test.each([
    ["https://a.test", "https://a.test/base", true],
    ["http://a.test", "https://a.test", false],
    ["https://a.test:8443", "https://a.test", false],
    ["http://127.0.0.1:3000", "http://localhost:3000", true],
    ["http://[::1]:3000", "http://localhost:3000", true],
    ["http://127.0.0.1:3001", "http://localhost:3000", false],
    ["http://localhost", "https://a.test", false],
    ["null", "http://localhost:3000", false],
  ])("%s beside %s: %s", (origin, ours, own) => expect(isOwnOrigin(origin, ours)).toBe(own));
});

test("an identity of several organizations works in its session's, or in the one it names", async () => {
  const { pool } = api.server.database;
  const other = await createOrganization(pool, { name: "Other", sandbox: true });
  const ann = await signIn(api, "agent");
  const first = (await ann.call("GET", "/me")).json.organization.id;
  await pool.query(
    "insert into directory_memberships (identity, organization, lane, user_id) values ($1, $2, $3, $4)",
    [ann.identity, other.id, other.lane, other.owner],
  );
  const fresh = await startTestApi({ DATABASE_URL: api.databaseUrl });
  const me = (organization?: string) =>
    fresh.call("GET", "/me", {
      token: null,
      headers: { ...ann.headers, ...(organization !== undefined && { [organizationHeader]: organization }) },
    });
  expect((await me()).json).toMatchObject({ organization: { id: first }, user: { role: "agent" } });
  expect((await me(other.id)).json).toMatchObject({ organization: { id: other.id }, user: { id: other.owner } });
  for (const none of [freshId(), "x", ""])
    expect(await me(none)).toMatchObject({ status: 403, json: { code: "not_a_member" } });
  await fresh.close();
});
