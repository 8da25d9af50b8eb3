import Fastify from "fastify";
import { Type } from "typebox";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { channels } from "../features/channels/channels.ts";
import { shown } from "../features/settings/resource.ts";
import { problem } from "../http/problems.ts";
import type { ScopeLimits } from "../http/scope.ts";
import { openSecretBox } from "../secrets/secret-box.ts";
import { startTestApi, type TestApi } from "../testing/test-api.ts";
import { callbackPrefix, statusUrl } from "./callback-address.ts";
import { providerCallbacks } from "./callbacks.ts";
import { lacks } from "./capability.ts";
import { addressProblem } from "./own-address.ts";
import { providersMarkdown } from "./page.ts";
import { type ProviderKind, textOnly } from "./provider.ts";
import { createRegistry, registry } from "./registry.ts";
import { sealSecret } from "./secrets.ts";

/** A provider as somebody would add it: one object. */
const pigeon: ProviderKind = {
  name: "pigeon",
  title: "Pigeon Post",
  about: "Carries mail by bird.",
  serves: { email: { ...textOnly, media: 1, subject: true, html: true, threads: true }, chat: textOnly },
  keys: true,
  settings: Type.Object(
    { loft: Type.Optional(Type.String({ description: "where the birds live" })) },
    { additionalProperties: false },
  ),
  secrets: { ring: { about: "The number on the bird's ring.", maxLength: 20 } },
  destination: ({ loft }) => (typeof loft === "string" ? `https://${loft}` : null),
  addressProblem,
  callbacks: [
    {
      field: "landing_webhook",
      about: "Where the birds land",
      path: "/landed",
      method: "POST",
      mediaType: "application/json",
      receive: ({ body, channel, headers }) =>
        headers["x-ring"] === channel.secrets["ring"]
          ? {
              commands: [
                { type: "message.receive", input: { channel: channel.id, ...(JSON.parse(body.toString()) as object) } },
              ],
              reply: { mediaType: "text/plain", body: "coo" },
            }
          : { problem: problem("wrong_signature") },
    },
    {
      field: "news",
      about: "News",
      path: "/news",
      method: "GET",
      mediaType: null,
      ofMessage: true,
      receive: ({ message }) => ({ commands: [], reply: { mediaType: "text/plain", body: String(message) } }),
    },
  ],
  open: () => ({ deliver: async () => ({ status: "done", output: {} }) }),
};
const withPigeon = createRegistry([...registry.all, pigeon]);

test("docs/providers.md is in step (update it with vitest -u)", async () => {
  await expect(providersMarkdown(registry)).toMatchFileSnapshot("../../../../docs/providers.md");
});

test("two providers of one name are a bug", () => {
  expect(() => createRegistry([pigeon, pigeon])).toThrow("same name");
});

test("every provider says what must be known of it", () => {
  for (const { name, settings, secrets, callbacks, about } of registry.all) {
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(about).toMatch(/\.$/);
    expect(settings).toMatchObject({ type: "object", additionalProperties: false });
    expect(settings).not.toHaveProperty("required");
    for (const secret of Object.values(secrets)) expect(secret.about).toMatch(/\.$/);
    expect(new Set(callbacks.map((each) => each.path)).size).toBe(callbacks.length);
  }
});

