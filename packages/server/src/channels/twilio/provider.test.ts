import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createOutside, type Outside, type OutsideLimits } from "../../outside/client.ts";
import type { Delivery } from "../provider.ts";
import { twilioProvider } from "./provider.ts";

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly authorization: string;
  readonly type: string;
  readonly form: [string, string][];
}

const seen: Seen[] = [];
let answer: (response: ServerResponse, request: IncomingMessage) => void = (response) => void response.end();
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const { method = "", url = "", headers } = request;
    seen.push({
      method,
      url,
      authorization: headers.authorization ?? "",
      type: headers["content-type"] ?? "",
      form: [...new URLSearchParams(Buffer.concat(chunks).toString())],
    });
    answer(response, request);
  });
});
let base = "";
const outside = createOutside({ allowed: ["127.0.0.1"] });
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  outside.close();
});

const says =
  (status: number, body: unknown, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void =>
    void response
      .writeHead(status, { "content-type": "application/json", ...headers })
      .end(typeof body === "string" ? body : JSON.stringify(body));

const delivery = (channel: Partial<Delivery["channel"]> = {}, more: Partial<Delivery> = {}): Delivery => ({
  key: "k1",
  message: "m1",
  to: "+14155550100",
  text: "Hi & welcome = 👋\nline",
  media: [],
  channel: {
    id: "c1",
    organization: "o1",
    lane: 1,
    kind: "sms",
    address: "+14155550199",
    settings: { account_sid: "AC1", base_url: base },
    secrets: { auth_token: "s3cret:with colon" },
    ...channel,
  },
  statusUrl: "https://threadmill.test/webhooks/twilio/c1/status",
  ...more,
});
const hasty = (limits: Partial<OutsideLimits>): Pick<Outside, "send"> => ({
  send: (request) => outside.send({ ...request, limits }),
});
const deliver = (given = delivery(), by: Pick<Outside, "send"> = outside) => twilioProvider(by).deliver(given);
const created = says(201, { sid: "SM1" });

describe("a message", () => {
  test("goes out as Twilio's form, with basic authentication", async () => {
    answer = created;
    expect(await deliver()).toEqual({ status: "done", output: { provider_id: "SM1" } });
    expect(seen.at(-1)).toEqual({
      method: "POST",
      url: "/2010-04-01/Accounts/AC1/Messages.json",
      authorization: `Basic ${Buffer.from("AC1:s3cret:with colon").toString("base64")}`,
      type: "application/x-www-form-urlencoded",
      form: [
        ["To", "+14155550100"],
        ["From", "+14155550199"],
        ["Body", "Hi & welcome = 👋\nline"],
        ["StatusCallback", "https://threadmill.test/webhooks/twilio/c1/status"],
      ],
    });
  });

  test.each([
    ["whatsapp", "+14155550100", "whatsapp:+14155550100", "whatsapp:+14155550199"],
    ["whatsapp", "whatsapp:+14155550100", "whatsapp:+14155550100", "whatsapp:+14155550199"],
    ["messenger", "1234567", "messenger:1234567", "messenger:+14155550199"],
    ["sms", "+14155550100", "+14155550100", "+14155550199"],
  ] as const)(
    "on %s to %s has the channel's prefix on both sides, once",
    async (kind, to, expectedTo, expectedFrom) => {
      answer = created;
      await deliver(delivery({ kind }, { to }));
      expect(seen.at(-1)?.form).toEqual(
        expect.arrayContaining([
          ["To", expectedTo],
          ["From", expectedFrom],
        ]),
      );
    },
  );

  test("of a messaging service names it, and takes every medium along", async () => {
    answer = created;
    await deliver(
      delivery({ address: "MG42" }, { media: [{ url: "https://a.test/1.png" }, { url: "https://a.test/2.png" }] }),
    );
    const { form } = seen.at(-1) as Seen;
    expect(form.filter(([name]) => name === "MediaUrl").map(([, value]) => value)).toEqual([
      "https://a.test/1.png",
      "https://a.test/2.png",
    ]);
    expect(form).toEqual(expect.arrayContaining([["MessagingServiceSid", "MG42"]]));
    expect(form.some(([name]) => name === "From")).toBe(false);
  });

  test.each([{ secrets: {} }, { address: null }, { settings: {} }])(
    "of a channel that is not set up is refused: %j",
    async (channel) => {
      const before = seen.length;
      expect(await deliver(delivery(channel))).toMatchObject({
        status: "failed",
        error: { code: "channel_incomplete" },
      });
      expect(seen.length).toBe(before);
    },
  );

  test.each([
    ["not an address", "address_invalid"],
    ["http://127.0.0.2:9", "address_not_allowed"],
    ["http://169.254.169.254", "address_not_allowed"],
  ])("is not sent to %s", async (base_url, code) => {
    expect(await deliver(delivery({ settings: { account_sid: "AC1", base_url } }))).toMatchObject({
      status: "failed",
      error: { code },
    });
  });
});

describe("what Twilio answers", () => {
  test.each([
    [
      "a refusal with its code",
      says(400, { code: 21_211, message: "Invalid 'To'" }),
      { status: "failed", error: { code: "twilio_21211", message: "Twilio answered 400, code 21211: Invalid 'To'" } },
    ],
    ["a refusal without a body", says(401, ""), { status: "failed", error: { code: "provider_refused" } }],
    [
      "another address",
      says(302, "", { location: "https://elsewhere.test/" }),
      { status: "failed", error: { code: "provider_refused" } },
    ],
    [
      "too many requests",
      says(429, { code: 20_429 }, { "retry-after": "7" }),
      { status: "retry", afterMs: 7000, error: { code: "provider_busy" } },
    ],
    [
      "too many requests for a year",
      says(429, {}, { "retry-after": "31536000" }),
      { status: "retry", afterMs: 3_600_000 },
    ],
    ["a pause", says(503, ""), { status: "retry", error: { code: "provider_busy" } }],
    ["a fault", says(500, { message: "oops" }), { status: "unknown", error: { code: "outcome_unknown" } }],
    ["a gateway's fault", says(502, "<html>"), { status: "unknown" }],
    ["a success that cannot be read", says(201, "<html>"), { status: "unknown" }],
    ["a success that is nothing", says(200, "null"), { status: "unknown" }],
    ["a success without an id", says(201, { sid: "" }), { status: "unknown" }],
    ["a success with an id that is none", says(201, { sid: "SM 1\n" }), { status: "unknown" }],
  ])("%s", async (_name, says, expected) => {
    answer = says;
    expect(await deliver()).toMatchObject(expected);
  });

  test("too many requests until an unreadable date is tried again with our own back-off", async () => {
    answer = says(429, {}, { "retry-after": "Fri, 20 Nov 2026 17:00:00 GMT" });
    expect(await deliver()).not.toHaveProperty("afterMs");
  });
});

describe("a connection", () => {
  test("that is refused is tried again: nothing was sent", async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise<void>((resolve) => closed.close(() => resolve()));
    expect(
      await deliver(delivery({ settings: { account_sid: "AC1", base_url: `http://127.0.0.1:${port}` } })),
    ).toMatchObject({
      status: "retry",
      error: { code: "provider_unreachable" },
    });
  });

  test("that breaks before the answer leaves the outcome unknown", async () => {
    answer = (_response, request) => request.socket.destroy();
    expect(await deliver()).toMatchObject({ status: "unknown", error: { code: "outcome_unknown" } });
  });

  test("that breaks within the answer leaves the outcome unknown", async () => {
    answer = (response) => {
      response.writeHead(201, { "content-length": "100" });
      response.write('{"sid":');
      response.socket?.end();
    };
    expect(await deliver()).toMatchObject({ status: "unknown" });
  });

  test("that stays silent leaves the outcome unknown", async () => {
    answer = () => {};
    expect(await deliver(delivery(), hasty({ wholeMs: 50 }))).toMatchObject({
      status: "unknown",
      error: { message: expect.stringMatching(/^Twilio: 127\.0\.0\.1:\d+ did not answer in time$/) },
    });
  });

  test("that answers without end leaves the outcome unknown", async () => {
    answer = says(201, JSON.stringify({ sid: "SM1", pad: "x".repeat(2_000_000) }));
    expect(await deliver()).toMatchObject({ status: "unknown", error: { code: "outcome_unknown" } });
  });
});
