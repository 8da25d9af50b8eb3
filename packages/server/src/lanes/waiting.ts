import type { WorkClass } from "./admission.ts";
import { EngineFault } from "./port.ts";

/** What a waiting command costs beside its input: its promise, its place in the queue, the request behind it. */
const basis = 1024;

/** About how many bytes a JSON value takes; exact would cost more than it is worth. */
export function weigh(value: unknown): number {
  let bytes = 0;
  const open: unknown[] = [value];
  while (open.length > 0) {
    const each = open.pop();
    if (typeof each === "string") bytes += each.length;
    else if (Array.isArray(each)) for (const one of each) open.push(one);
    else if (typeof each === "object" && each !== null)
      for (const [name, one] of Object.entries(each)) {
        bytes += name.length;
        open.push(one);
      }
    bytes += 8;
  }
  return bytes;
}

/** Of what is still free a lane may take a quarter; its bulk work a sixteenth. */
const shares = { interactive: 4, bulk: 16 } as const;

/**
 * How much waits in this process for an answer, in bytes, and who may still come in. A lane may hold a quarter of what
 * is free (with its bulk work a sixteenth): alone it gets a fifth of all, of many busy lanes each gets less, and there is
 * room left for the next one. So a lane that stands still fills neither the memory nor the others' place.
 */
export class Waiting {
  readonly #bytesAtMost: number;
  readonly #ofLane = new Map<number, number>();
  readonly #bulkOfLane = new Map<number, number>();
  #bytes = 0;

  constructor(bytesAtMost: number) {
    this.#bytesAtMost = bytesAtMost;
  }

  /** What waits in all, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Lets a command in and answers how it leaves again; throws `overloaded`. */
  admit(lane: number, work: WorkClass, input: unknown): () => void {
    const weight = basis + weigh(input);
    const counts = work === "bulk" ? [this.#ofLane, this.#bulkOfLane] : [this.#ofLane];
    const held = (work === "bulk" ? this.#bulkOfLane : this.#ofLane).get(lane) ?? 0;
    if (held + weight > (this.#bytesAtMost - this.#bytes) / shares[work])
      throw new EngineFault("overloaded", "More waits for this organization's changes than this process may hold");
    this.#count(counts, lane, weight);
    let left = false;
    return () => {
      if (!left) this.#count(counts, lane, -weight);
      left = true;
    };
  }

  #count(counts: readonly Map<number, number>[], lane: number, weight: number): void {
    this.#bytes += weight;
    for (const count of counts) count.set(lane, (count.get(lane) ?? 0) + weight);
  }
}
