import { expect, test } from "vitest";
import { createClient } from "./client.ts";
import { ApiProblem, Unreachable } from "./problem.ts";
import { maySendAgain, waitMs } from "./retry.ts";

type Sent = { url: string; method: string; key: string | null; body: string | null; token: string | null };
type Answer = { status?: number; body?: unknown; headers?: Record<string, string> } | Error;

/** A client whose server answers what it is told, one after the other, and which remembers what it sent. */
function scripted(...answers: Answer[]) {
  const sent: Sent[] = [];
  const slept: number[] = [];
  const fetch = async (url: unknown, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    sent.push({
      url: String(url),
      method: init.method ?? "GET",
      key: headers.get("idempotency-key"),
      body: (init.body as string) ?? null,
      token: headers.get("authorization"),
    });
    const answer = answers.shift();
    if (answer === undefined) throw new Error("nothing more was scripted");
    if (answer instanceof Error) throw answer;
    const text = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body ?? {});
    return new Response(text, { status: answer.status ?? 200, headers: answer.headers ?? {} });
  };
  const sleep = async (ms: number) => {
    slept.push(ms);
  };
  const client = createClient({ url: "http://threadmill.test/", token: "tm_x", fetch, sleep });
  return { client, sent, slept };
}
const broken = () =>
  new TypeError("fetch failed", {
    cause: Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" }),
  });

test("asks below /api/v2 with the token", async () => {
  const { client, sent } = scripted({ body: { user: { name: "Owner" }, organization: {} } }, { body: { items: [] } });
  expect(await client.me()).toEqual({ user: { name: "Owner" }, organization: {} });
  await client.runs.list({ workflow: "a b", limit: 5 });
  expect(sent.map(({ method, url }) => `${method} ${url}`)).toEqual([
    "GET http://threadmill.test/api/v2/me",
    "GET http://threadmill.test/api/v2/runs?workflow=a+b&limit=5",
  ]);
  expect(sent[0]).toMatchObject({ token: "Bearer tm_x", key: null, body: null });
});

test("a problem is thrown with its code, status and path", async () => {
  const problems = [{ code: "invalid_value", path: "/text", message: "too long" }];
  const { client } = scripted({
    status: 422,
    body: { code: "invalid_input", detail: "The text is too long", path: "/text", problems },
  });
  const error = await client.messages.receive("api", { from: "ada", text: "x" }).catch((fault: unknown) => fault);
  expect(error).toBeInstanceOf(ApiProblem);
  expect(error).toMatchObject({
    message: "The text is too long",
    code: "invalid_input",
    status: 422,
    path: "/text",
    problems,
  });
});

test("a POST that got no answer is sent again under its key, with longer and longer waits", async () => {
  const { client, sent, slept } = scripted(broken(), { status: 503, body: { code: "commit_unknown" } }, broken(), {
    status: 201,
    body: { result: { message: "m" } },
  });
  expect(await client.messages.send("c/1", { text: "hi" })).toEqual({ result: { message: "m" } });
  expect(sent).toHaveLength(4);
  expect(new Set(sent.map(({ key }) => key)).size).toBe(1);
  expect(sent[0]?.key).toMatch(/^[0-9a-f]{32}$/);
  expect(sent[0]?.url).toMatch(/\/conversations\/c%2F1\/messages$/);
  expect(slept).toHaveLength(3);
});

test("a key that is given is used; the next request has another", async () => {
  const { client, sent } = scripted({}, {}, {});
  await client.request("POST", "/customers", {}, { idempotencyKey: "mine" });
  await client.request("POST", "/customers", {});
  await client.request("POST", "/customers", {});
  expect(sent[0]?.key).toBe("mine");
  expect(sent[1]?.key).not.toBe(sent[2]?.key);
});

test("gives up after a few attempts and says what broke", async () => {
  const { client, sent } = scripted(broken(), broken(), broken(), broken(), broken());
  const error = await client.me().catch((fault: unknown) => fault);
  expect(error).toBeInstanceOf(Unreachable);
  expect((error as Error).message).toBe("No answer from http://threadmill.test/: connect ECONNREFUSED 127.0.0.1:1");
  expect(sent).toHaveLength(5);
});

