import { afterAll, beforeAll, expect, test } from "vitest";
import { bindSecrets } from "../../channels/bind-secrets.ts";
import { registry } from "../../channels/registry.ts";
import { decodeSecretKey } from "../../secrets/secret-key.ts";
import { openSecretBox } from "../../secrets/secret-box.ts";
import { startTestApi, type TestApi } from "../../testing/test-api.ts";

const secretKey = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const token = "needle-in-a-haystack";
const elsewhere = { account_sid: "AC1", base_url: "https://elsewhere.example" };

let api: TestApi;
let mailbox: string;
beforeAll(async () => {
  api = await startTestApi({ THREADMILL_SECRET_KEY: secretKey });
  mailbox = (await api.call("GET", "/mailboxes")).json.items[0].id;
});
afterAll(() => api.close());

let made = 0;
async function channel(body: object = {}): Promise<string> {
  const answer = await api.call("POST", "/channels", {
    body: {
      name: `Line ${(made += 1)}`,
      kind: "sms",
      mailbox,
      provider: "twilio",
      address: "+14155550100",
      provider_settings: { account_sid: "AC1" },
      auth_token: token,
      ...body,
    },
  });
  expect(answer.status).toBe(201);
  return answer.json.id as string;
}
const patch = (id: string, body: object) => api.call("PATCH", `/channels/${id}`, { body });
const stored = async (id: string) =>
  (
    await api.server.database.pool.query<{ provider_secret: string | null; provider_secrets: Record<string, string> }>(
      "select provider_secret, provider_secrets from channels where id = $1",
      [id],
    )
  ).rows[0];

/** Sends over a channel and tells what became of it. */
async function deliver(id: string) {
  const came = await api.call("POST", `/channels/${id}/messages`, { body: { from: "+14157770001", text: "hi" } });
  const path = `/conversations/${came.json.result.conversation}/messages`;
  const { message } = (await api.call("POST", path, { body: { text: "hello" } })).json.result;
  const read = async () => (await api.call("GET", `/messages/${message}`)).json;
  await expect.poll(async () => (await read()).delivery, { timeout: 10_000 }).not.toBe("queued");
  return read();
}

test("a changed host needs the secret again", async () => {
  const id = await channel();
  const before = await stored(id);
  const refused = await patch(id, { provider_settings: elsewhere });
  expect(refused).toMatchObject({
    status: 422,
    json: {
      code: "secret_needed_again",
      path: "/auth_token",
      detail: expect.stringMatching(/https:\/\/api\.twilio\.com.*https:\/\/elsewhere\.example/),
    },
  });
  expect(await stored(id)).toEqual(before);
  // the port and the scheme are part of where it goes
  for (const base_url of [
    "https://api.twilio.com:8443",
    "http://api.twilio.com",
    "https://api.twilio.com.evil.example",
  ])
    expect(await patch(id, { provider_settings: { base_url } })).toMatchObject({ status: 422 });
  // the usual host written out, and a path below it, are the same host
  expect(await patch(id, { provider_settings: { base_url: "https://api.twilio.com/x" } })).toMatchObject({
    status: 200,
  });
  expect(await patch(id, { provider_settings: elsewhere, auth_token: "another" })).toMatchObject({
    json: { provider_settings: elsewhere, has_auth_token: true },
  });
  expect(await patch(id, { provider_settings: {} })).toMatchObject({ json: { code: "secret_needed_again" } });
  expect(await patch(id, { provider_settings: {}, auth_token: null })).toMatchObject({
    json: { has_auth_token: false },
  });
  expect(await patch(id, { provider_settings: elsewhere })).toMatchObject({ status: 200 });
});

test("nor is there a way around by the provider that rehearses", async () => {
  const id = await channel();
  expect(await patch(id, { provider: "recorder", provider_settings: elsewhere })).toMatchObject({
    json: { code: "secret_needed_again" },
  });
  expect(await patch(id, { provider: "recorder" })).toMatchObject({ json: { has_auth_token: true } });
  expect(await patch(id, { provider_settings: elsewhere })).toMatchObject({ json: { code: "secret_needed_again" } });
  expect(await patch(id, { provider: "twilio" })).toMatchObject({ json: { has_auth_token: true } });
});

