import type { Pool } from "pg";
import type { Engine, EngineLog } from "../lanes/engine.ts";
import { EngineFault } from "../lanes/port.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Clock } from "../process/clock.ts";
import { type Claimed, type Postponed, postponeEffects } from "./claim.ts";
import { conclude, retryAfterMs, storable } from "./conclude.ts";
import { inSets } from "./in-sets.ts";
import type { Performed } from "./performer.ts";

/** How long it is tried to settle an outcome; the mill takes it for as long as nobody else has claimed the effect. */
const settleWithinMs = 120_000;

export interface SettlerOptions {
  readonly pool: Pool;
  readonly engine: Pick<Engine, "settle" | "onEffects" | "holdAtBirth" | "stuckLanes">;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: EngineLog;
  readonly random: () => number;
}

/**
 * Sees that what was performed is settled through its lane, or given back for a later attempt: many at once, and holding
 * no worker, since a lane that stands still must not keep others' effects from being performed.
 */
export class Settler {
  readonly #options: SettlerOptions;
  readonly #postpone: (postponed: Postponed) => Promise<void>;
  readonly #settling = new Set<Promise<void>>();
  /** how many effects of each lane wait to be settled */
  readonly #unsettled = new Map<number, number>();

  constructor(options: SettlerOptions) {
    this.#options = options;
    this.#postpone = inSets((set) => postponeEffects(options.pool, set));
  }

  settle(claimed: Claimed, attempt: Performed): void {
    this.#count(claimed.lane, 1);
    const done: Promise<void> = this.#settleOrPostpone(claimed, attempt)
      // its lease runs out and it is tried again; the provider's key or the channel's policy covers the second time
      .catch((error: unknown) =>
        this.#options.log.error({ err: error, effect: claimed.id }, "an effect could not be settled"),
      )
      .finally(() => {
        this.#settling.delete(done);
        this.#count(claimed.lane, -1);
      });
    this.#settling.add(done);
  }

  /** Lanes that hold up what is to be settled, as many of theirs as `atMost` already: more would only wait as well. */
  lanesToAvoid(atMost: number): number[] {
    return [
      ...this.#options.engine.stuckLanes().map(({ lane }) => lane),
      ...[...this.#unsettled].filter(([, count]) => count >= atMost).map(([lane]) => lane),
    ];
  }

  async idle(): Promise<void> {
    while (this.#settling.size > 0) await Promise.allSettled(this.#settling);
  }

  async #settleOrPostpone(claimed: Claimed, attempt: Performed): Promise<void> {
    const { metrics, engine, random, clock } = this.#options;
    const outcome = conclude(claimed, attempt);
    if (outcome === null) {
      const { error, ...retry } = attempt as Exclude<Performed, { readonly status: "done" }>;
      const after = "afterMs" in retry ? retry.afterMs : undefined;
      const dueInMs = after ?? retryAfterMs(claimed.attempt, random);
      return this.#postpone({ claimed, dueInMs, error: storable(error) });
    }
    if (outcome.status !== "done") metrics.failure(outcome.error.code);
    const { lane, organization, id, attempt: number } = claimed;
    const settled = { effect: id, attempt: number, outcome };
    // what the outside world did is known: a lane that stands still for a while is no reason to forget it
    for (const until = performance.now() + settleWithinMs; ;) {
      try {
        return await engine.settle({ lane, organization }, settled);
      } catch (error) {
        if (!(error instanceof EngineFault && error.code === "unavailable") || performance.now() >= until) throw error;
        await clock.sleep(1000);
      }
    }
  }

  #count(lane: number, by: number): void {
    const count = (this.#unsettled.get(lane) ?? 0) + by;
    if (count === 0) this.#unsettled.delete(lane);
    else this.#unsettled.set(lane, count);
  }
}
