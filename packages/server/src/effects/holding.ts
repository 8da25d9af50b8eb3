import type { Claimed } from "./claim.ts";

/** An effect that this process holds and has not begun. */
export interface Held {
  readonly claimed: Claimed;
  /** by `performance.now()`, no later than the lease's beginning */
  readonly since: number;
}

/** So long after its lease began an effect may still be begun: a call must be over well before the lease is. */
export const beginWithinMs = 30_000;
/** As much is held as is performed in this time, so that no lease runs out in the queue, and little is lost with the process. */
const heldSeconds = 2;
const heldAtMost = 4096;

/**
 * What this process holds and has not performed yet. How much that may be follows from how much it performed lately: a
 * provider that takes a second for a message must not find a thousand of them here.
 */
export class Holding {
  readonly #least: number;
  readonly #now: () => number;
  /** places of what is on its way here, waits, or is being performed */
  #taken = 0;
  #waiting: Held[] = [];
  #closed = false;
  /** as much may be held now */
  #limit: number;
  #second = -1;
  #performed = 0;
  #before = 0;

  /** `parallel`: effects in work at a time; twice as many may always be held, so that nobody waits for the next. */
  constructor(parallel: number, now: () => number = () => performance.now()) {
    this.#least = parallel * 2;
    this.#limit = this.#least;
    this.#now = now;
  }

  /** for how many more there is a place */
  get room(): number {
    if (this.#closed) return 0;
    this.#measure(0);
    return this.#limit - this.#taken;
  }

  /** Whether so little waits here that it is time to look for more; then there is room for many. */
  get wants(): boolean {
    return this.#waiting.length <= this.#least / 4 && this.room >= this.#least / 4;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** places that are not free */
  get taken(): number {
    return this.#taken;
  }

  /** Keeps a place; false when there is none. `sparing`: half of all places are to be left for others. */
  reserve(sparing = false): boolean {
    if (this.#closed || this.#taken >= (sparing ? this.#limit / 2 : this.#limit)) return false;
    this.#taken += 1;
    return true;
  }

  /** Lets go of places that are not needed. */
  free(places: number): void {
    this.#taken -= places;
  }

  /** Puts effects whose places were reserved. */
  put(held: readonly Held[]): void {
    this.#waiting.push(...held);
  }

  /** Takes out the first few, all of one kind. */
  take(most: number): readonly Held[] {
    const kind = this.#waiting[0]?.claimed.kind;
    const other = this.#waiting.findIndex((each, at) => at >= most || each.claimed.kind !== kind);
    return this.#waiting.splice(0, other === -1 ? this.#waiting.length : other);
  }

  /** Some were performed: their places are free, and the pace is known better. */
  performed(count: number): void {
    this.#measure(count);
    this.#taken -= count;
  }

  /** Takes no more; answers what waited. */
  close(): readonly Held[] {
    this.#closed = true;
    return this.#waiting.splice(0);
  }

  /** Whether one may still be begun. */
  isFresh({ since }: Held): boolean {
    return this.#now() - since < beginWithinMs;
  }

  #measure(performed: number): void {
    const second = Math.floor(this.#now() / 1000);
    if (second !== this.#second) {
      this.#before = second === this.#second + 1 ? this.#performed : 0;
      this.#performed = 0;
      this.#second = second;
    }
    this.#performed += performed;
    const pace = Math.max(this.#performed, this.#before);
    this.#limit = Math.max(this.#least, Math.min(heldAtMost, heldSeconds * pace));
  }
}