describe("a provider that is added", () => {
  const secretBox = openSecretBox(new Uint8Array(32).fill(7));
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.close());

  test("brings its settings, secrets and addresses into the channel", () => {
    const resource = channels({ secretBox, publicUrl: "https://threadmill.test" }, withPigeon);
    expect(Object.keys(resource.create)).toEqual(expect.arrayContaining(["auth_token", "ring"]));
    expect(JSON.stringify(resource.create)).toContain("where the birds live");
    const row = {
      id: "01890000-0000-7000-8000-000000000001",
      archived_at: null,
      kind: "email",
      provider: "pigeon",
      provider_settings: { loft: "a.example" },
      provider_secrets: { ring: "sealed" },
    };
    expect(shown(resource, row)).toMatchObject({
      has_ring: true,
      has_auth_token: false,
      landing_webhook: `https://threadmill.test/webhooks/pigeon/${row.id}/landed`,
      webhook: null,
    });
    expect(shown(resource, { ...row, kind: "sms", provider: "twilio" })).toMatchObject({
      landing_webhook: null,
      webhook: `https://threadmill.test/webhooks/twilio/${row.id}`,
    });
    expect(providersMarkdown(withPigeon)).toContain("| email | text, 1 media, subject, html, threads |");
  });

  test("brings its routes, which read its channels alone", async () => {
    const { pool } = api.server.database;
    const mailbox = (await api.call("GET", "/mailboxes")).json.items[0].id;
    const id = (await api.call("POST", "/channels", { body: { name: "Birds", kind: "email", mailbox } })).json.id;
    const organization = (await api.call("GET", "/organization")).json.id as string;
    const place = { id, organization, kind: "email", provider: "pigeon", settings: { loft: "a.example" } } as const;
    const ring = sealSecret(secretBox, withPigeon, place, { name: "ring", text: "NL-1" });
    await pool.query(
      "update channels set provider = 'pigeon', provider_settings = $2, provider_secrets = $3 where id = $1",
      [id, JSON.stringify(place.settings), JSON.stringify({ ring })],
    );
    const app = Fastify();
    const ports = {
      engine: api.server.engine,
      pool,
      secretBox,
      clock: { now: () => new Date().toISOString() },
      publicUrl: "https://threadmill.test",
    };
    const counted: string[] = [];
    const limits: ScopeLimits = {
      count: (_request, caller) => void counted.push(caller),
      countStranger: () => void counted.push("stranger"),
    };
    await app.register((own) => providerCallbacks(ports as never, withPigeon)(own, limits), { prefix: callbackPrefix });
    const land = (x: string, url = `/webhooks/pigeon/${id}/landed`, type = "application/json") =>
      app.inject({
        method: "POST",
        url,
        headers: { "x-ring": x, "content-type": type },
        payload: JSON.stringify({ from: "ada@example.com", text: "hi", provider_id: "bird-1" }),
      });
    expect(await land("NL-1")).toMatchObject({ statusCode: 200, body: "coo" });
    expect(await land("NL-2")).toMatchObject({ statusCode: 403 });
    // a channel's bucket is for what it vouches for
    expect(counted).toEqual([id, "stranger"]);
    expect(await land("NL-1", undefined, "text/csv")).toMatchObject({ statusCode: 415 });
    expect(await land("NL-1", `/webhooks/twilio/${id}`)).toMatchObject({ statusCode: 415 });
    const sms = (await api.call("GET", "/channels")).json.items.find(
      (each: { slug: string }) => each.slug === "sms",
    ).id;
    expect(await land("NL-1", `/webhooks/pigeon/${sms}/landed`)).toMatchObject({ statusCode: 404 });
    expect(counted).toEqual([id, "stranger", "stranger"]);
    expect((await api.call("GET", "/conversations?limit=1")).json.items[0]).toMatchObject({
      channel: id,
      address: "ada@example.com",
    });
    const message = "01890000-0000-7000-8000-000000000009";
    const news = statusUrl({ publicUrl: "", secretBox }, pigeon, { id, organization }, message) as string;
    expect(await app.inject({ method: "GET", url: news })).toMatchObject({ statusCode: 200, body: message });
    expect(await app.inject({ method: "GET", url: `/webhooks/pigeon/${id}/news` })).toMatchObject({ body: "null" });
    expect(await app.inject({ method: "GET", url: `${news}x` })).toMatchObject({ statusCode: 403 });
    await app.close();
  });
});

test.each([
  ["sms", { subject: "x" }, "provider_not_for_kind"],
  ["chat", { media: [{ url: "https://a.example/1" }] }, "media_not_supported"],
  ["email", { media: [{ url: "https://a.example/1" }, { url: "https://a.example/2" }] }, "media_too_many"],
  ["chat", { subject: "x" }, "subject_not_supported"],
  ["chat", { html: "<b>x</b>" }, "html_not_supported"],
  ["email", { headers: [{ name: "X-A", value: "b" }] }, "headers_not_supported"],
  ["email", { attachments: [{ name: "a", content_type: "b", url: "https://a.example" }] }, "attachments_not_supported"],
  ["email", { subject: "x", html: "<b>x</b>", headers: [], attachments: [] }, null],
] as const)("on %s, %j lacks %s", (kind, content, code) => {
  const found = lacks(pigeon, kind, { media: [], ...content } as never);
  expect(found?.code ?? null).toBe(code);
});
