import type { FastifyInstance } from "fastify";
import type { AppPorts } from "./ports.ts";

/** What monitors ask: /healthz (the process lives), /readyz (it can work), /metrics. Without sign-in, and no part of the API. */
export function registerProbes(app: FastifyInstance, { engine, metrics }: Pick<AppPorts, "engine" | "metrics">): void {
  const schema = { hide: true };
  app.get("/healthz", { schema }, async () => ({ status: "ok" }));
  app.get("/readyz", { schema }, async (_request, reply) => {
    const { ready, reason } = engine.health();
    // a lane that stands still is told, but does not take the process out of service: all others go on
    const stuck = engine.stuckLanes();
    return reply.code(ready ? 200 : 503).send({
      status: ready ? "ready" : "not_ready",
      ...(reason !== undefined && { reason }),
      ...(stuck.length > 0 && { stuck_lanes: stuck }),
    });
  });
  app.get("/metrics", { schema }, async (_request, reply) => {
    metrics.laneWaitingSeconds.reset();
    // the worst are enough, and keep the number of series small
    for (const { lane, seconds } of engine.stuckLanes().slice(0, 20)) metrics.laneWaitingSeconds.set({ lane }, seconds);
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
}
