import type { Command, Item } from "@threadmill/core";
import type { Place, Submitted } from "./port.ts";

/** Interactive work goes first; bulk work in small slices with a yield after each (DESIGN section 4). */
export type WorkClass = "interactive" | "bulk";

/** A command that waits in this process for its lane, and whoever waits for its answer. */
export interface Admitted {
  readonly place: Place;
  readonly id: string;
  readonly key?: string;
  readonly fingerprint?: string;
  readonly command: Command;
  readonly work: WorkClass;
  readonly since: number;
  readonly resolve: (answer: Submitted) => void;
  readonly reject: (error: Error) => void;
}

/** Settled effects wait beside the commands; the worker that performed them waits for `done`. */
export interface Settlement {
  readonly place: Place;
  readonly since: number;
  readonly item: Omit<Extract<Item, { kind: "settled" }>, "at">;
  readonly done: (error?: Error) => void;
}

/** What one batch took from the queue. */
export interface Taken {
  readonly admitted: readonly Admitted[];
  readonly settlements: readonly Settlement[];
}

/** How many of each kind one batch takes at the most; room is kept for the last three kinds (MILL law 9). */
export const batchLimits = {
  interactive: 1000,
  bulk: 50,
  settlements: 300,
  leftovers: 1000,
  timers: 200,
  conversations: 200,
  customers: 200,
} as const;

/** Of the time that a lane has while both classes wait, bulk work gets a quarter: a third of what the others had. */
const bulkPerInteractive = 1 / 3;

/** What waits for one lane in this process. */
export class LaneQueue {
  interactive: Admitted[] = [];
  bulk: Admitted[] = [];
  settlements: Settlement[] = [];
  /** something in the database is due: timers, wakes or a left-over */
  due = false;
  /** seconds that bulk work has coming to it from interactive work that went before it */
  #owed = 0;

  get empty(): boolean {
    return this.interactive.length + this.bulk.length + this.settlements.length === 0 && !this.due;
  }

  /**
   * Takes what the next batch carries: interactive work as long as there is any, or a small slice of bulk work when there
   * is none, or when bulk work has not had its quarter of the time. Never both in one, so that each one's time is known.
   */
  take(): Taken {
    const bulk = this.bulk.length > 0 && (this.interactive.length === 0 || this.#owed > 0);
    this.due = false;
    return {
      admitted: bulk ? this.bulk.splice(0, batchLimits.bulk) : this.interactive.splice(0, batchLimits.interactive),
      settlements: this.settlements.splice(0, batchLimits.settlements),
    };
  }

  /** Whose work waits. */
  organizations(): Set<string> {
    const found = new Set<string>();
    for (const waiting of [this.interactive, this.bulk, this.settlements])
      for (const { place } of waiting) found.add(place.organization);
    return found;
  }

  /** Tells how long a batch took, so that neither class goes short. To be told before others are answered. */
  spent({ admitted }: Taken, seconds: number): void {
    const work = admitted[0]?.work;
    if (work === "interactive") this.#owed = this.bulk.length > 0 ? this.#owed + seconds * bulkPerInteractive : 0;
    // while nobody else waits bulk work owes nothing for the time that it takes
    if (work === "bulk") this.#owed = this.interactive.length > 0 ? this.#owed - seconds : 0;
  }

  /** Puts back what a batch could not carry, each at its old place, in whatever order the parts of a batch give back. */
  giveBack(admitted: readonly Admitted[], settlements: readonly Settlement[]): void {
    this.interactive = inOrder(
      admitted.filter((each) => each.work === "interactive"),
      this.interactive,
    );
    this.bulk = inOrder(
      admitted.filter((each) => each.work === "bulk"),
      this.bulk,
    );
    this.settlements = inOrder(settlements, this.settlements);
  }

  /** Takes out whoever waits since before an instant, by `performance.now()`. */
  takeOlder(than: number): Taken {
    return {
      admitted: [...older(this.interactive, than), ...older(this.bulk, than)],
      settlements: older(this.settlements, than),
    };
  }

  /** Since when the first of a class waits; null when none does. */
  oldest(work: WorkClass): number | null {
    return this[work][0]?.since ?? null;
  }
}

function inOrder<T extends { readonly since: number }>(back: readonly T[], waiting: T[]): T[] {
  return back.length === 0 ? waiting : [...back, ...waiting].sort((a, b) => a.since - b.since);
}

/** Queues are in the order of their waiting. */
function older<T extends { readonly since: number }>(waiting: T[], than: number): T[] {
  const count = waiting.findIndex((each) => each.since >= than);
  return waiting.splice(0, count === -1 ? waiting.length : count);
}
