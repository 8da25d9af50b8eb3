import type { Pool, PoolClient } from "pg";
import type { Engine } from "../../lanes/engine.ts";
import { type Claimed, renewLease } from "../claim.ts";

/** Why a sweep ended before it was through: another process has the effect by now, or this one is going. */
export class SweepEnded extends Error {}

/** One erasing under way: whose it is, and how its slices are taken. */
export interface Sweep {
  readonly lane: number;
  readonly organization: string;
  readonly customer: string;
  /** what the customer was found under, as "kind:address" */
  readonly addresses: ReadonlySet<string>;
  /** A slice of rows that batches write back whole: it holds the lane, briefly. */
  readonly inLane: <T>(fn: (tx: PoolClient) => Promise<T>) => Promise<T>;
  /** A slice of rows that nobody rewrites. */
  readonly aside: <T>(fn: (pool: Pool) => Promise<T>) => Promise<T>;
}

/** Slices of a claimed erasing. Each renews the lease, so that however long all of them take, no other worker begins. */
export function sweepOf(pool: Pool, engine: Pick<Engine, "inLane">, claimed: Claimed, signal: AbortSignal): Sweep {
  const { lane, organization, payload } = claimed;
  const goOn = async (client: Pool | PoolClient): Promise<void> => {
    if (signal.aborted) throw new SweepEnded("the process is going");
    if (!(await renewLease(client, claimed))) throw new SweepEnded("another worker has it");
  };
  return {
    lane,
    organization,
    customer: payload["customer"] as string,
    addresses: new Set((payload["addresses"] as readonly string[] | undefined) ?? []),
    inLane: (fn) =>
      engine.inLane(lane, async (tx) => {
        await goOn(tx);
        return fn(tx);
      }),
    async aside(fn) {
      await goOn(pool);
      return fn(pool);
    },
  };
}
