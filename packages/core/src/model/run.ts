import type { Actor } from "./event.ts";
import type { Id, Instant, Json, Ref } from "./common.ts";

/** `queued` and `waiting` runs are live; the others are final. See run/SPEC.md. */
export const runStatuses = ["queued", "waiting", "finished", "failed", "stopped", "cancelled", "skipped"] as const;
export type RunStatus = (typeof runStatuses)[number];

/** Why a run or step is what it is; `code` is stable, `message` is for people. */
export interface Reason {
  readonly code: string;
  readonly message: string;
  readonly detail?: Json;
}

/** One step that a run took: what went in, what came out, when and why. */
export interface StepResult {
  readonly step: string;
  /** the action, or `branch`, `wait`, `stop` */
  readonly kind: string;
  readonly status: "done" | "failed" | "waiting" | "interrupted";
  readonly at: Instant;
  readonly finished_at?: Instant;
  readonly input?: Json;
  readonly output?: Json;
  readonly reason?: Reason;
  /** ids of the events it caused, so that undo needs no index (MILL law 13) */
  readonly events?: readonly Id[];
}

/** What a waiting run waits for. `wait` numbers the waits of a run, so that a late timer is known as such. */
export interface Waiting {
  readonly wait: number;
  readonly step: string;
  readonly due_at: Instant | null;
  /** the event type that interrupts it */
  readonly unless: string | null;
  /** the effect whose outcome it waits for */
  readonly effect: Id | null;
}

/** One execution of one workflow version. Rows only, not in the log. */
export interface Run {
  readonly id: Id;
  readonly workflow: Id;
  readonly version: Id;
  readonly subject_kind: Ref["kind"];
  readonly subject: Id;
  readonly customer: Id | null;
  readonly conversation: Id | null;
  readonly message: Id | null;
  readonly status: RunStatus;
  readonly reason: Reason | null;
  readonly root: string;
  /** the event (or command) that started it, by type and id, and which of the workflow's triggers it was */
  readonly trigger: { readonly type: string; readonly event: Id | null; readonly index: number | null };
  readonly actor: Actor;
  readonly depth: number;
  /** the next step to take; null when final */
  readonly cursor: string | null;
  readonly waits: number;
  readonly waiting: Waiting | null;
  readonly inputs: { readonly [name: string]: Json };
  readonly outputs: Json;
  /** results of the steps so far, in order; a step taken twice stands twice */
  readonly steps: readonly StepResult[];
  readonly started_at: Instant;
  readonly finished_at: Instant | null;
}
