import type { FastifyInstance } from "fastify";
import { refuse } from "@threadmill/core";
import { pino } from "pino";
import { Type } from "typebox";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bareApp } from "../app.ts";
import { createMetrics } from "../observe/metrics.ts";
import { manualClock } from "../process/clock.ts";
import { openSecretBox } from "../secrets/secret-box.ts";
import { plainProblems, ProblemAnswer } from "./errors.ts";
import { list, pageOf } from "./pages.ts";
import type { AppPorts } from "./ports.ts";
import { problem } from "./problems.ts";
import { registerRoutes, route } from "./route.ts";
import { openScope, type Scope } from "./scope.ts";

const clock = manualClock("2026-11-21T12:00:00.000Z");
const metrics = createMetrics();
// no route here asks the engine or the database for anything
const ports = {
  secretBox: openSecretBox(new Uint8Array(32)),
  log: pino({ level: "silent" }),
  metrics,
  clock,
  publicUrl: "https://threadmill.test",
  trustedProxies: [],
  version: "0",
} as Partial<AppPorts> as AppPorts;

/** A scope as a widget's might be: visitors, pages of other origins, problems and bodies of its own form. */
const visitors: Scope = {
  name: "visitors",
  prefix: "/visit",
  async signIn({ headers }) {
    const id = headers["x-visitor"];
    if (typeof id !== "string") throw new ProblemAnswer(problem("unauthorized"));
    const place = { lane: 1, organization: "01890000-0000-7000-8000-000000000001" };
    return { place, actor: { kind: "channel", id: null }, id, user: null, token: null, scopes: null, session: null };
  },
  async checkRights(_call, permission) {
    if (permission !== null) throw new ProblemAnswer(problem("forbidden"));
  },
  problems: { mediaType: "application/json", bodyOf: ({ code, detail, path }) => ({ error: { code, detail, path } }) },
  unknownFields: "ignored",
  takeBodies(own) {
    own.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_request, body, done) => {
      done(null, Object.fromEntries(new URLSearchParams(body as string)));
    });
  },
  origins: async (origin) => origin === "https://shop.test",
  rates: { read: { perSecond: 1000, burst: 1000 }, write: { perSecond: 1, burst: 3 } },
  inReference: false,
};
const strict: Scope = {
  ...visitors,
  name: "strict",
  prefix: "/strict",
  problems: plainProblems,
  unknownFields: "refused",
  origins: null,
};

const Greeting = Type.Object(
  { text: Type.String(), from: Type.Optional(Type.Object({ name: Type.String() }, { additionalProperties: false })) },
  { additionalProperties: false },
);
const about = { tag: "Me", summary: "x" } as const;
const routes = [
  route({
    ...about,
    method: "POST",
    url: "/greetings",
    permission: null,
    body: Greeting,
    answer: Type.Unknown(),
    status: 201,
    handle: async ({ body, actor, caller }) =>
      body.text === "no" ? refuse("conflict", "said_no", "No") : { body, actor, caller: caller.id },
  }),
  route({
    ...about,
    method: "GET",
    url: "/settings",
    permission: "settings.read",
    answer: Type.Unknown(),
    handle: async () => ({}),
  }),
  list({
    ...about,
    url: "/numbers",
    permission: null,
    item: Type.Unknown(),
    title: "Numbers",
    spot: Type.Tuple([Type.Integer()]),
    async read(_call, page) {
      const rows = [1, 2, 3].filter((n) => n > (page.after?.[0] ?? 0)).map((n) => ({ n }));
      return pageOf(rows.slice(0, page.rows), page, ({ n }) => [n]);
    },
  }),
];

let app: FastifyInstance;
beforeAll(async () => {
  app = bareApp(ports);
  for (const scope of [visitors, strict])
    await openScope(app, scope, ports, (own) => registerRoutes(own, scope, routes, ports));
});
afterAll(() => app.close());

const ask = async (
  method: "GET" | "POST" | "OPTIONS",
  url: string,
  { body, headers = {} }: { body?: unknown; headers?: object } = {},
) => {
  const answer = await app.inject({
    method,
    url,
    headers: { "x-visitor": `v-${method}-${url}`, ...headers },
    ...(body !== undefined && { payload: body as object }),
  });
  return { status: answer.statusCode, headers: answer.headers, json: answer.body === "" ? null : answer.json() };
};

