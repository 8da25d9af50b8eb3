import type { Pool, PoolClient } from "pg";
import { transaction } from "../db/transaction.ts";

/**
 * Opens a transaction that holds a lane, as every writer of its world does: the lock is a statement of its own, before
 * anything is read. The limits that cut a stalled holder off are set inside, because a pooler would drop what is set on
 * the session.
 */
export const beginInLane = (lane: number): string =>
  `begin; set local idle_in_transaction_session_timeout = '15s'; set local lock_timeout = '20s'; set local transaction_timeout = '60s';
select lane from lanes where lane = ${lane} for update`;

/** Runs `fn` in a transaction that holds the lane. */
export const inLane = <T>(pool: Pool, lane: number, fn: (tx: PoolClient) => Promise<T>): Promise<T> =>
  transaction(pool, fn, { begin: beginInLane(lane) });
