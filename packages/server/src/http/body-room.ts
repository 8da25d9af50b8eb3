import type { FastifyInstance, FastifyRequest } from "fastify";
import { ProblemAnswer } from "./errors.ts";
import { problem } from "./problems.ts";

/** Bodies up to so many bytes always come in: connections cost as much. Nearly all messages are that small. */
const smallBytes = 16 * 1024;
const roomBytes = 64 * 1024 * 1024;

/**
 * Limits what bodies that are on their way may take together, until each is read and what it asks for is counted where it
 * waits. One counts as what it says it has, or, where it does not say, as the largest there may be: whoever sends slowly
 * keeps a place, but no small body ever needs one. Beyond it a request is answered `overloaded` before any of its body is
 * read.
 */
export function limitBodies(app: FastifyInstance, most: number = roomBytes): void {
  let taken = 0;
  const places = new WeakMap<FastifyRequest, number>();
  const leave = (request: FastifyRequest): void => {
    taken -= places.get(request) ?? 0;
    places.delete(request);
  };
  app.addHook("preParsing", async (request, reply) => {
    const { headers, routeOptions } = request;
    if (headers["content-length"] === undefined && headers["transfer-encoding"] === undefined) return;
    const largest = routeOptions.bodyLimit ?? app.initialConfig.bodyLimit ?? most;
    const bytes = Math.min(Number(headers["content-length"] ?? largest), largest);
    if (bytes <= smallBytes) return;
    if (taken + bytes > most) {
      const detail = "More is being sent to this process than it may hold";
      throw new ProblemAnswer(problem("overloaded", { detail }));
    }
    taken += bytes;
    places.set(request, bytes);
    // an answer, or the end of the connection, whichever comes
    reply.raw.once("close", () => leave(request));
  });
  app.addHook("preValidation", async (request) => leave(request));
}
