import { once } from "node:events";
import { connect, type AddressInfo } from "node:net";
import { Writable } from "node:stream";
import { pino } from "pino";
import { expect, test, vi } from "vitest";
import { startTestApi, testToken } from "../testing/test-api.ts";

test("a client that hangs up in the middle of its body is counted, and is no error of ours", async () => {
  const lines: string[] = [];
  const written = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  await using api = await startTestApi({}, pino({ level: "info" }, written));
  const { port } = api.server.app.server.address() as AddressInfo;
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(
    `POST /api/v2/channels/api/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${testToken}\r\n` +
      `Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"from": "ada", `,
  );
  // the server has begun to read the body once another request, sent later, was answered
  await api.call("GET", "/me");
  socket.resetAndDestroy();
  await vi.waitFor(
    async () =>
      expect((await api.raw({ url: "/metrics" })).body).toMatch(/threadmill_failures_total\{code="client_gone"\} 1/),
    { timeout: 10_000 },
  );
  expect(lines.filter((line) => JSON.parse(line).level >= 40)).toEqual([]);
});
