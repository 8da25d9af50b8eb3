import type { FastifyInstance } from "fastify";
import type { AppPorts } from "./ports.ts";

/**
 * Measures every request and logs it without body, query or headers. At level debug, for under load there are thousands
 * a second, and bad input is no event of ours; the metrics count it. Faults are logged by the error handler.
 */
export function logRequests(app: FastifyInstance, { log, metrics }: Pick<AppPorts, "log" | "metrics">): void {
  app.addHook("onResponse", async (request, reply) => {
    const { method } = request;
    const route = request.routeOptions.url;
    const status = reply.statusCode;
    const seconds = reply.elapsedTime / 1000;
    metrics.http({ method, route, status, seconds });
    log.debug({ method, route, status, ms: Math.round(reply.elapsedTime), ip: request.ip }, "A request was answered");
  });
}
