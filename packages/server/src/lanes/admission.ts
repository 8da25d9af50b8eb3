import type { Command, Item } from "@threadmill/core";
import type { Place, Submitted } from "./port.ts";

/** Interactive work goes first; bulk work in small slices with a yield after each (DESIGN section 4). */
export type WorkClass = "interactive" | "bulk";

/** A command that waits in this process for its lane, and whoever waits for its answer. */
export interface Admitted {
  readonly place: Place;
  readonly id: string;
  readonly key?: string;
  readonly command: Command;
  readonly work: WorkClass;
  readonly since: number;
  readonly resolve: (answer: Submitted) => void;
  readonly reject: (error: unknown) => void;
}

/** Settled effects wait beside the commands; the worker that performed them waits for `done`. */
export interface Settlement {
  readonly place: Place;
  readonly since: number;
  readonly item: Omit<Extract<Item, { kind: "settled" }>, "at">;
  readonly done: (error?: Error) => void;
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

/** What waits for one lane in this process. */
export class LaneQueue {
  interactive: Admitted[] = [];
  bulk: Admitted[] = [];
  settlements: Settlement[] = [];
  /** something in the database is due: timers, wakes or a left-over */
  due = false;

  get empty(): boolean {
    return this.interactive.length + this.bulk.length + this.settlements.length === 0 && !this.due;
  }

  /** Takes what the next batch carries. Bulk work only when nobody interactive fills the batch. */
  take(): { readonly admitted: Admitted[]; readonly settlements: Settlement[] } {
    const admitted = this.interactive.splice(0, batchLimits.interactive);
    if (admitted.length < batchLimits.bulk) admitted.push(...this.bulk.splice(0, batchLimits.bulk));
    this.due = false;
    return { admitted, settlements: this.settlements.splice(0, batchLimits.settlements) };
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
}

function inOrder<T extends { readonly since: number }>(back: readonly T[], waiting: T[]): T[] {
  return back.length === 0 ? waiting : [...back, ...waiting].sort((a, b) => a.since - b.since);
}
