import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSecretBox } from "../../secrets/secret-box.ts";
import { decodeSecretKey } from "../../secrets/secret-key.ts";
import { startTestApi, type TestApi } from "../../testing/test-api.ts";

const secretKey = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ THREADMILL_SECRET_KEY: secretKey });
});
afterAll(() => api.close());

const post = (path: string, body: unknown = {}, headers: Record<string, string> = {}) =>
  api.call("POST", path, { body, headers });
const get = (path: string) => api.call("GET", path);
const patch = (path: string, body: unknown) => api.call("PATCH", path, { body });

describe("a team, as any settings", () => {
  test("is made, read, changed, archived; and its short name is free again", async () => {
    const made = await post("/teams", { name: "Büro Süd" });
    expect(made).toMatchObject({
      status: 201,
      json: { slug: "buro-sud", name: "Büro Süd", members: [], archived_at: null },
    });
    const { id } = made.json;
    expect((await get(`/teams/${id}`)).json).toEqual(made.json);
    expect((await post("/teams", { name: "Büro Süd" })).json.slug).toBe("buro-sud-2");
    expect(await post("/teams", { name: "Other", slug: "buro-sud" })).toMatchObject({
      status: 409,
      json: { code: "slug_taken", path: "/slug" },
    });

    const owner = (await get("/me")).json.user.id;
    expect(await patch(`/teams/${id}`, { members: [owner] })).toMatchObject({
      status: 200,
      json: { members: [owner] },
    });
    expect(await patch(`/teams/${id}`, { members: ["01890000-0000-7000-8000-000000000000"] })).toMatchObject({
      status: 422,
      json: { code: "user_not_found", path: "/members/0" },
    });
    expect(await patch(`/teams/${id}`, {})).toMatchObject({ status: 200, json: { members: [owner] } });

    const archived = await post(`/teams/${id}/archive`);
    expect(archived).toMatchObject({ status: 200, json: { archived_at: expect.any(String) } });
    expect((await post(`/teams/${id}/archive`)).json).toEqual(archived.json);
    expect(await patch(`/teams/${id}`, { name: "x" })).toMatchObject({ status: 409, json: { code: "team_archived" } });
    expect((await get("/teams")).json.items.map((one: { slug: string }) => one.slug)).toEqual(["buro-sud-2"]);
    expect((await get("/teams?archived=true&limit=1")).json).toMatchObject({
      items: [{ id }],
      next_cursor: expect.any(String),
    });
    expect(await post("/teams", { name: "New", slug: "buro-sud" })).toMatchObject({ status: 201 });
  });

  test("every change is in the log, with before and after", async () => {
    const { id } = (await post("/teams", { name: "Logged" })).json;
    await patch(`/teams/${id}`, { name: "Renamed" });
    const { items } = (await get("/events?type=settings.changed&order=newest&limit=1")).json;
    expect(items[0].data).toMatchObject({ noun: "team", id, before: { name: "Logged" }, after: { name: "Renamed" } });
  });

  test.each([
    [{}, "invalid_input", "/name"],
    [{ name: "x", colour: "red" }, "unknown_field", "/colour"],
    [{ name: "x", slug: "Not A Slug" }, "invalid_input", "/slug"],
    [{ name: "x", id: "01890000-0000-7000-8000-000000000000" }, "unknown_field", "/id"],
  ])("%j is refused", async (body, code, path) => {
    expect(await post("/teams", body)).toMatchObject({ status: 422, json: { code, path } });
  });

  test("an idempotency key makes one of two", async () => {
    const key = { "idempotency-key": "team-1" };
    const first = await post("/teams", { name: "Keyed" }, key);
    const again = await post("/teams", { name: "Keyed" }, key);
    expect(again).toMatchObject({ status: 201, json: first.json });
    expect(again.headers["idempotency-replayed"]).toBe("true");
    expect(await post("/teams", { name: "Another" }, key)).toMatchObject({
      status: 422,
      json: { code: "idempotency_key_reused" },
    });
    const names = (await get("/teams?limit=100")).json.items.map((one: { name: string }) => one.name);
    expect(names.filter((name: string) => name === "Keyed")).toHaveLength(1);
  });
});

