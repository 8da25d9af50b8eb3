import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { manualClock } from "../process/clock.ts";
import { limitedLog } from "./limited-log.ts";
import { createLog } from "./log.ts";
import { mask, scrubText } from "./scrub.ts";
import { serializeError } from "./serialize-error.ts";

function capture(level = "info") {
  const raw: string[] = [];
  const log = createLog({ level, destination: { write: (line: string) => void raw.push(line) } });
  return { log, raw, lines: () => raw.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe("the log", () => {
  test("writes one JSON object a line, from its level on", () => {
    const { log, raw, lines } = capture("warn");
    log.info("unheard");
    log.warn({ lane: 3 }, "heard");
    expect(raw).toHaveLength(1);
    expect(raw[0]?.endsWith("\n")).toBe(true);
    expect(lines()[0]).toMatchObject({ level: "warn", lane: 3, msg: "heard" });
    expect(lines()[0]?.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  test("masks secrets at any depth, in messages, in children and in objects", () => {
    const { log, raw, lines } = capture();
    const child = log.child({ token: "hunter2", nested: { "x-token": "hunter2" } });
    child.info(
      {
        a: { b: { c: { password: "hunter2" } } },
        headers: { authorization: "Bearer hunter2hunter2", cookie: ["hunter2"] },
      },
      "x",
    );
    log.info({ DATABASE_URL: "postgres://u:hunter2@db", secret: { deep: "hunter2" }, password: 12_345_678 }, "y");
    log.info(
      { body: JSON.stringify({ auth_token: 'hun"ter2 hunter2', Token: "hunter2" }) },
      "postgres://me:hunter2@db/x?password=hunter2",
    );
    log.info(`used tm_hunter2hunter2hunter2 on http://localhost:3000/users/a@b.test`);
    expect(raw.join("")).not.toMatch(/hunter2|12345678/);
    expect(raw.join("")).toContain("http://localhost:3000/users/a@b.test");
    expect(lines()).toHaveLength(4);
  });

  test("shows of a request only method, path and address", () => {
    const { log, lines } = capture();
    log.info(
      {
        req: { method: "GET", url: "/v1/runs?text=private", ip: "127.0.0.1", headers: { cookie: "a" } },
        res: { statusCode: 200 },
      },
      "done",
    );
    expect(lines()[0]).toMatchObject({
      req: { method: "GET", path: "/v1/runs", ip: "127.0.0.1" },
      res: { status: 200 },
    });
    expect(lines()[0]?.req).not.toHaveProperty("headers");
  });

  test("uses the error serializer", () => {
    const { log, lines } = capture();
    log.error({ err: Object.assign(new Error("no"), { code: "23505", detail: "Key (email)=(a@b.test)" }) }, "failed");
    expect(lines()[0]?.err).toMatchObject({ type: "Error", message: "no", code: "23505" });
    expect(lines()[0]?.err).not.toHaveProperty("detail");
  });
});

describe("scrubbing", () => {
  test.each([
    ["postgres://u:p%40ss@db:5432/x", `postgres://u:${mask}@db:5432/x`],
    ["postgres://u:p@ss@db/x", `postgres://u:${mask}@db/x`],
    ["redis://:pw@cache", `redis://:${mask}@cache`],
    ["host=db password=pw user=u", `host=db password=${mask} user=u`],
    ["/hook?token=abc&x=1", `/hook?token=${mask}&x=1`],
    ['{"x-token": "a\\"b", "n": 1}', `{"x-token": "${mask}", "n": 1}`],
    ['{"outer":"{\\"token\\":\\"abc\\",\\"n\\":1}"}', `{"outer":"{\\"token\\":\\"${mask}\\",\\"n\\":1}"}`],
    ['{"token":null,"tokens":"kept","my_token_count":3}', '{"token":null,"tokens":"kept","my_token_count":3}'],
    ["Bearer abcdefgh.ijk-l", `Bearer ${mask}`],
    ["bearer of news", "bearer of news"],
    ["mail a@b.test at 12:30 https://x.test/a@b", "mail a@b.test at 12:30 https://x.test/a@b"],
  ])("%s", (text, scrubbed) => {
    expect(scrubText(text)).toBe(scrubbed);
  });

  test("no text takes more than linear time", () => {
    const pieces = [
      "a",
      "a.",
      "://",
      "://a",
      "a://:",
      "\\",
      '"',
      '\\"',
      '"token":"',
      '\\"token\\":\\"\\\\',
      "password=",
      "bearer ",
      '"token" ',
      "tm_",
    ];
    const startedAt = performance.now();
    for (const piece of pieces) {
      for (const start of ["", '"token":"', '\\"token\\":\\"', "a://b:", "password="])
        scrubText(start + piece.repeat(100_000) + "\\x");
    }
    // Quadratic time takes tens of seconds for a single one of these.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test("a value that was cut off is masked to its end", () => {
    const whole = JSON.stringify({ body: '{"token":"hunter2 \\"quoted\\" hunter2' });
    expect(JSON.parse(scrubText(whole))).toEqual({ body: `{"token":"${mask}"` });
    expect(scrubText('Unexpected end of {"password":"hun')).toBe(`Unexpected end of {"password":"${mask}"`);
  });

  test("JSON stays JSON, at three depths, and what holds no secret stays as it is", () => {
    const passwords = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom('"', "\\", "a", "\n", "'", "/", "\ud800", "é") }),
    );
    const inner = fc.record({ value: fc.jsonValue(), password: passwords });
    fc.assert(
      fc.property(inner, passwords, ({ value, password }, token) => {
        const deepest = JSON.stringify({ password, kept: token });
        const line = JSON.stringify({ value, token, text: JSON.stringify({ password, deepest }) });
        const read = JSON.parse(scrubText(line)) as { value: unknown; token: unknown; text: string };
        expect(read.value).toEqual(JSON.parse(JSON.stringify(value)));
        expect(read.token).toBe(mask);
        const text = JSON.parse(read.text) as { password: string; deepest: string };
        expect(text.password).toBe(mask);
        expect(JSON.parse(text.deepest)).toEqual({ password: mask, kept: token });
      }),
      { numRuns: 500 },
    );
  });
});

describe("errors", () => {
  test("keep code and causes, drop secrets and quoted rows", () => {
    const cause = Object.assign(new TypeError("Invalid URL"), {
      code: "ERR_INVALID_URL",
      input: "postgres://u:hunter2@",
    });
    const error = new Error("cannot open postgres://u:hunter2@db/x", { cause });
    const shown = serializeError(error);
    expect(shown).toMatchObject({ type: "Error", cause: { type: "TypeError", code: "ERR_INVALID_URL" } });
    expect(shown.stack).toContain("log.test");
    expect(JSON.stringify(shown)).not.toContain("hunter2");
  });

  test("several at once are shown, up to five; a chain ends", () => {
    const many = new AggregateError(
      Array.from({ length: 9 }, (_, at) => Object.assign(new Error(`e${at}`), { port: at })),
      "all failed",
    );
    expect(serializeError(many).errors).toHaveLength(5);
    const circular = new Error("round");
    circular.cause = circular;
    expect(JSON.stringify(serializeError(circular)).match(/"round"/g)).toHaveLength(6);
  });

  test("anything thrown is shown", () => {
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    expect(serializeError("text")).toEqual({ type: "string", message: "text" });
    expect(serializeError(undefined)).toEqual({ type: "undefined", message: "undefined" });
    expect(serializeError({ a: 1 })).toEqual({ type: "object", message: '{"a":1}' });
    expect(serializeError(loop)).toEqual({ type: "object", message: "[object Object]" });
  });
});

describe("the limited log", () => {
  const start = "2026-11-20T17:00:00.000Z";

  test("writes a few lines of a message a minute, then says how many it held back", async () => {
    const { log, lines } = capture();
    const clock = manualClock(start);
    const limited = limitedLog(log, { perMinute: 2, clock });
    for (let n = 0; n < 10; n++) limited.warn({ n }, "bad input");
    limited.error({}, "another");
    expect(lines().map((line) => line.msg)).toEqual(["bad input", "bad input", "another"]);
    await clock.advance(59_999);
    limited.warn({}, "bad input");
    expect(lines()).toHaveLength(3);
    await clock.advance(1);
    limited.error({}, "another");
    expect(lines().slice(3)).toMatchObject([
      { level: "warn", msg: "Lines were suppressed", suppressed: 9, limited: "bad input" },
      { level: "error", msg: "another" },
    ]);
    limited.warn({}, "bad input");
    expect(lines()).toHaveLength(6);
  });

  test("flush tells what is left, once", () => {
    const { log, lines } = capture();
    const limited = limitedLog(log, { perMinute: 1, clock: manualClock(start) });
    limited.info({}, "a");
    limited.info({}, "a");
    limited.debug({}, "below the level");
    limited.flush();
    limited.flush();
    expect(lines().map((line) => line.suppressed)).toEqual([undefined, 1]);
  });

  test("messages built from input cannot fill memory or the log", () => {
    const { log, lines } = capture();
    const limited = limitedLog(log, { perMinute: 1, clock: manualClock(start) });
    for (let n = 0; n < 1000; n++) limited.info({}, `message ${n}`);
    expect(lines()).toHaveLength(201);
    limited.flush();
    expect(lines().at(-1)).toMatchObject({ suppressed: 799, limited: "(other messages)" });
  });
});
