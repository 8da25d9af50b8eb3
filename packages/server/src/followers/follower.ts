import type { PoolClient } from "pg";
import type { Event } from "@threadmill/core";
import { readEvents, type StoredEvent } from "../lanes/log-format.ts";

/** A row of the log as a follower is given it; `eventsOf` makes its events whole. */
export interface FollowedRow {
  readonly seq: number;
  readonly at: string;
  readonly organization: string;
  readonly root: string;
  readonly customer: string | null;
  readonly count: number;
  readonly events: readonly StoredEvent[];
}

const whole = new WeakMap<FollowedRow, readonly Event[]>();

/** The events of a row, made whole once for all followers that share it. */
export function eventsOf(row: FollowedRow): readonly Event[] {
  let events = whole.get(row);
  if (events === undefined) whole.set(row, (events = readEvents(row)));
  return events;
}

/** What a follower is told beside the rows. */
export interface Following {
  readonly lane: number;
  /** where a rebuild began because older rows of the log are gone: what is of that instant or before is not to be made again */
  readonly since: string | null;
}

/**
 * Something that is merely told of what happened (DESIGN section 13): counts, search, notices. It follows the log some
 * moments later, costs the lanes nothing, and can be thrown away and made anew.
 */
export interface Follower {
  /** its cursors' and its metric's name; never changes */
  readonly name: string;
  /**
   * Carries the next rows of a lane's log within the transaction that moves the cursor behind them: each row once, in
   * order, as long as it writes nothing but rows of this database through `tx`.
   */
  follow(tx: PoolClient, following: Following, rows: readonly FollowedRow[]): Promise<void>;
  /** Forgets what it made of a lane's log after an instant (null: all of it), since it is about to be made anew. */
  forget(tx: PoolClient, following: Following): Promise<void>;
  /** Looks after what depends on time rather than on the log; called now and then, also for a lane where nothing happens. */
  tend?(tx: PoolClient, lane: number): Promise<void>;
}
