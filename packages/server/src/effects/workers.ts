import { EngineFault } from "../lanes/port.ts";
import type { EffectHands } from "../lanes/births.ts";
import { gate } from "../lanes/gate.ts";
import { loop, type Service } from "../process/running.ts";
import { claimEffects, countEffects, giveBackEffects } from "./claim.ts";
import { type Held, Holding } from "./holding.ts";
import { type Call, oneByOne, type Performed, type Performer, type SetPerformer } from "./performer.ts";
import { Settler, type SettlerOptions } from "./settler.ts";

export interface WorkerOptions extends SettlerOptions {
  /** by kind of effect */
  readonly performers: Readonly<Record<string, Performer | SetPerformer>>;
  /** calls under way at a time; default 32 */
  readonly parallel?: number;
}

/** As many are divided into calls together. */
const setAtMost = 256;
/** Sets that wait for a free worker at a time: more than one, so that a slow provider's do not keep all others from going. */
const setsAtOnce = 4;
/** Claimed with one statement at most. */
const claimAtMost = 500;
const countEveryMs = 10_000;

/** The workers of this process: they claim due effects, perform them, and settle them through their lane. */
export function createWorkers(options: WorkerOptions): Service & { idle(): Promise<void> } {
  const { pool, engine, metrics, log } = options;
  const parallel = options.parallel ?? 32;
  const stop = new AbortController();
  const holding = new Holding(parallel);
  const settler = new Settler(options);
  const workers = gate(parallel);
  const performers = new Map(
    Object.entries(options.performers).map(([kind, each]) => [
      kind,
      typeof each === "function" ? oneByOne(each, stop.signal) : each,
    ]),
  );
  const underWay = new Set<Promise<void>>();
  let sets = 0;
  /** whether others have waited for longer than what is born now */
  let behind = false;
  /** places that batches have reserved and not taken yet */
  let expected = 0;
  /** whether it was not looked for more, as there was no room for it */
  let hungry = false;
  let countedAt = -Infinity;

  const track = (work: Promise<void>): void => {
    const done: Promise<void> = work
      .catch((error: unknown) => log.error({ err: error }, "effects could not be seen to"))
      .finally(() => underWay.delete(done));
    underWay.add(done);
  };

  const giveBack = async (held: readonly Held[]): Promise<void> => {
    if (held.length > 0)
      await giveBackEffects(
        pool,
        held.map(({ claimed }) => claimed),
      );
  };

  /** What a call came to where it could not be made, or met a fault of ours. */
  const fault = (error: unknown, kind: string): Performed => {
    // the lane cannot be had, or too much waits for it: no fault of the effect's
    if (error instanceof EngineFault && error.code !== "internal")
      return { status: "retry", error: { code: error.code, message: error.message } };
    log.error({ err: error, kind }, "an effect worker failed");
    return { status: "retry", error: { code: "worker_fault", message: "A fault inside Threadmill" } };
  };

  const callsFor = async (kind: string, held: readonly Held[]): Promise<readonly Call[]> => {
    const effects = held.map(({ claimed }) => claimed);
    const answerAll = (attempt: Performed): Call => ({
      effects,
      make: () => Promise.allSettled(effects.map(() => Promise.resolve(attempt))),
    });
    const performer = performers.get(kind);
    if (performer === undefined)
      return [answerAll({ status: "failed", error: { code: "effect_unknown", message: `Nothing performs ${kind}` } })];
    try {
      return await performer.callsFor(effects);
    } catch (error) {
      return [answerAll(fault(error, kind))];
    }
  };

  const make = async (call: Call, held: readonly Held[]): Promise<void> => {
    try {
      const broken = (reason: unknown) => held.map(() => ({ status: "rejected" as const, reason }));
      const results = await call.make().catch(broken);
      for (const [n, result] of results.entries()) {
        const { claimed } = held[n] as Held;
        settler.settle(claimed, result.status === "fulfilled" ? result.value : fault(result.reason, claimed.kind));
      }
    } finally {
      holding.performed(held.length);
    }
  };

  /** Divides a set into calls and makes them, each with a worker of its own. */
  const work = async (set: readonly Held[]): Promise<void> => {
    const since = new Map(set.map((each) => [each.claimed, each]));
    const calls = await callsFor((set[0] as Held).claimed.kind, set);
    for (const call of calls) {
      const leave = await workers.enter();
      const held = call.effects.map((each) => since.get(each) as Held);
      // a lease that is nearly over, or a process that is going: somebody else does it
      if (stop.signal.aborted || !held.every((each) => holding.isFresh(each))) {
        leave();
        holding.free(held.length);
        track(giveBack(held));
        continue;
      }
      track(make(call, held).finally(leave).finally(more));
    }
  };

  /** Begins what waits here, as much as may be under way. */
  const begin = (): void => {
    while (sets < setsAtOnce && holding.waiting > 0) {
      sets += 1;
      const set = holding.take(setAtMost);
      track(
        work(set).finally(() => {
          sets -= 1;
          begin();
        }),
      );
    }
  };

  const more = (): void => {
    begin();
    if (!hungry || !holding.wants) return;
    hungry = false;
    service.wake();
  };

  const claim = async (): Promise<number> => {
    const since = performance.now();
    const wanted = Math.min(holding.room, claimAtMost);
    for (let n = 0; n < wanted; n += 1) holding.reserve();
    let claimed: Awaited<ReturnType<typeof claimEffects>> = [];
    try {
      claimed = await claimEffects(pool, wanted, settler.lanesToAvoid(parallel));
    } finally {
      holding.free(wanted - claimed.length);
    }
    behind = claimed.length === wanted;
    holding.put(claimed.map((each) => ({ claimed: each, since })));
    begin();
    return claimed.length;
  };

  const count = async (): Promise<void> => {
    if (performance.now() - countedAt < countEveryMs) return;
    countedAt = performance.now();
    const { due, dead } = await countEffects(pool);
    metrics.effectsDue.set(due);
    metrics.effectsDead.set(dead);
  };

  const hands: EffectHands = {
    kinds: Object.keys(options.performers).filter((kind) => typeof options.performers[kind] !== "function"),
    reserve() {
      if (!holding.reserve(behind)) return false;
      expected += 1;
      return true;
    },
    free(places) {
      expected -= places;
      holding.free(places);
    },
    hold(effects, since) {
      expected -= effects.length;
      const held = effects.map((claimed) => ({ claimed, since }));
      if (stop.signal.aborted) {
        holding.free(held.length);
        track(giveBack(held));
        return;
      }
      holding.put(held);
      begin();
    },
    giveBack: giveBackEffects,
  };

  const service = loop({
    name: "effects",
    clock: options.clock,
    random: options.random,
    idleMs: 500,
    maxIdleMs: 500,
    backoff: { baseMs: 500, maxMs: 10_000 },
    onError: (error) => log.error({ err: error }, "claiming effects failed"),
    wake: (wake) =>
      engine.onEffects(() => {
        behind = true;
        wake();
      }),
    async tick() {
      await count();
      hungry = !holding.wants;
      return hungry ? 0 : claim();
    },
  });

  const idle = async (): Promise<void> => {
    while (underWay.size > 0) await Promise.allSettled(underWay);
    await settler.idle();
  };
  return {
    ...service,
    wake: () => service.wake(),
    async run(signal) {
      const letGo = engine.holdAtBirth(hands);
      const end = (): void => {
        stop.abort();
        letGo();
        track(giveBack(holding.close()));
      };
      signal.addEventListener("abort", end);
      if (signal.aborted) end();
      await service.run(signal);
      await idle();
      // batches that are still under way have promises of ours
      while (expected > 0) {
        await options.clock.sleep(5);
        await idle();
      }
      signal.removeEventListener("abort", end);
    },
    idle,
  };
}
