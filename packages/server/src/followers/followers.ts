import type { Pool } from "pg";
import type { Engine, EngineLog } from "../lanes/engine.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Clock } from "../process/clock.ts";
import { loop, type Service } from "../process/running.ts";
import { followSlice, followTogether, lanesBehind, sliceRows, tendLane } from "./cursor.ts";
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

/** After a slice they rest this many times as long as the slice took: following never takes more than a fifth of a connection. */
const restTimes = 4;
/** How often it looks for what nobody told of: commits of a process whose hints are lost. */
const lookMs = 5000;
const tendMs = 600_000;

/**
 * Follows the log in the background: carries what the engine tells of, looks now and then for what it was not told of, and
 * says how far behind each follower is. All share one reading of the log, as long as they stand at one place: five that
 * each read for themselves doubled what a message at 100/s waited for. Several processes share the lanes.
 */
export function createFollowing(followers: readonly Follower[], options: FollowOptions): Service {
  const { pool, metrics, clock } = options;
  const dirty = new Set<number>();
  let lookedAt = -Infinity;
  let tendedAt = -Infinity;
  const now = (): number => Date.parse(clock.now());

  /** Finds every lane where one is behind, and tells how far the worst is. */
  const look = async (): Promise<void> => {
    lookedAt = now();
    for (const { name } of followers) {
      const behind = await lanesBehind(pool, name);
      for (const { lane } of behind) dirty.add(lane);
      const lag = behind.map(({ since, now: at }) => (Date.parse(at) - Date.parse(since)) / 1000);
      metrics.followerLagSeconds.set({ follower: name }, Math.max(0, ...lag));
    }
  };

  const tend = async (signal: AbortSignal): Promise<void> => {
    tendedAt = now();
    const { rows } = await pool.query<{ lane: number }>("select distinct lane from directory_organizations");
    for (const follower of followers) {
      if (follower.tend === undefined) continue;
      for (const { lane } of rows) if (!signal.aborted) await tendLane(pool, follower, lane);
    }
  };

  /** Carries a slice for those who stand together, and one for each of the others; answers whether there is more. */
  const follow = async (lane: number): Promise<boolean> => {
    let carried: readonly Follower[] = [];
    let more = false;
    try {
      const slice = await followTogether(pool, followers, lane);
      ({ carried } = slice);
      more = slice.rows >= sliceRows;
    } catch (error) {
      // one of them failed: the others are not to wait for it
      if (followers.length === 1) throw error;
    }
    for (const follower of followers) {
      if (carried.includes(follower)) continue;
      try {
        const slice = await followSlice(pool, follower, lane);
        // who is busy there carries it; the next look finds what is left
        if (!slice.busy && slice.rows >= sliceRows) more = true;
      } catch (error) {
        options.log.error({ err: error, follower: follower.name, lane }, "a follower of the log failed in a lane");
      }
    }
    return more;
  };

  return loop({
    name: "followers",
    clock,
    random: options.random,
    idleMs: options.pauseMs ?? 1000,
    maxIdleMs: options.pauseMs ?? 1000,
    backoff: { baseMs: 1000, maxMs: 60_000 },
    onError: (error) => options.log.error({ err: error }, "following the log failed"),
    // what is told wakes nobody: the pause gathers it
    wake: () => options.engine.onLog((marks) => marks.forEach(({ lane }) => dirty.add(lane))),
    async tick(signal) {
      if (now() - lookedAt >= lookMs) await look();
      if (now() - tendedAt >= tendMs) await tend(signal);
      // one slice a lane, and round again: a lane with a long way to go does not keep the others waiting
      const lanes = [...dirty];
      for (const lane of lanes) {
        if (signal.aborted) break;
        const started = performance.now();
        // what is told from here on is news
        dirty.delete(lane);
        try {
          if (await follow(lane)) dirty.add(lane);
        } catch (error) {
          // others' lanes are not to wait for this one, which the next look finds again
          options.log.error({ err: error, lane }, "the followers of the log failed in a lane");
        }
        await clock.sleep(Math.min(1000, restTimes * (performance.now() - started)), signal);
      }
      return dirty.size;
    },
  });
}