describe("an idempotency key answers as it did first, whatever would be answered now", () => {
  test("a refusal", async () => {
    const key = { "idempotency-key": "team-refused" };
    const taken = (await post("/teams", { name: "Taken", slug: "taken" })).json;
    const refused = await post("/teams", { name: "Second", slug: "taken" }, key);
    expect(refused).toMatchObject({ status: 409 });
    await patch(`/teams/${taken.id}`, { slug: "let-go" });
    const again = await post("/teams", { name: "Second", slug: "taken" }, key);
    expect(again).toMatchObject({ status: 409, json: { code: refused.json.code } });
    expect(again.headers["idempotency-replayed"]).toBe("true");
    expect(await post("/teams", { name: "Second", slug: "taken" })).toMatchObject({ status: 201 });
  });

  test("that there was nothing to change, which is no change of the settings either", async () => {
    const { pool } = api.server.database;
    const version = async () => (await pool.query("select config_version from organizations")).rows[0].config_version;
    const { id } = (await post("/teams", { name: "Ended" })).json;
    await post(`/teams/${id}/archive`);
    const key = { "idempotency-key": "team-ended" };
    const before = await version();
    const first = await post(`/teams/${id}/archive`, {}, key);
    expect(first).toMatchObject({ status: 200 });
    const again = await post(`/teams/${id}/archive`, {}, key);
    expect(again).toMatchObject({ status: 200, json: first.json });
    expect(again.headers["idempotency-replayed"]).toBe("true");
    expect(await version()).toBe(before);
    expect(await post(`/teams/${id}/archive`, { x: 1 }, key)).toMatchObject({ status: 422 });
  });
});

test("an answer that was kept under key and fingerprint in one is found", async () => {
  const key = { "idempotency-key": "team-old" };
  const first = await post("/teams", { name: "Keyed before" }, key);
  const box = openSecretBox(decodeSecretKey(secretKey) as Uint8Array).of("answers");
  const { pool } = api.server.database;
  const { rows } = await pool.query("select * from idempotency_keys order by at desc limit 1");
  const [row] = rows;
  const opened = box.open(row.answer, [row.organization, "idempotency_keys", row.key]);
  const old = box.seal(opened.ok ? opened.text : "", [row.organization, "idempotency_keys", row.key + row.fingerprint]);
  await pool.query("update idempotency_keys set answer = $2 where key = $1", [row.key, old]);
  expect(await post("/teams", { name: "Keyed before" }, key)).toMatchObject({ status: 201, json: first.json });
});

test("users keep their kinds, and the last owner stays", async () => {
  const me = (await get("/me")).json;
  expect(await patch(`/users/${me.user.id}`, { role: "agent" })).toMatchObject({
    status: 409,
    json: { code: "last_owner" },
  });
  expect(await post(`/users/${me.user.id}/archive`)).toMatchObject({ status: 409, json: { code: "last_owner" } });
  expect(await post(`/users/${me.organization.workflow_user}/archive`)).toMatchObject({
    status: 409,
    json: { code: "robot_needed" },
  });
  expect(await patch(`/users/${me.organization.workflow_user}`, { name: "Autopilot" })).toMatchObject({
    status: 200,
    json: { name: "Autopilot" },
  });
  expect(await post("/users", { name: "Bot", kind: "assistant", role: "admin" })).toMatchObject({
    status: 422,
    json: { code: "role_not_for_kind" },
  });
  expect(await post("/users", { name: "Ann", email: "ann@example.com" })).toMatchObject({
    status: 201,
    json: { kind: "person", role: "agent" },
  });
  expect(await post("/users", { name: "Ann 2", email: "ANN@example.com" })).toMatchObject({
    status: 409,
    json: { code: "email_taken", path: "/email" },
  });
});

test("mailboxes, calendars and properties check what is theirs", async () => {
  expect(await post("/mailboxes", { name: "Support", reopen: "within_days", reopen_days: 7 })).toMatchObject({
    status: 201,
  });
  const inbox = (await get("/mailboxes")).json.items.find((one: { slug: string }) => one.slug === "inbox");
  expect(await post(`/mailboxes/${inbox.id}/archive`)).toMatchObject({ status: 409, json: { code: "mailbox_in_use" } });

  const calendar = { zone: "Europe/Berlin", hours: { mon: [["09:00", "17:00"]] }, holidays: [] };
  expect(await post("/calendars", { name: "Office", calendar })).toMatchObject({ status: 201, json: { calendar } });
  expect(await post("/calendars", { name: "Nowhere", calendar: { ...calendar, zone: "Mars/Base" } })).toMatchObject({
    status: 422,
    json: { code: "zone_unknown", path: "/calendar/zone" },
  });

  expect(
    await post("/properties", { noun: "customer", name: "plan", type: "choice", options: ["free", "pro"] }),
  ).toMatchObject({ status: 201 });
  expect(await post("/properties", { noun: "customer", name: "plan", type: "text" })).toMatchObject({
    status: 409,
    json: { code: "name_taken" },
  });
  expect(await post("/properties", { noun: "conversation", name: "plan", type: "text" })).toMatchObject({
    status: 201,
  });
  expect(await post("/properties", { noun: "customer", name: "tier", type: "choice" })).toMatchObject({
    status: 422,
    json: { code: "options_missing" },
  });
});

