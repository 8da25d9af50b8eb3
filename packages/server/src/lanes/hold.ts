import { setTimeout as delay } from "node:timers/promises";
import type { Pool, PoolClient, QueryResult } from "pg";
import { systemCode } from "../db/fault.ts";
import { pipelined, type Trailing, transaction } from "../db/transaction.ts";
import type { Gate } from "./gate.ts";
import { LaneBusy, LaneNotHeld } from "./judge.ts";
import { TurnMissed, Turns } from "./turns.ts";

/** How long one wait for a lane's lock on a connection lasts at most; then others of this process may wait there. */
const waitMs = 2000;
/** Between two tries without waiting; grows, so that a lane that stays held costs next to nothing. */
const pausesMs = [5, 20, 50, 100, 250] as const;

/** What a server lacks that cuts a stalled holder off; see docs/operations.md. */
export interface HoldLimits {
  /** PostgreSQL 17 and newer end a transaction that takes too long as a whole */
  readonly transactionTimeout: boolean;
}

const ownLocks = "set local lock_timeout = '20s'";

/**
 * Opens a transaction that holds a lane, as every writer of its world does: the lock is a statement of its own, before
 * anything is read, and is waited for `waitMs`. The limits that cut a stalled holder off are set inside, because a pooler
 * would drop what is set on the session.
 */
export function beginInLane(lane: number, limits: HoldLimits, waitMs: number): string {
  return `begin; ${limitsOf(limits)}; set local lock_timeout = '${Math.ceil(waitMs)}ms';\n${lockOf([lane])};\n${ownLocks}`;
}

/**
 * The same for as many of some lanes as can be had without waiting. The answer of `select` says which: an error for those that
 * were not would fill the server's log, since processes that share a busy lane miss it all the time.
 */
export function beginInLanes(lanes: readonly number[], limits: HoldLimits): string {
  return `begin; ${limitsOf(limits)}; ${ownLocks};\n${lockOf(lanes)} skip locked`;
}

const lockOf = (lanes: readonly number[]): string =>
  `select lane from lanes where lane in (${lanes.join(", ")}) for update`;

const limitsOf = ({ transactionTimeout }: HoldLimits): string =>
  [
    "set local idle_in_transaction_session_timeout = '15s'",
    ...(transactionTimeout ? ["set local transaction_timeout = '60s'"] : []),
  ].join("; ");

/** Another transaction holds the lane just now. */
class LaneTaken extends Error {}

/** The lanes that an opening statement got hold of. Throws where it is none. */
export function heldLanes(answers: readonly QueryResult[]): readonly number[] {
  const rows = answers.find(({ command }) => command === "SELECT")?.rows ?? [];
  if (rows.length === 0) throw new LaneTaken();
  return rows.map(({ lane }: { readonly lane: number }) => lane);
}

/** Whether a transaction failed because others hold what it was to hold; 55P03: not within the time of a wait. */
export const isTaken = (error: unknown): boolean => error instanceof LaneTaken || systemCode(error) === "55P03";

/** Runs something in a transaction that holds a lane, on whatever connections its kind of work has. */
export type InLane = <T>(lane: number, fn: (tx: PoolClient) => Promise<T>) => Promise<T>;

/** The way of a process that does nothing else, such as a command: it waits for the lock on the connection itself. */
export function inLaneAlone(pool: Pool, limits: HoldLimits): InLane {
  return (lane, fn) => transaction(pool, fn, { begin: beginInLane(lane, limits, 20_000) });
}

/** What is done with the lane in hand. */
type WithLane<T> = (tx: PoolClient) => Promise<Trailing<T>>;

/** Another way to a lane that takes no waiting; null when it is held elsewhere. To be told as soon as the lane was had. */
type FirstTry<T> = (had: () => void) => Promise<{ readonly result: T } | null>;

/** Where work that holds a lane is done: its connections never wait for a lane's lock. */
export interface Workplace {
  readonly pool: Pool;
  /** lets only so many in at a time, no more than the pool has connections */
  readonly gate: Gate;
}

/** The few connections of a process on which a lane's lock is waited for. */
export interface WaitingRoom extends Workplace {
  readonly limits: HoldLimits;
}

/** How long somebody goes on waiting for a lane. */
export interface Patience {
  /** by `performance.now()` */
  readonly until: number;
  /** whether it is still worth while */
  readonly wanted?: () => boolean;
}

