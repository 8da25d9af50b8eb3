import { connect, type AddressInfo, type Socket } from "node:net";
import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, test } from "vitest";
import { limitBodies } from "./body-room.ts";
import { ProblemAnswer } from "./errors.ts";

const large = 40_000;
let app: FastifyInstance;
let port: number;
const sockets: Socket[] = [];
beforeEach(async () => {
  app = Fastify({ bodyLimit: 60_000 });
  app.setErrorHandler((error, _request, reply) =>
    reply.code(error instanceof ProblemAnswer ? error.problem.status : 500).send(String(error)),
  );
  limitBodies(app, 100_000);
  app.route({
    method: "POST",
    url: "/",
    handler: async (request) => ({ took: JSON.stringify(request.body).length }),
  });
  await app.listen({ port: 0, host: "127.0.0.1" });
  port = (app.server.address() as AddressInfo).port;
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await app.close();
});

/** Begins to send a body and stops in its middle; `rest` sends what is lacking. */
async function begin(length: number, how: "length" | "chunked" = "length") {
  const socket = connect(port, "127.0.0.1");
  sockets.push(socket);
  let answer = "";
  socket.on("data", (data) => (answer += data.toString()));
  const body = JSON.stringify("x".repeat(length - 2));
  const says = how === "length" ? `content-length: ${length}` : "transfer-encoding: chunked";
  socket.write(`POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n${says}\r\n\r\n`);
  if (how === "length") socket.write(body.slice(0, 10));
  return {
    socket,
    status: () => Number(/^HTTP\/1.1 (\d+)/.exec(answer)?.[1] ?? 0),
    rest: () => socket.write(body.slice(10)),
  };
}
async function post(length: number): Promise<number> {
  const payload = JSON.stringify("x".repeat(length - 2));
  const answer = await app.inject({
    method: "POST",
    url: "/",
    payload,
    headers: { "content-type": "application/json" },
  });
  return answer.statusCode;
}

test("bodies on their way have a limit together, before anything of them is read; small ones always come in", async () => {
  const slow = [await begin(large), await begin(large)];
  await expect.poll(() => post(large)).toBe(503);
  expect(await post(1000)).toBe(200);
  for (const each of slow) each.rest();
  await expect.poll(() => slow.map((each) => each.status())).toEqual([200, 200]);
  expect(await post(large)).toBe(200);
});

test("one that is broken off leaves its place, and one that does not say how large it is takes the largest there is", async () => {
  const unknown = await begin(large, "chunked");
  await expect.poll(() => post(50_000)).toBe(503);
  expect(await post(large)).toBe(200);
  unknown.socket.destroy();
  await expect.poll(() => post(50_000)).toBe(200);
});
