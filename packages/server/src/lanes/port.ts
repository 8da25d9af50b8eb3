import type { Accepted, Refusal } from "@threadmill/core";

/** Where an organization lives. */
export interface Place {
  readonly lane: number;
  readonly organization: string;
}

/** Told after a commit: the organization's log was added to, and the lane's log reaches so far. */
export interface LogMark extends Place {
  readonly seq: number;
}

/** Who asks: from a token or a session, from a channel's webhook, or the system itself. */
export type { Actor } from "@threadmill/core";

/** What a caller hears once its batch is committed. */
export interface Submitted {
  readonly command: string;
  readonly answer: Accepted | Refusal;
  /** true when this is the answer of an earlier request with the same idempotency key */
  readonly repeated: boolean;
  /** true when a slice cut the automatic actions: they go on in the next batches */
  readonly cut: boolean;
}

/** A fault of the engine that a caller must hear of; `code` is one of the problems' codes. */
export class EngineFault extends Error {
  readonly code: "commit_unknown" | "overloaded" | "shutting_down" | "unavailable" | "internal";
  constructor(code: EngineFault["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