test("a channel shows its webhook and never its secret", async () => {
  const mailbox = (await get("/mailboxes")).json.items[0].id;
  const made = await post("/channels", {
    name: "Support line",
    kind: "sms",
    mailbox,
    address: "+14155550100",
    provider: "twilio",
    provider_settings: { account_sid: "AC123" },
    auth_token: "s3cret-value",
  });
  expect(made).toMatchObject({
    status: 201,
    json: {
      has_auth_token: true,
      webhook: `https://threadmill.test/webhooks/twilio/${made.json.id}`,
      status_webhook: `https://threadmill.test/webhooks/twilio/${made.json.id}/status`,
    },
  });
  expect(made.text).not.toContain("s3cret-value");
  expect((await get(`/events?type=settings.changed&order=newest`)).text).not.toMatch(/s3cret-value|v[12]:/);
  expect(await patch(`/channels/${made.json.id}`, { name: "Line" })).toMatchObject({
    json: { name: "Line", has_auth_token: true },
  });
  expect(await patch(`/channels/${made.json.id}`, { auth_token: null })).toMatchObject({
    json: { has_auth_token: false },
  });
  expect(await patch(`/channels/${made.json.id}`, { kind: "email" })).toMatchObject({
    status: 422,
    json: { code: "unknown_field" },
  });
  expect(await post("/channels", { name: "x", kind: "sms", mailbox, address: "123456789" })).toMatchObject({
    status: 422,
    json: { path: "/address" },
  });
  expect(await post("/channels", { name: "x", kind: "sms", mailbox, address: "(415) 555-0100" })).toMatchObject({
    status: 422,
    json: { code: "address_not_normal" },
  });
  expect(await post("/channels", { name: "x", kind: "chat", mailbox, provider: "twilio" })).toMatchObject({
    status: 422,
    json: { code: "provider_not_for_kind" },
  });
  expect(await post("/channels", { name: "x", kind: "chat", mailbox: made.json.id })).toMatchObject({
    status: 422,
    json: { code: "mailbox_not_found" },
  });
});

test("the organization", async () => {
  const changed = await patch("/organization", { name: "Acme", zone: "America/New_York", limits: { chain_depth: 5 } });
  expect(changed).toMatchObject({
    status: 200,
    json: { name: "Acme", zone: "America/New_York", limits: { chain_depth: 5, allowance: 1000 } },
  });
  expect((await get("/organization")).json).toEqual(changed.json);
  expect(await patch("/organization", { zone: "Mars/Base" })).toMatchObject({
    status: 422,
    json: { code: "zone_unknown", path: "/zone" },
  });
  expect(await patch("/organization", { limits: { odd: 1 } })).toMatchObject({
    status: 422,
    json: { code: "unknown_field", path: "/limits/odd" },
  });
});

describe("tokens", () => {
  test("are shown once, act with their user's rights, and end at once", async () => {
    const agent = (await post("/users", { name: "Agent", email: "agent@example.com" })).json;
    const made = await post("/tokens", { name: "for tests", user: "agent@example.com" });
    expect(made).toMatchObject({ status: 201, json: { user: agent.id, token: expect.stringMatching(/^tm_/) } });
    const { token, id } = made.json;
    expect((await get("/tokens")).text).not.toContain(token);
    const as = (method: "GET" | "POST", path: string, body?: unknown) =>
      api.call(method, path, { token, ...(body !== undefined && { body }) });

    expect((await as("GET", "/me")).json).toMatchObject({ user: { id: agent.id }, token: { id, name: "for tests" } });
    expect(await as("POST", "/teams", { name: "x" })).toMatchObject({ status: 403, json: { code: "forbidden" } });
    expect(await as("GET", "/tokens")).toMatchObject({ status: 403 });
    expect(await as("POST", "/channels/api/messages", { from: "a", text: "b" })).toMatchObject({
      status: 403,
      json: { code: "not_permitted" },
    });
    expect(await as("POST", "/customers", { phone: "4155552671" })).toMatchObject({ status: 200 });

    expect(await post(`/tokens/${id}/revoke`)).toMatchObject({ status: 200, json: { revoked_at: expect.any(String) } });
    expect(await as("GET", "/me")).toMatchObject({ status: 401 });
    expect((await get("/tokens?revoked=true")).json.items.map((one: { id: string }) => one.id)).toContain(id);
  });

  test("of somebody who was archived do nothing", async () => {
    const gone = (await post("/users", { name: "Gone", role: "admin" })).json;
    const { token } = (await post("/tokens", { name: "g", user: gone.id })).json;
    await post(`/users/${gone.id}/archive`);
    expect(await api.call("GET", "/me", { token })).toMatchObject({ status: 401 });
    expect(await api.call("POST", "/customers", { token, body: { phone: "4155552671" } })).toMatchObject({
      status: 403,
    });
    expect(await post("/tokens", { name: "g", user: gone.id })).toMatchObject({
      status: 409,
      json: { code: "user_archived" },
    });
  });

  test("a repeat with the same key gives the same token", async () => {
    const key = { "idempotency-key": "token-1" };
    const first = await post("/tokens", { name: "keyed" }, key);
    expect((await post("/tokens", { name: "keyed" }, key)).json).toEqual(first.json);
  });
});
