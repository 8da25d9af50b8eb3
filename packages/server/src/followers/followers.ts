import type { Pool } from "pg";
import type { Engine, EngineLog } from "../lanes/engine.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Clock } from "../process/clock.ts";
import { loop, type Service } from "../process/running.ts";
import { followSlice, lanesBehind, sliceRows, tendLane } from "./cursor.ts";
import type { Follower } from "./follower.ts";

/** What following needs of the process around it. */
export interface FollowOptions {
  /** connections for work behind the scenes */
  readonly pool: Pool;
  readonly engine: Pick<Engine, "onLog">;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: EngineLog;
  /** how long what happened may wait, so that much of it is carried at once; default 1,000 ms */
  readonly pauseMs?: number;
}

/** After a slice it rests this many times as long as the slice took: following never takes more than a tenth of a connection. */
const restTimes = 9;
/** How often it looks for what nobody told of: commits of a process whose hints are lost. */
const lookMs = 5000;
const tendMs = 600_000;

/**
 * Follows the log in the background with one follower: carries what the engine tells of, looks now and then for what it
 * was not told of, and says how far behind it is. Several processes share the lanes.
 */
export function createFollowing(follower: Follower, options: FollowOptions): Service {
  const { pool, metrics, clock } = options;
  const { name } = follower;
  const dirty = new Set<number>();
  let lookedAt = -Infinity;
  let tendedAt = -Infinity;
  const now = (): number => Date.parse(clock.now());

  /** Finds every lane that is behind, and tells how far the worst is. */
  const look = async (): Promise<void> => {
    lookedAt = now();
    const behind = await lanesBehind(pool, name);
    for (const { lane } of behind) dirty.add(lane);
    const lag = behind.map(({ since, now: at }) => (Date.parse(at) - Date.parse(since)) / 1000);
    metrics.followerLagSeconds.set({ follower: name }, Math.max(0, ...lag));
  };

  const tend = async (signal: AbortSignal): Promise<void> => {
    tendedAt = now();
    if (follower.tend === undefined) return;
    const { rows } = await pool.query<{ lane: number }>("select distinct lane from directory_organizations");
    for (const { lane } of rows) if (!signal.aborted) await tendLane(pool, follower, lane);
  };

  return loop({
    name: `follower ${name}`,
    clock,
    random: options.random,
    idleMs: options.pauseMs ?? 1000,
    maxIdleMs: options.pauseMs ?? 1000,
    backoff: { baseMs: 1000, maxMs: 60_000 },
    onError: (error) => options.log.error({ err: error, follower: name }, "a follower of the log failed"),
    // what is told wakes nobody: the pause gathers it
    wake: () => options.engine.onLog((marks) => marks.forEach(({ lane }) => dirty.add(lane))),
    async tick(signal) {
      if (now() - lookedAt >= lookMs) await look();
      if (now() - tendedAt >= tendMs) await tend(signal);
      // one slice a lane, and round again: a lane with a long way to go does not keep the others waiting
      const lanes = [...dirty];
      const failures: unknown[] = [];
      for (const lane of lanes) {
        if (signal.aborted) break;
        const started = performance.now();
        // what is told from here on is news
        dirty.delete(lane);
        try {
          const slice = await followSlice(pool, follower, lane);
          // who is busy there carries it; the next look finds what is left
          if (!slice.busy && slice.rows >= sliceRows) dirty.add(lane);
        } catch (error) {
          // others' lanes are not to wait for this one, which the next look finds again
          failures.push(error);
        }
        await clock.sleep(Math.min(1000, restTimes * (performance.now() - started)), signal);
      }
      for (const error of failures)
        options.log.error({ err: error, follower: name }, "a follower of the log failed in a lane");
      return dirty.size;
    },
  });
}
