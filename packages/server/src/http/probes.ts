import type { FastifyInstance } from "fastify";
import type { AppPorts } from "./ports.ts";

/** What monitors ask: /healthz (the process lives), /readyz (it can work), /metrics. Without sign-in, and no part of the API. */
export function registerProbes(app: FastifyInstance, { engine, metrics }: Pick<AppPorts, "engine" | "metrics">): void {
  const schema = { hide: true };
  app.get("/healthz", { schema }, async () => ({ status: "ok" }));
  app.get("/readyz", { schema }, async (_request, reply) => {
    const { ready, reason } = engine.health();
    return reply
      .code(ready ? 200 : 503)
      .send({ status: ready ? "ready" : "not_ready", ...(reason !== undefined && { reason }) });
  });
  app.get("/metrics", { schema }, async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}
