import { Type } from "typebox";
import { type Id, IdSchema, type Instant, InstantSchema, type Json, oneOf, orNull } from "./common.ts";
import { derived, personal, plain } from "./marks.ts";

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

/** The columns of an effect. What it takes into the world is personal whole: every kind brings its own. */
export const EffectRowSchema = Type.Object(
  {
    id: plain(IdSchema),
    kind: plain(Type.String()),
    order_key: plain(Type.String({ description: "effects of one key are performed one after the other" })),
    key: plain(Type.String()),
    payload: personal(Type.Unknown(), {}),
    run: plain(orNull(IdSchema)),
    refs: plain(Type.Unknown()),
    status: plain(oneOf(["due", "dead"] as const)),
    due_at: plain(InstantSchema),
    attempt: plain(Type.Integer()),
    lease_until: plain(orNull(InstantSchema)),
    last_error: personal(Type.Unknown(), null),
    ordinal: derived(Type.Integer()),
    /** what workers note for each other; the mill neither reads nor writes it */
    begun: plain(Type.Boolean()),
    created_at: plain(InstantSchema),
  },
  { title: "Effect" },
);
