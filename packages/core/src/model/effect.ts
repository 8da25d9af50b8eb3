import type { Id, Instant, Json } from "./common.ts";

/** Work in the outside world that a run or a command asks for. */
export interface Effect {
  readonly id: Id;
  /** `message.deliver` ...; a worker is registered for each */
  readonly kind: string;
  /** effects of one order key are performed one after the other, in the order of their ids' creation */
  readonly order_key: string;
  /** never changes over retries; handed to the provider where it takes one */
  readonly key: string;
  readonly payload: { readonly [name: string]: Json };
  readonly run: Id | null;
  /** what it is about; `depth`: how deep in a chain of workflows it was asked for (MILL law 7), 0 where not given */
  readonly refs: { readonly customer?: Id; readonly conversation?: Id; readonly message?: Id; readonly depth?: number };
  readonly due_at: Instant;
  readonly attempt: number;
  readonly created_at: Instant;
}

/** What became of an attempt. `retry` is settled by the worker alone; these end the effect. */
export type Outcome =
  | { readonly status: "done"; readonly output: { readonly [name: string]: Json } }
  | { readonly status: "failed"; readonly error: { readonly code: string; readonly message: string } }
  | { readonly status: "unknown"; readonly error: { readonly code: string; readonly message: string } };

/** An effect as it stands in its table: due, perhaps held by a worker until its lease ends, or given up. */
export interface EffectRow extends Effect {
  readonly status: "due" | "dead";
  readonly lease_until: Instant | null;
  readonly last_error: Json;
}
