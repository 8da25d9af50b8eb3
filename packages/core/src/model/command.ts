import type { Actor } from "./event.ts";
import type { Id, Json } from "./common.ts";

/** A request to change something, as it waits to be decided. `input` has passed the command's schema. */
export interface Command {
  readonly type: string;
  readonly actor: Actor;
  readonly input: { readonly [name: string]: Json };
  /** the only permissions that whoever asks may use now, of those that the actor has; missing: all */
  readonly scopes?: readonly string[];
}

/** What kind of answer a refusal is; the HTTP edge maps it to a status. */
export type RefusalKind = "invalid" | "not_found" | "conflict" | "forbidden" | "limited";

/** An answer, not a fault: the command changed nothing, and this says why. */
export interface Refusal {
  readonly ok: false;
  readonly kind: RefusalKind;
  readonly code: string;
  readonly message: string;
  readonly path?: string;
  /** another customer who stands against it; the edge tells it only to those who may read them */
  readonly customer?: Id;
}

export interface Accepted {
  readonly ok: true;
  readonly result: { readonly [name: string]: Json };
}

/** Says no. */
export function refuse(kind: RefusalKind, code: string, message: string, path?: string): Refusal {
  return path === undefined ? { ok: false, kind, code, message } : { ok: false, kind, code, message, path };
}
