import { Type } from "typebox";
import type { Command } from "./command.ts";
import { type Id, IdSchema, type Instant, InstantSchema, type Json, oneOf, orNull, type Ref } from "./common.ts";
import type { Outcome } from "./effect.ts";
import { personal, plain } from "./marks.ts";

/** What no batch could carry, as it is kept. Of a left-over and a timer nothing can be done again: their runs have failed. */
export type KeptItem =
  | {
      readonly kind: "command";
      readonly id: Id;
      readonly key?: string | null;
      readonly fingerprint?: string | null;
      readonly command: Command;
    }
  | { readonly kind: "settled"; readonly effect: Id; readonly attempt: number; readonly outcome: Outcome }
  | { readonly kind: "wake"; readonly subject?: Ref; readonly table?: "conversations" | "customers"; readonly id?: Id }
  | { readonly kind: "timer" | "leftover" }
  | { readonly kind?: undefined; readonly erased?: boolean };

export const resolutions = ["retried", "resolved"] as const;

/** An item that waits for a person. */
export interface Parked {
  readonly id: Id;
  readonly item: KeptItem;
  readonly error: Json;
  readonly at: Instant;
  /** since when nobody need look at it any more, who said so, and whether it was done after all */
  readonly resolved_at: Instant | null;
  readonly resolved_by: Id | null;
  readonly resolution: (typeof resolutions)[number] | null;
}

/** A parked item as the API shows it. It is kept as it came, so it may hold anything. */
export const ParkedSchema = Type.Object(
  {
    id: plain(IdSchema),
    item: personal(Type.Unknown(), { erased: true }),
    error: personal(Type.Unknown(), { message: "Erased" }),
    at: plain(InstantSchema),
    resolved_at: plain(orNull(InstantSchema)),
    resolved_by: plain(orNull(IdSchema)),
    resolution: plain(orNull(oneOf(resolutions, "`retried`: it was done after all"))),
  },
  { title: "ParkedItem" },
);
