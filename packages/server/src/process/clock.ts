import { setImmediate as nextTurn } from "node:timers/promises";

/** An instant: ISO 8601, UTC, milliseconds and Z, so that instants compare as text. */
export type Instant = string;

/** The port through which everything in the server reads the time or waits for it. */
export interface Clock {
  now(): Instant;
  /** Waits `ms` milliseconds; returns early, without an error, when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The longest delay Node's timers take; a longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/** The machine's clock. One sleep lasts at most 24.8 days; callers loop anyway. */
export const systemClock: Clock = {
  now: () => new Date().toISOString(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const finish = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", finish);
        resolve();
      };
      const timer = setTimeout(finish, Math.min(Math.max(0, ms), longestTimerMs));
      signal?.addEventListener("abort", finish);
    }),
};

/** A clock for tests that stands still until it is advanced. */
export interface ManualClock extends Clock {
  /** Moves time on by `ms`, waking sleepers in the order they fall due, those that fall asleep meanwhile included. */
  advance(ms: number): Promise<void>;
  /** Resolves as soon as at least `count` (default 1) sleeps are under way. */
  whenSleeping(count?: number): Promise<void>;
  /** How many sleeps are under way. */
  sleeping(): number;
}

interface Sleeper {
  dueMs: number;
  wake(): void;
}

/** Creates a manual clock that reads `start`. Sleepers due at the same instant wake in the order they fell asleep. */
export function manualClock(start: Instant): ManualClock {
  let nowMs = Date.parse(start);
  const sleepers: Sleeper[] = [];
  let watchers: { count: number; resolve(): void }[] = [];

  const tellWatchers = () => {
    const ready = watchers.filter((watcher) => sleepers.length >= watcher.count);
    watchers = watchers.filter((watcher) => sleepers.length < watcher.count);
    for (const watcher of ready) watcher.resolve();
  };

  return {
    now: () => new Date(nowMs).toISOString(),
    sleeping: () => sleepers.length,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const wake = () => {
          sleepers.splice(sleepers.indexOf(sleeper), 1);
          signal?.removeEventListener("abort", wake);
          resolve();
        };
        const sleeper: Sleeper = { dueMs: nowMs + Math.max(0, ms), wake };
        const later = sleepers.findIndex((other) => other.dueMs > sleeper.dueMs);
        sleepers.splice(later === -1 ? sleepers.length : later, 0, sleeper);
        signal?.addEventListener("abort", wake);
        tellWatchers();
      }),
    async advance(ms) {
      const targetMs = nowMs + ms;
      for (;;) {
        await settle();
        const next = sleepers[0];
        if (!next || next.dueMs > targetMs) break;
        nowMs = next.dueMs;
        next.wake();
      }
      nowMs = targetMs;
    },
    whenSleeping: (count = 1) =>
      new Promise((resolve) => {
        watchers.push({ count, resolve });
        tellWatchers();
      }),
  };
}

/** Lets woken code run until it sleeps again. Code that waits for real I/O needs `whenSleeping` instead. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await nextTurn();
}