test("refusals and PATCH without an answer are not sent again", async () => {
  const refused = scripted({ status: 409, body: { code: "conversation_closed" } });
  await expect(refused.client.request("POST", "/x", {})).rejects.toMatchObject({ code: "conversation_closed" });
  const patch = scripted(broken());
  await expect(patch.client.request("PATCH", "/x", {})).rejects.toBeInstanceOf(Unreachable);
});

test("an answer that is no JSON is a problem of its own, and is not asked for again", async () => {
  const { client } = scripted({ body: "<html>" });
  await expect(client.me()).rejects.toMatchObject({ code: "unexpected_answer", status: 200 });
  const gateway = scripted({ status: 502, body: "<html>" });
  await expect(gateway.client.me()).rejects.toMatchObject({ code: "unexpected_answer", status: 502 });
});

test.each<[string, Answer]>([
  ["a page", { body: "<!doctype html><title>Sign in</title>" }],
  ["nothing", { body: "" }],
  ["a list", { body: [] }],
  ["another server's object", { body: { status: "ok" } }],
  ["another server's error", { status: 404, body: { message: "no Route matched" } }],
  ["a page that says no", { status: 403, body: "<html>Forbidden</html>" }],
])("says that it is no Threadmill server that answers with %s", async (_name, answer) => {
  const fault = await scripted(answer)
    .client.me()
    .catch((error: unknown) => error);
  expect(fault).toMatchObject({ name: "ApiProblem", code: "unexpected_answer" });
  expect((fault as Error).message).toContain("http://threadmill.test/ is no Threadmill server");
  const pages = scripted(answer).client.each("/workflows");
  await expect(pages.next()).rejects.toMatchObject({ code: "unexpected_answer" });
});

test("an answer without a body is one, where nothing is expected of it", async () => {
  expect(await scripted({ body: "" }).client.request("DELETE", "/tokens/1")).toBeUndefined();
});

test("a request that its caller gave up is not sent again", async () => {
  const abort = new AbortController();
  abort.abort(new Error("enough"));
  const { client, sent } = scripted(new Error("aborted"));
  await expect(client.request("GET", "/me", undefined, { signal: abort.signal })).rejects.toThrow("aborted");
  expect(sent).toHaveLength(1);
});

test("goes through the pages of a list", async () => {
  const { client, sent } = scripted(
    { body: { items: [1, 2], next_cursor: "n" } },
    { body: { items: [3], next_cursor: null } },
  );
  const items: number[] = [];
  for await (const item of client.each<number>("/workflows")) items.push(item);
  expect(items).toEqual([1, 2, 3]);
  expect(sent.map(({ url }) => new URL(url).search)).toEqual(["?limit=100", "?limit=100&cursor=n"]);
});

test("a list without pages ends", async () => {
  const { client, sent } = scripted({ body: { items: [1] } }, { body: { items: [2] } });
  const items: number[] = [];
  for await (const item of client.each<number>("/providers")) items.push(item);
  expect(items).toEqual([1]);
  expect(sent).toHaveLength(1);
});

test.each([
  ["POST", null, null, true],
  ["PUT", null, null, true],
  ["PATCH", null, null, false],
  ["PATCH", 503, "unavailable", true],
  ["PATCH", 503, "overloaded", true],
  ["PATCH", 503, "commit_unknown", false],
  ["POST", 429, "too_many_requests", false],
  ["GET", 500, "internal", false],
])("%s with %s %s may be sent again: %s", (method, status, code, again) => {
  expect(maySendAgain({ method, status, code })).toBe(again);
});

test("waits as long as the server asks, and never too long", () => {
  expect(waitMs(2, "2", 0)).toBe(2000);
  expect(waitMs(2, "3600", 0)).toBe(10_000);
  expect([2, 3, 4].map((next) => waitMs(next, null, 1))).toEqual([100, 200, 400]);
  expect(waitMs(40, "soon", 0)).toBe(5000);
});
