import type { PoolClient } from "pg";
import { pipelined } from "../db/transaction.ts";
import { batchLimits } from "./admission.ts";
import { type BatchContext, type BatchOrder, type BatchResult, runBatches } from "./batch.ts";
import { askHeads, type Heads } from "./head.ts";
import { beginInLanes, heldLanes, type HoldLimits, isTaken, type Workplace } from "./hold.ts";
import { LaneNotHeld } from "./judge.ts";

/** A lane that wants a batch carried, and has its own turn in this process. */
export interface Passenger {
  readonly lane: number;
  /** how many callers wait for its batch; Infinity where it should share a transaction with nobody */
  size(): number;
  /** whose work waits */
  organizations(): ReadonlySet<string>;
  /** The lane is had: takes what the batch is to carry. */
  board(client: PoolClient, company: number): Promise<BatchOrder>;
  /** The batch is decided and about to be committed. */
  decided(result: BatchResult): void;
}

interface Waiting {
  readonly passenger: Passenger;
  /** Tells whether the lane was had. */
  readonly resolve: (held: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * As many callers at the most. A transaction costs the same 3 ms of processor whether it carries one message or a hundred,
 * and with a hundred of its own it matters no more.
 */
const seats = 100;

/**
 * Where batches depart. While all places are taken lanes gather, and when one is free those that have little to carry go
 * together, in one transaction: sixteen lanes with three messages each cost as much as one lane with fifty. Nobody waits
 * for company.
 */
export class Convoys {
  readonly #place: Workplace;
  readonly #limits: HoldLimits;
  readonly #context: BatchContext;
  #ready: Waiting[] = [];
  #departures = 0;

  constructor(place: Workplace, limits: HoldLimits, context: BatchContext) {
    this.#place = place;
    this.#limits = limits;
    this.#context = context;
  }

  /** Carries a lane's batch. False where another process holds the lane; throws what the transaction threw. */
  carry(passenger: Passenger): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#ready.push({ passenger, resolve, reject });
      // each who comes asks for a place, and goes with whoever has got one first
      if (this.#departures < this.#ready.length) void this.#depart();
    });
  }

  async #depart(): Promise<void> {
    this.#departures += 1;
    const leave = await this.#place.gate.enter();
    this.#departures -= 1;
    try {
      const group = this.#gather();
      if (group.length > 0) await this.#travel(group);
    } finally {
      leave();
    }
  }

  /** The one who waits longest, and whoever else finds a seat. */
  #gather(): readonly Waiting[] {
    const first = this.#ready.shift();
    if (first === undefined) return [];
    const group = [first];
    let free = seats - first.passenger.size();
    const stay: Waiting[] = [];
    for (const each of this.#ready) {
      const size = each.passenger.size();
      if (size > free) stay.push(each);
      else {
        free -= size;
        group.push(each);
      }
    }
    this.#ready = stay;
    return group;
  }

  async #travel(group: readonly Waiting[]): Promise<void> {
    const lanes = group.map(({ passenger }) => passenger.lane);
    const organizations = new Set(group.flatMap(({ passenger }) => [...passenger.organizations()]));
    let held: readonly Waiting[] = [];
    try {
      await pipelined<void, Promise<Heads>>(
        this.#place.pool,
        async (client, heads) => {
          const orders: BatchOrder[] = [];
          for (const { passenger } of held) orders.push(await passenger.board(client, held.length));
          const { result, sent } = await runBatches(client, orders, this.#context, heads);
          for (const { passenger } of held) passenger.decided(result.get(passenger.lane) as BatchResult);
          return { result: undefined, sent };
        },
        {
          begin: beginInLanes(lanes, this.#limits),
          check(answers) {
            const had = new Set(heldLanes(answers));
            held = group.filter(({ passenger }) => had.has(passenger.lane));
          },
          // whoever comes between this and the boarding costs one more question
          ahead: (client) => askHeads(client, lanes, batchLimits, organizations),
        },
      );
      for (const each of group) each.resolve(held.includes(each));
    } catch (error) {
      for (const { resolve, reject } of group.filter((each) => !held.includes(each))) {
        if (held.length > 0 || isTaken(error)) resolve(false);
        else reject(new LaneNotHeld(error));
      }
      for (const { reject } of held) reject(error);
    }
  }
}