/**
 * The one way to a lane's lock for everybody in this process. Who waits for it holds nothing that others need: one at a
 * time has the lane's turn here, and tries the lock without waiting. If another process (or a person) holds the lane,
 * that one waits on one of a few connections that are there for waiting, so that processes take turns at a busy lane in
 * the order of their asking; where all of these are taken, it tries again a little later.
 */
export class LaneDoor {
  readonly #lane: number;
  readonly #room: WaitingRoom;
  readonly #turns = new Turns();
  #waitingSince: number | null = null;

  constructor(lane: number, room: WaitingRoom) {
    this.#lane = lane;
    this.#room = room;
  }

  /** For how long the lane's lock has been waited for without being had, in ms; 0 when nobody waits. */
  get waitingMs(): number {
    return this.#waitingSince === null ? 0 : performance.now() - this.#waitingSince;
  }

  /**
   * Runs `fn` in a transaction that holds the lane. `first` is tried before any waiting, in the place of a transaction of its own.
   * Throws `LaneNotHeld` where it could not be begun, `LaneBusy` where patience ended.
   */
  async hold<T>(place: Workplace, patience: Patience, fn: WithLane<T>, first?: FirstTry<T>): Promise<T> {
    let leave: () => void;
    try {
      leave = await this.#turns.take(patience.until - performance.now());
    } catch (error) {
      throw error instanceof TurnMissed ? new LaneBusy(this.#lane) : error;
    }
    try {
      return await this.#insist(place, patience, fn, first);
    } finally {
      this.#waitingSince = null;
      leave();
    }
  }

  async #insist<T>(place: Workplace, patience: Patience, fn: WithLane<T>, first?: FirstTry<T>): Promise<T> {
    const had = (): void => {
      this.#waitingSince = null;
    };
    for (let tries = 0; ; tries += 1) {
      const tried = (await (first?.(had) ?? this.#try(place, fn))) ?? (await this.#wait(place, patience, fn));
      if (tried !== null) return tried.result;
      if (performance.now() >= patience.until || patience.wanted?.() === false) throw new LaneBusy(this.#lane);
      await delay(pausesMs[Math.min(tries, pausesMs.length - 1)]);
    }
  }

  /** Null when another holds the lane. */
  async #try<T>(place: Workplace, fn: WithLane<T>): Promise<{ readonly result: T } | null> {
    const leave = await place.gate.enter();
    try {
      const enter = async (): Promise<void> => {
        this.#waitingSince = null;
      };
      return await this.#within(place.pool, beginInLanes([this.#lane], this.#room.limits), enter, fn);
    } finally {
      leave();
    }
  }

  /** Null when another went on holding the lane, or no connection was free to wait on. */
  async #wait<T>(place: Workplace, { until }: Patience, fn: WithLane<T>): Promise<{ readonly result: T } | null> {
    this.#waitingSince ??= performance.now();
    const leaveRoom = this.#room.gate.tryEnter();
    if (leaveRoom === null) return null;
    let leave = (): void => {};
    try {
      const ms = Math.max(1, Math.min(waitMs, until - performance.now()));
      const enter = async (tx: PoolClient): Promise<void> => {
        this.#waitingSince = null;
        const since = performance.now();
        // with the lane in hand it goes before those who have yet to ask for theirs
        leave = await place.gate.enter(true);
        // a server that took it for a stalled holder meanwhile says so now, before anything can be blamed for it
        if (performance.now() - since > 1000) await tx.query("select");
      };
      return await this.#within(this.#room.pool, beginInLane(this.#lane, this.#room.limits, ms), enter, fn);
    } finally {
      leave();
      leaveRoom();
    }
  }

  async #within<T>(
    pool: Pool,
    begin: string,
    enter: (tx: PoolClient) => Promise<void>,
    fn: WithLane<T>,
  ): Promise<{ readonly result: T } | null> {
    let held = false;
    const work = async (tx: PoolClient): Promise<Trailing<T>> => {
      await enter(tx);
      held = true;
      return fn(tx);
    };
    try {
      return { result: await pipelined(pool, work, { begin, check: heldLanes }) };
    } catch (error) {
      if (held) throw error;
      if (isTaken(error)) return null;
      throw new LaneNotHeld(error);
    }
  }
}
