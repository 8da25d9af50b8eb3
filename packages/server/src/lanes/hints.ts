import { randomUUID } from "node:crypto";
import { Client, type Pool } from "pg";
import { breakConnection } from "../db/pool.ts";
import { type Clock } from "../process/clock.ts";
import { loop, type Service } from "../process/running.ts";
import type { EngineLog } from "./engine.ts";

const channel = "threadmill_work";
/** One hint for all that happened meanwhile: a NOTIFY takes a lock of the whole database until its commit. */
const coalesceMs = 25;

const connectMs = 10_000;
/** A server that is gone answers no goodbye. */
const goodbyeMs = 500;

/** Tells the other processes that there may be work, and hears it from them. */
export interface Hints extends Service {
  /** there may be work for others: sent soon, once for all that happens meanwhile, never inside a batch */
  say(): void;
}

export interface HintOptions {
  readonly pool: Pool;
  /** a connection that no pooler stands before; LISTEN does not work through one */
  readonly url: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: EngineLog;
  /** another process has left work */
  readonly onHint: () => void;
}

/**
 * Hints between processes over LISTEN and NOTIFY. They only shorten a sleep: whoever hears none finds the work by polling
 * half a second later, so a lost connection or a pooler in the way costs time and nothing else.
 */
export function createHints(options: HintOptions): Hints {
  const self = randomUUID();
  let pending: NodeJS.Timeout | null = null;

  const listen = async (signal: AbortSignal): Promise<void> => {
    const client = new Client({
      connectionString: options.url,
      application_name: "threadmill hints",
      keepAlive: true,
      connectionTimeoutMillis: connectMs,
    });
    // an address that takes the call and never answers must not be waited for when the process is going
    const giveUp = (): void => breakConnection(client);
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      await client.connect();
      signal.removeEventListener("abort", giveUp);
      client.on("notification", ({ payload }) => {
        if (payload !== self) options.onHint();
      });
      await client.query(`listen ${channel}`);
      await new Promise<void>((resolve, reject) => {
        client.on("error", reject);
        client.on("end", resolve);
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    } finally {
      signal.removeEventListener("abort", giveUp);
      const goodbye = setTimeout(giveUp, goodbyeMs);
      await client.end().catch(() => {});
      clearTimeout(goodbye);
    }
  };

  const service = loop({
    name: "hints",
    clock: options.clock,
    random: options.random,
    idleMs: 1000,
    maxIdleMs: 30_000,
    backoff: { baseMs: 1000, maxMs: 30_000 },
    onError: (error) => options.log.warn({ err: error }, "hints between processes are off; polling goes on"),
    async tick(signal) {
      await listen(signal);
      return 0;
    },
  });
  return {
    ...service,
    say() {
      pending ??= setTimeout(() => {
        pending = null;
        // a hint that is lost costs half a second
        options.pool.query("select pg_notify($1, $2)", [channel, self]).catch(() => {});
      }, coalesceMs);
      pending.unref();
    },
  };
}