describe("a scope", () => {
  test("signs in by its own means, before anything is read, and says who does what", async () => {
    expect(await ask("POST", "/visit/greetings", { body: { text: "hello" } })).toMatchObject({
      status: 201,
      json: { actor: { kind: "channel" }, caller: "v-POST-/visit/greetings" },
    });
    const answer = await app.inject({
      method: "POST",
      url: "/visit/greetings",
      payload: "{",
      headers: { "content-type": "application/json" },
    });
    expect(answer.statusCode).toBe(401);
    expect(await ask("GET", "/visit/settings")).toMatchObject({ status: 403, json: { error: { code: "forbidden" } } });
  });

  test("has problems of its own form, whoever finds them", async () => {
    const code = (answer: { json: { error?: { code: string } } }) => answer.json.error?.code;
    const headers = { "x-visitor": "clumsy" };
    expect(code(await ask("POST", "/visit/greetings", { body: { text: 1 }, headers }))).toBe("invalid_input");
    expect(
      code(
        await ask("POST", "/visit/greetings", {
          body: "{",
          headers: { ...headers, "content-type": "application/json" },
        }),
      ),
    ).toBe("invalid_json");
    expect(code(await ask("POST", "/visit/greetings", { body: { text: "no" }, headers }))).toBe("said_no");
    expect(code(await ask("GET", "/visit/nothing"))).toBe("not_found");
    expect(code(await ask("GET", "/visit/numbers?cursor=x"))).toBe("cursor_invalid");
    expect(await ask("GET", "/strict/nothing")).toMatchObject({ json: { code: "not_found" } });
    expect((await ask("GET", "/strict/nothing")).headers["content-type"]).toContain("application/problem+json");
  });

  test("takes bodies of its own kinds, open or closed", async () => {
    const body = { text: "hello", colour: "red", from: { name: "Ada", age: 36 } };
    expect(await ask("POST", "/visit/greetings", { body, headers: { "x-visitor": "open" } })).toMatchObject({
      status: 201,
      json: { body: { text: "hello", from: { name: "Ada" } } },
    });
    expect(
      (await ask("POST", "/visit/greetings", { body, headers: { "x-visitor": "open" } })).json.body,
    ).not.toHaveProperty("colour");
    expect(await ask("POST", "/strict/greetings", { body })).toMatchObject({
      status: 422,
      json: { code: "unknown_field" },
    });
    const form = { body: "text=hello", headers: { "content-type": "application/x-www-form-urlencoded" } };
    expect(await ask("POST", "/visit/greetings", form)).toMatchObject({
      status: 201,
      json: { body: { text: "hello" } },
    });
    expect(await ask("GET", "/visit/numbers?odd=1")).toMatchObject({ status: 200 });
    expect(await ask("GET", "/strict/numbers?odd=1")).toMatchObject({ status: 422 });
  });

  test("lets the pages of its origins call, and no others", async () => {
    const from = (origin: string) => ({ headers: { origin } });
    const own = await ask("GET", "/visit/numbers", from("https://shop.test"));
    expect(own.headers).toMatchObject({
      "access-control-allow-origin": "https://shop.test",
      vary: "Origin",
      "cross-origin-resource-policy": "cross-origin",
    });
    for (const other of [
      await ask("GET", "/visit/numbers", from("https://evil.test")),
      await ask("GET", "/strict/numbers", from("https://shop.test")),
    ]) {
      expect(other.headers).not.toHaveProperty("access-control-allow-origin");
      expect(other.headers).toMatchObject({ "cross-origin-resource-policy": "same-origin" });
    }
    // a browser asks without signing in
    const asked = await app.inject({
      method: "OPTIONS",
      url: "/visit/greetings",
      headers: { origin: "https://shop.test" },
    });
    expect(asked.statusCode).toBe(204);
    expect(asked.headers).toMatchObject({
      "access-control-allow-origin": "https://shop.test",
      "access-control-allow-methods": expect.stringContaining("POST"),
    });
    expect((await ask("OPTIONS", "/visit/greetings", from("https://evil.test"))).headers).not.toHaveProperty(
      "access-control-allow-methods",
    );
  });

  test("limits each of its callers by kind of work, and says when to come again", async () => {
    const greet = (visitor: string, prefix = "/visit") =>
      ask("POST", `${prefix}/greetings`, { body: { text: "hello" }, headers: { "x-visitor": visitor } });
    const statuses = [];
    for (let n = 0; n < 5; n++) statuses.push((await greet("busy")).status);
    expect(statuses).toEqual([201, 201, 201, 429, 429]);
    const refused = await greet("busy");
    expect(refused).toMatchObject({ status: 429, json: { error: { code: "too_many_requests" } } });
    expect(refused.headers["retry-after"]).toBe("1");
    expect(await greet("another")).toMatchObject({ status: 201 });
    expect(await greet("busy", "/strict")).toMatchObject({ status: 201 });
    expect(await ask("GET", "/visit/numbers", { headers: { "x-visitor": "busy" } })).toMatchObject({ status: 200 });
    await clock.advance(1000);
    expect([(await greet("busy")).status, (await greet("busy")).status]).toEqual([201, 429]);
    expect(await metrics.registry.metrics()).toMatch(/threadmill_failures_total\{code="too_many_requests"\} 4/);
  });

  test("stops an address from which strangers come in numbers, before it signs anybody in", async () => {
    const bad = () => app.inject({ method: "GET", url: "/strict/numbers", remoteAddress: "192.0.2.7" });
    for (let n = 0; n < 5000; n++) expect((await bad()).statusCode).toBe(401);
    expect((await bad()).statusCode).toBe(429);
    expect(
      await app.inject({
        method: "GET",
        url: "/strict/numbers",
        remoteAddress: "192.0.2.7",
        headers: { "x-visitor": "v" },
      }),
    ).toMatchObject({ statusCode: 429 });
    expect((await ask("GET", "/strict/numbers")).status).toBe(200);
  });

  test("has cursors like any list", async () => {
    const first = await ask("GET", "/visit/numbers?limit=2");
    expect(first.json).toMatchObject({ items: [{ n: 1 }, { n: 2 }] });
    const rest = await ask("GET", `/visit/numbers?limit=2&cursor=${first.json.next_cursor}`);
    expect(rest.json).toEqual({ items: [{ n: 3 }], next_cursor: null });
  });
});
