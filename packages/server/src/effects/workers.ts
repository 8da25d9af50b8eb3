import type { Outcome } from "@threadmill/core";
import type { Pool } from "pg";
import type { Engine, EngineLog } from "../lanes/engine.ts";
import { EngineFault } from "../lanes/port.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Clock } from "../process/clock.ts";
import { loop, type Service } from "../process/running.ts";
import { claimEffects, type Claimed, countEffects, postpone } from "./claim.ts";
import type { Attempt } from "../channels/provider.ts";

/** What an attempt came to, and for an unknown outcome whether it is to be tried again or held for a person. */
export type Performed = Attempt & { readonly policy?: "retry" | "hold" };

/**
 * Performs one kind of effect. What the outside world does is an attempt's answer; a throw is a fault of ours, tried
 * again. The signal asks long work to end soon, since the process is going; what is nearly done is better finished.
 */
export type Performer = (claimed: Claimed, signal: AbortSignal) => Promise<Performed>;

export interface WorkerOptions {
  readonly pool: Pool;
  readonly engine: Pick<Engine, "settle" | "onEffects" | "stuckLanes">;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: EngineLog;
  readonly random: () => number;
  /** by kind of effect */
  readonly performers: Readonly<Record<string, Performer>>;
  /** effects in work at a time; default 32 */
  readonly parallel?: number;
}

/** Attempts before an effect is given up: over the back-off below, about a day. */
export const attemptsAtMost = 36;

/** After attempt 1, 2, 3 ...: 1 s, 2 s, 4 s ... an hour at most, each drawn from the upper half, so that a provider that comes back is not stormed. */
export function retryAfterMs(attempt: number, random: () => number): number {
  const full = Math.min(1000 * 2 ** Math.min(attempt - 1, 20), 3_600_000);
  return full / 2 + random() * (full / 2);
}

/** The workers of this process: claim due effects, perform them, and settle them through their lane. */
export function createWorkers(options: WorkerOptions): Service & { idle(): Promise<void> } {
  const { pool, engine, metrics, log } = options;
  const parallel = options.parallel ?? 32;
  const working = new Set<Promise<void>>();
  const settling = new Set<Promise<void>>();
  /** how many effects of each lane wait to be settled */
  const unsettled = new Map<number, number>();
  const stop = new AbortController();

  const settleOrRetry = async (claimed: Claimed, attempt: Performed): Promise<void> => {
    const outcome = conclude(claimed, attempt);
    if (outcome === null) {
      const after = attempt.status === "retry" ? attempt.afterMs : undefined;
      const { error } = attempt as Extract<Attempt, { readonly error: object }>;
      await postpone(pool, claimed, after ?? retryAfterMs(claimed.attempt, options.random), storable(error));
      return;
    }
    if (outcome.status !== "done") metrics.failure(outcome.error.code);
    await engine.settle(
      { lane: claimed.lane, organization: claimed.organization },
      { effect: claimed.id, attempt: claimed.attempt, outcome },
    );
  };

  /** Settling holds no worker: a lane that stands still must not keep others' effects from being performed. */
  const settleAside = (claimed: Claimed, attempt: Awaited<ReturnType<Performer>>): void => {
    const count = (by: number): void => void unsettled.set(claimed.lane, (unsettled.get(claimed.lane) ?? 0) + by);
    count(1);
    const done: Promise<void> = settleOrRetry(claimed, attempt)
      // its lease runs out and it is tried again; the provider's key or the channel's policy covers the second time
      .catch((error: unknown) => log.error({ err: error, effect: claimed.id }, "an effect could not be settled"))
      .finally(() => {
        settling.delete(done);
        count(-1);
        // the next message of the same conversation may go now
        service.wake();
      });
    settling.add(done);
  };

  /** Lanes that hold up what is to be settled; their effects would only wait as well. */
  const lanesToAvoid = (): number[] => [
    ...engine.stuckLanes().map(({ lane }) => lane),
    ...[...unsettled].filter(([, count]) => count >= parallel).map(([lane]) => lane),
  ];

  const work = async (claimed: Claimed): Promise<void> => {
    const perform = options.performers[claimed.kind];
    let attempt: Performed;
    try {
      attempt =
        perform === undefined
          ? { status: "failed", error: { code: "effect_unknown", message: `Nothing performs ${claimed.kind}` } }
          : await perform(claimed, stop.signal);
    } catch (error) {
      if (error instanceof EngineFault && error.code !== "internal") {
        // the lane cannot be had, or too much waits for it: no fault of the effect's
        attempt = { status: "retry", error: { code: error.code, message: error.message } };
        return settleAside(claimed, attempt);
      }
      log.error({ err: error, effect: claimed.id, kind: claimed.kind }, "an effect worker failed");
      attempt = { status: "retry", error: { code: "worker_fault", message: "A fault inside Threadmill" } };
    }
    settleAside(claimed, attempt);
  };

  const service = loop({
    name: "effects",
    clock: options.clock,
    random: options.random,
    idleMs: 500,
    maxIdleMs: 500,
    backoff: { baseMs: 500, maxMs: 10_000 },
    onError: (error) => log.error({ err: error }, "claiming effects failed"),
    wake: (wake) => engine.onEffects(wake),
    async tick() {
      if (working.size >= parallel) await Promise.race(working);
      const claimed = await claimEffects(pool, parallel - working.size, lanesToAvoid());
      for (const each of claimed) {
        const done: Promise<void> = work(each).finally(() => {
          working.delete(done);
          service.wake();
        });
        working.add(done);
      }
      if (claimed.length === 0) {
        const { due, dead } = await countEffects(pool);
        metrics.effectsDue.set(due);
        metrics.effectsDead.set(dead);
      }
      return claimed.length;
    },
  });
  return {
    ...service,
    wake: () => service.wake(),
    async run(signal) {
      const end = (): void => stop.abort();
      signal.addEventListener("abort", end);
      await service.run(signal);
      await Promise.allSettled(working);
      await Promise.allSettled(settling);
      signal.removeEventListener("abort", end);
    },
    async idle() {
      await Promise.allSettled(working);
      await Promise.allSettled(settling);
    },
  };
}

/** What ends the effect, or null when it is to be tried again. */
export function conclude(claimed: Pick<Claimed, "attempt">, attempt: Performed): Outcome | null {
  const last = claimed.attempt >= attemptsAtMost;
  if (attempt.status === "retry") return last ? { status: "failed", error: storable(attempt.error) } : null;
  if (attempt.status === "unknown" && attempt.policy === "retry" && !last) return null;
  if (attempt.status === "done") return { status: "done", output: attempt.output };
  return { status: attempt.status, error: storable(attempt.error) };
}

/** What others' systems say, cut to size, as text that every column takes. */
function storable({ code, message }: { readonly code: string; readonly message: string }): {
  code: string;
  message: string;
} {
  const clean = (text: string): string => text.slice(0, 500).replaceAll("\0", "").toWellFormed();
  return { code: clean(code), message: clean(message) };
}
