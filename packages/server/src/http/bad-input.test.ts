import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pageHeader } from "../identity/own-pages.ts";
import { startTestApi, type TestApi, testPublicUrl, testToken } from "../testing/test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const inbound = "/channels/api/messages";
const post = (body: unknown, headers: Record<string, string> = {}) => api.call("POST", inbound, { body, headers });
const message = (rest: object = {}) => ({ from: "ada", text: "hello", ...rest });

test("an id has one form: in capitals it is refused wherever it stands, never half known", async () => {
  const { conversation } = (await post(message())).json.result;
  const capitals = conversation.toUpperCase();
  expect(capitals).not.toBe(conversation);
  expect(await api.call("POST", `/conversations/${capitals}/close`)).toMatchObject({ status: 404 });
  expect(await api.call("GET", `/conversations/${capitals}`)).toMatchObject({ status: 404 });
  for (const { json } of [
    await api.call("POST", `/conversations/${conversation}/merge`, { body: { into: capitals } }),
    await api.call("GET", `/events?conversation=${capitals}`),
  ]) {
    expect(json).toMatchObject({ code: "invalid_input" });
    expect(JSON.stringify(json)).toContain("^[0-9a-f-]*$");
  }
  expect((await api.call("GET", `/conversations/${conversation}`)).json.status).toBe("open");
});

