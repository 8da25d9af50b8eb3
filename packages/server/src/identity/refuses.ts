import type { Refusal } from "@threadmill/core";

/** Thrown within a transaction to roll it back with an answer. */
export class Refuses extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
  /** Runs something; the refusal that it was rolled back with, or null. */
  static async caught(run: () => Promise<void>): Promise<Refusal | null> {
    try {
      await run();
      return null;
    } catch (error) {
      if (error instanceof Refuses) return error.refusal;
      throw error;
    }
  }
}
