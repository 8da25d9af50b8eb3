import type { Id } from "../model/common.ts";

/** A place in a queue to come back to. */
export interface QueueMark {
  readonly length: number;
  readonly next: number;
}

/**
 * The runs of a root that still have steps to take, first in, first out. Nothing is moved or copied when one is taken or
 * when a place is marked: a root may set off hundreds of runs, and marks one before each step.
 */
export class RunQueue implements Iterable<Id> {
  readonly #ids: Id[];
  #next = 0;

  constructor(ids: readonly Id[] = []) {
    this.#ids = [...ids];
  }

  /** The run whose turn it is; undefined when none is left. */
  get first(): Id | undefined {
    return this.#ids[this.#next];
  }

  /** Takes the first one away. */
  take(): void {
    this.#next += 1;
  }

  push(...ids: readonly Id[]): void {
    this.#ids.push(...ids);
  }

  clear(): void {
    this.#next = this.#ids.length;
  }

  mark(): QueueMark {
    return { length: this.#ids.length, next: this.#next };
  }

  /** As it was at a mark. */
  goBack({ length, next }: QueueMark): void {
    this.#ids.length = length;
    this.#next = next;
  }

  [Symbol.iterator](): Iterator<Id> {
    return this.#ids.slice(this.#next)[Symbol.iterator]();
  }
}
