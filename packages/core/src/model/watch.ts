import { Type } from "typebox";
import { type Id, type Instant, InstantSchema, orNull } from "./common.ts";
import { derived, plain } from "./marks.ts";

/** Counters that the guards ask (MILL law 15). */
export interface Guards {
  /** the organization's local day that `runs` counts */
  readonly day: string;
  /** starts of the day by workflow, whatever came of them: runs that took steps, failed at once, or were skipped */
  readonly runs: { readonly [workflow: Id]: number };
  /** starts of the day that a guard held back, by workflow and reason (`<id>/<code>`): only the first is a run, the others are counted */
  readonly withheld?: { readonly [workflowAndCode: string]: number };
  /** instants of the newest automated messages to this recipient, oldest first, at most ten */
  readonly sends: readonly Instant[];
}

/** What the engine keeps beside a conversation or customer; rows only, not in the log. */
export interface Watch {
  /** lower bound of the next instant at which a time trigger could become true */
  readonly wake_at: Instant | null;
  /** the anchor instant at which each time-triggered workflow fired last */
  readonly fired: { readonly [workflow: Id]: Instant };
  readonly guards: Guards | null;
}

/** The columns of `Watch`. */
export const watchFields = {
  wake_at: derived(orNull(InstantSchema)),
  fired: plain(Type.Unknown()),
  guards: plain(Type.Unknown()),
};