test("a row that is edited by hand sends its secret nowhere", async () => {
  const id = await channel();
  const pool = api.server.database.pool;
  await pool.query("update channels set provider_settings = $2 where id = $1", [id, JSON.stringify(elsewhere)]);
  expect(await deliver(id)).toMatchObject({
    delivery: "failed",
    delivery_error: expect.stringContaining("for another host than the settings name"),
  });
  // nor does the secret of one channel open in another
  const [other, own] = [await channel({ provider_settings: elsewhere }), await stored(id)];
  await pool.query("update channels set provider_secrets = $2 where id = $1", [other, own?.provider_secrets]);
  expect(await deliver(other)).toMatchObject({ delivery_error: expect.stringContaining("cannot be opened") });
});

test("what was sealed before secrets were bound is bound to the host that it has, once", async () => {
  const id = await channel({ auth_token: null });
  const pool = api.server.database.pool;
  const box = openSecretBox(decodeSecretKey(secretKey) as Uint8Array);
  const { id: organization } = (await api.call("GET", "/organization")).json;
  const old = box.seal(token, [organization, id, "provider_secret"]);
  await pool.query("update channels set provider_secret = $2 where id = $1", [id, old]);
  const lost = await channel({ auth_token: null });
  await pool.query("update channels set provider_secret = 'v1:x' where id = $1", [lost]);
  expect(await bindSecrets(pool, box, registry)).toEqual([lost]);
  expect(await stored(id)).toEqual({ provider_secret: null, provider_secrets: { auth_token: expect.any(String) } });
  const context = [organization, id, "provider_secrets", "twilio", "auth_token", "https://api.twilio.com"];
  const sealed = (await stored(id))?.provider_secrets["auth_token"] as string;
  expect(box.open(sealed, context)).toEqual({ ok: true, text: token });
  expect(await patch(id, { provider_settings: elsewhere })).toMatchObject({ json: { code: "secret_needed_again" } });
  expect(await bindSecrets(pool, box, registry)).toEqual([lost]);
  expect((await stored(id))?.provider_secrets["auth_token"]).toBe(sealed);
});

test("a secret that was given anew is not overwritten by the one from before", async () => {
  const pool = api.server.database.pool;
  const box = openSecretBox(decodeSecretKey(secretKey) as Uint8Array);
  const { id: organization } = (await api.call("GET", "/organization")).json;
  const id = await channel();
  const old = box.seal("old", [organization, id, "provider_secret"]);
  const putBack = () => pool.query("update channels set provider_secret = $2 where id = $1", [id, old]);
  await putBack();
  const before = await stored(id);
  await bindSecrets(pool, box, registry);
  expect(await stored(id)).toEqual({ ...before, provider_secret: null });
  await putBack();
  await patch(id, { auth_token: null });
  expect(await stored(id)).toEqual({ provider_secret: null, provider_secrets: {} });
});

test.each([
  [{ provider_settings: { bogus: 1 } }, "unknown_field", "/provider_settings/bogus"],
  [{ provider_settings: { account_sid: "nonsense" } }, "invalid_value", "/provider_settings/account_sid"],
  [{ provider_settings: { account_sid: 1, base_url: 2 } }, "invalid_value", "/provider_settings/account_sid"],
  [{ provider_settings: { base_url: "https://user:pass@a.example" } }, "address_invalid", "/provider_settings"],
  [{ provider_settings: { base_url: "https://a.example/?a" } }, "address_invalid", "/provider_settings"],
  [{ provider_settings: { base_url: "http://[" } }, "address_invalid", "/provider_settings"],
  [{ provider_settings: [] }, "invalid_value", "/provider_settings"],
  [{ provider: "carrier-pigeon" }, "invalid_value", "/provider"],
  [{ kind: "chat", provider: "twilio", address: null }, "provider_not_for_kind", "/provider"],
  [{ kind: "chat", provider: "recorder", address: null }, "secret_not_for_provider", "/auth_token"],
])("%j is refused", async (body, code, path) => {
  for (const provider of ["twilio", "recorder"]) {
    const wanted = { name: "x", kind: "sms", mailbox, provider, auth_token: token, ...body };
    const answer = await api.call("POST", "/channels", { body: wanted });
    expect(answer.status).toBe(422);
    expect(answer.json.problems?.[0] ?? answer.json).toMatchObject({ code, path });
    expect(answer.text).not.toContain(token);
  }
});

test("the providers can be read, with all that a form needs", async () => {
  const { json } = await api.call("GET", "/providers");
  expect(json.items.map((each: { name: string }) => each.name)).toEqual(["recorder", "twilio"]);
  expect(json.items[1]).toMatchObject({
    settings: { properties: { account_sid: { type: "string" }, base_url: {} } },
    secrets: [{ field: "auth_token" }],
    callbacks: [{ field: "webhook" }, { field: "status_webhook" }],
    serves: { sms: { media: 10, subject: false } },
  });
});
