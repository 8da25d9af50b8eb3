import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "./clock.ts";

/** Something that works in the background until its signal aborts. */
export interface Service {
  readonly name: string;
  /** Runs until `signal` aborts and the work in hand is finished. One run at a time. */
  run(signal: AbortSignal): Promise<void>;
  /** Says that there may be work: the next tick comes at once instead of after the idle sleep. */
  wake(): void;
}

/** What a loop tells about a tick that threw. */
export interface LoopFailure {
  loop: string;
  /** Failures in a row, this one included. */
  failures: number;
  /** When the next tick comes, in milliseconds. */
  retryInMs: number;
}

/** How a background loop behaves. All times are milliseconds. */
export interface LoopOptions {
  name: string;
  /** One round of work; answers how many things it did. More than 0: the next round comes at once. */
  tick(signal: AbortSignal): Promise<number>;
  /** Sleep after the first round that found nothing; doubles up to `maxIdleMs`. */
  idleMs: number;
  maxIdleMs: number;
  /** Sleep after the first failure, doubling up to `maxMs`; each is drawn from the upper half of its span. */
  backoff: { baseMs: number; maxMs: number };
  /** Called for each tick that threw, except when the loop is being stopped. Must not throw. */
  onError(error: unknown, failure: LoopFailure): void;
  clock: Clock;
  /** A number in [0, 1), for the jitter. */
  random(): number;
  /** Optional source of wake-ups, subscribed to while the loop runs; returns how to unsubscribe. */
  wake?: (wake: () => void) => () => void;
}

/**
 *     tick --did something-----------------------> tick
 *      |  \--nothing, woken meanwhile------------> tick
 *      |   \-nothing--> idle sleep (wake cuts it)-> tick
 *      \-threw-------> back-off (wake waits)------> tick
 *
 * The one loop primitive. A wake-up during a tick is kept for the end of it. A wake-up during a back-off does not cut
 * it, or a busy process would hammer a database that just failed; the tick that follows sees the work anyway.
 */
export function loop(options: LoopOptions): Service {
  let running = false;
  let woken = false;
  let cutSleep: (() => void) | undefined;

  const wake = () => {
    woken = true;
    cutSleep?.();
  };

  async function run(signal: AbortSignal): Promise<void> {
    if (running) throw new Error(`The loop ${options.name} already runs`);
    running = true;
    const unsubscribe = options.wake?.(wake);
    try {
      await rounds(signal);
    } finally {
      unsubscribe?.();
      running = false;
    }
  }

  async function rounds(signal: AbortSignal): Promise<void> {
    let idle = 0;
    let failures = 0;
    while (!signal.aborted) {
      woken = false;
      let done: number;
      try {
        done = await options.tick(signal);
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        const retryInMs = backoffMs(options.backoff, failures, options.random());
        options.onError(error, { loop: options.name, failures, retryInMs });
        await options.clock.sleep(retryInMs, signal);
        continue;
      }
      failures = 0;
      if (done > 0 || woken) {
        idle = 0;
        // A tick that never waits for I/O would otherwise keep the process from seeing anything else.
        await nextTurn();
        continue;
      }
      await idleSleep(doubling(options.idleMs, options.maxIdleMs, idle), signal);
      idle = woken ? 0 : idle + 1;
    }
  }

  async function idleSleep(ms: number, signal: AbortSignal): Promise<void> {
    // One controller a sleep, and one listener on the long-lived signal that is removed again: AbortSignal.any
    // would leave a dependent signal behind for each sleep.
    const nap = new AbortController();
    cutSleep = () => nap.abort();
    signal.addEventListener("abort", cutSleep);
    try {
      if (!signal.aborted) await options.clock.sleep(ms, nap.signal);
    } finally {
      signal.removeEventListener("abort", cutSleep);
      cutSleep = undefined;
    }
  }

  return { name: options.name, run, wake };
}

/** The wait before retry number `failures` (1, 2, ...): 100, 200, 400 ... up to `maxMs`, times 0.5 to 1. */
export function backoffMs(backoff: LoopOptions["backoff"], failures: number, random: number): number {
  return Math.ceil(doubling(backoff.baseMs, backoff.maxMs, failures - 1) * (0.5 + random / 2));
}

function doubling(firstMs: number, mostMs: number, times: number): number {
  return Math.min(mostMs, firstMs * 2 ** Math.min(times, 30));
}