describe("a body that is refused, with its code and path", () => {
  test.each([
    ["no JSON", '{"from": ', 400, "invalid_json", ""],
    ["JSON and more", "{} {}", 400, "invalid_json", ""],
    ["a list", "[]", 422, "invalid_input", ""],
    ["null", "null", 422, "invalid_input", ""],
    ["a missing field", { text: "x" }, 422, "invalid_input", "/from"],
    ["an unknown field", message({ colour: "red" }), 422, "unknown_field", "/colour"],
    [
      "an unknown field deep inside",
      message({ media: [{ url: "http://a.test", size: 1 }] }),
      422,
      "unknown_field",
      "/media/0/size",
    ],
    ["a wrong type", message({ text: 5 }), 422, "invalid_input", "/text"],
    ["NUL", message({ text: "a\0b" }), 422, "text_not_allowed", "/text"],
    ["half a surrogate pair", '{"from": "ada", "text": "\\ud83d"}', 422, "text_not_allowed", "/text"],
    ["NUL in a name", '{"from": "ada", "text": "x", "a\\u0000": 1}', 422, "text_not_allowed", ""],
    ["__proto__", '{"from": "ada", "text": "x", "__proto__": {}}', 422, "invalid_input", ""],
    ["a number beyond all bounds", '{"from": "ada", "text": "x", "n": 1e999}', 422, "invalid_input", "/n"],
    ["depth", `${"[".repeat(200_000)}${"]".repeat(200_000)}`, 422, "invalid_input", ""],
    ["an address that is no text", message({ from: 5 }), 422, "invalid_input", "/from"],
  ])("%s", async (_name, body, status, code, path) => {
    const answer = await post(body);
    expect(answer.json).toMatchObject({ status, code, path });
    expect(answer.status).toBe(status);
  });

  test("not UTF-8", async () => {
    const answer = await api.raw({
      method: "POST",
      url: `/api/v2${inbound}`,
      headers: { authorization: `Bearer ${testToken}`, "content-type": "application/json" },
      payload: Buffer.from([0x22, 0xff, 0x22]),
    });
    expect(answer.json()).toMatchObject({ status: 400, code: "invalid_json" });
  });

  test("too large", async () => {
    const answer = await post(message({ text: "x".repeat(1024 * 1024) }));
    expect(answer).toMatchObject({ status: 413, json: { code: "body_too_large" } });
  });

  test.each(["text/plain", "application/xml", "application/x-www-form-urlencoded", "garbage"])(
    "as %s",
    async (type) => {
      const answer = await post("<a/>", { "content-type": type });
      expect(answer).toMatchObject({ status: 415, json: { code: "unsupported_media_type" } });
    },
  );

  test("any route that reads a body says what it does about other media, broken JSON and too much", async () => {
    const { paths } = (await api.raw({ url: "/api/v2/openapi.json" })).json<{
      paths: Record<string, Record<string, { readonly requestBody?: { readonly content: Record<string, unknown> } }>>;
    }>();
    const id = "01890000-0000-7000-8000-000000000000";
    const wrong: string[] = [];
    for (const [path, methods] of Object.entries(paths)) {
      const url = path.replace("/api/v2", "").replaceAll(/\{\w+\}/g, id);
      for (const [method, { requestBody }] of Object.entries(methods).filter(([one]) => one !== "get")) {
        for (const [type, body, status] of [
          ["text/plain", "x", 415],
          ["application/json", "{", 400],
          ["application/json", `"${"x".repeat(1024 * 1024)}"`, 413],
        ] as const) {
          // some take more than JSON
          if (type !== "application/json" && requestBody?.content[type] !== undefined) continue;
          // the call itself throws where the reference does not promise the status
          const answer = await api.call(method.toUpperCase(), url, {
            body,
            headers: { "content-type": type, origin: testPublicUrl, [pageHeader]: "1" },
          });
          if (answer.status !== status) wrong.push(`${method} ${url} answers ${answer.status} to ${type}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  test("a phone number that is not possible", async () => {
    const answer = await api.call("POST", "/customers", { body: { phone: "123" } });
    expect(answer).toMatchObject({ status: 422, json: { code: "phone_not_possible", path: "/phone" } });
  });

  test("several mistakes are all told", async () => {
    const answer = await post({ text: 1, media: "x", odd: true });
    expect(answer.json.problems.map((one: { code: string; path: string }) => [one.code, one.path])).toEqual(
      expect.arrayContaining([
        ["unknown_field", "/odd"],
        ["missing_field", "/from"],
        ["invalid_value", "/text"],
        ["invalid_value", "/media"],
      ]),
    );
  });
});

describe("an address that is refused", () => {
  test.each([
    ["GET", "/nothing", 404, "not_found"],
    ["DELETE", "/me", 404, "not_found"],
    ["GET", "/conversations/not-an-id", 404, "not_found"],
    ["GET", "/conversations/%00", 404, "not_found"],
    ["GET", "/workflows/%00", 404, "not_found"],
    ["GET", "/conversations/%zz", 404, "not_found"],
    ["GET", "/customers?phone=%00", 422, "text_not_allowed"],
    ["GET", "/customers?limit=0", 422, "invalid_input"],
    ["GET", "/customers?limit=ten", 422, "invalid_input"],
    ["GET", "/customers?limit=5&limit=6", 422, "invalid_input"],
    ["GET", "/customers?cursor=abc", 400, "cursor_invalid"],
    ["GET", "/customers?colour=red", 422, "unknown_field"],
    ["GET", "/customers?phone=12", 422, "phone_not_possible"],
    ["GET", "/conversations?status=odd", 422, "invalid_input"],
    ["GET", "/conversations?mailbox=odd", 422, "mailbox_not_found"],
    ["POST", "/conversations/01890000-0000-7000-8000-000000000000/close", 404, "conversation_not_found"],
    ["POST", "/channels/odd/messages", 404, "channel_not_found"],
  ] as const)("%s %s", async (method, path, status, code) => {
    const body = path.endsWith("messages") ? message() : undefined;
    const answer = await api.call(method, path, body === undefined ? {} : { body });
    expect(answer).toMatchObject({ status, json: { code } });
  });
});

describe("sign-in", () => {
  test.each([
    ["no token", {}],
    ["another scheme", { authorization: `Basic ${testToken}` }],
    ["an unknown token", { authorization: `Bearer ${testToken}x` }],
    ["no token's form", { authorization: "Bearer x" }],
  ])("%s", async (_name, headers) => {
    const answer = await api.call("GET", "/me", { token: null, headers });
    expect(answer).toMatchObject({ status: 401, json: { code: "unauthorized" } });
    expect(answer.headers["www-authenticate"]).toBe('Bearer realm="threadmill"');
  });

  test("X-Token does as well", async () => {
    expect(await api.call("GET", "/me", { token: null, headers: { "x-token": testToken } })).toMatchObject({
      status: 200,
    });
  });
});

test("answers cannot be framed, sniffed or kept", async () => {
  const { headers } = await api.call("GET", "/me");
  expect(headers).toMatchObject({
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
    "strict-transport-security": "max-age=31536000",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  });
});

test("probes and metrics need no token", async () => {
  expect(await api.raw({ url: "/healthz" }).then((answer) => answer.json())).toEqual({ status: "ok" });
  expect(await api.raw({ url: "/readyz" }).then((answer) => answer.json())).toEqual({ status: "ready" });
  const metrics = await api.raw({ url: "/metrics" });
  expect(metrics.body).toContain('threadmill_http_request_seconds_count{method="GET",route="/healthz",status="2xx"}');
  expect(metrics.body).toMatch(/threadmill_failures_total\{code="unauthorized"\} [1-9]/);
});

test("the reference is served with its own scripts alone", async () => {
  const page = await api.raw({ url: "/" });
  expect(page.statusCode).toBe(200);
  expect(page.headers["content-security-policy"]).toContain("script-src 'self';");
  expect(page.body).not.toMatch(/(src|href)="(https?:)?\/\//);
  for (const [, path] of page.body.matchAll(/(?:src|href)="([^"]+)"/g)) {
    expect((await api.raw({ url: new URL(path as string, "http://x/").pathname })).statusCode).toBe(200);
  }
  expect((await api.raw({ url: "/json" })).json()).toEqual((await api.raw({ url: "/api/v2/openapi.json" })).json());
});

test("the OpenAPI document is whole", async () => {
  const document = (await api.raw({ url: "/api/v2/openapi.json" })).json() as {
    openapi: string;
    paths: Record<string, Record<string, { operationId: string; summary: string; tags: string[] }>>;
    components: { schemas: Record<string, unknown> };
  };
  expect(document.openapi).toBe("3.1.0");
  expect(Object.keys(document.components.schemas)).toContain("Problem");
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  expect(operations.length).toBeGreaterThan(90);
  expect(new Set(operations.map((one) => one.operationId)).size).toBe(operations.length);
  for (const one of operations)
    expect(one).toMatchObject({ summary: expect.stringMatching(/./), tags: [expect.any(String)] });
  expect(JSON.stringify(document)).not.toContain("~kind");
  for (const [, ref] of JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g))
    expect(ref).toBe("#/components/schemas/Problem");
});
