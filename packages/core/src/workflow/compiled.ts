import type { Condition } from "../condition/compile.ts";
import type { EventType } from "../domain/events.ts";
import type { Id, Instant } from "../model/common.ts";
import type { Duration } from "../time/duration.ts";
import type { Value } from "../template/value.ts";
import type { WorkflowDocument } from "./document.ts";

/** A trigger made ready: an event whose condition holds starts the workflow. */
export interface EventTrigger {
  readonly kind: "event";
  readonly event: EventType;
  readonly when: Condition | null;
}

/**
 * A time trigger made ready: it is true once `after` has passed since the instant in `since` (a field of the subject)
 * and the condition holds. It fires once for each such instant (MILL law 14).
 */
export interface TimeTrigger {
  readonly kind: "time";
  readonly subject: "conversation" | "customer";
  /** a row's field that holds an instant, such as `waiting_since` */
  readonly since: string;
  readonly after: Duration;
  /** short name of a calendar whose open time counts; null: plain time */
  readonly calendar: string | null;
  readonly when: Condition | null;
  /** it fires for what falls due from then on; null: from the publication on. Earlier where it was taken over */
  readonly dueFrom: Instant | null;
}
export type Trigger = EventTrigger | TimeTrigger;

interface StepBase {
  readonly id: string;
  /** the step that follows; null ends the run */
  readonly next: string | null;
}
export interface ActionStep extends StepBase {
  readonly kind: "action";
  readonly action: string;
  readonly input: Value;
  /** fields of the input that are references: one that finds nothing is left out where the command does not need it */
  readonly references: readonly string[];
  /** where to go when the action is refused or fails; null ends the run */
  readonly onError: string | null;
  /** whether the run goes on only when the effect that the action asked for is settled */
  readonly awaits: boolean;
}
export interface BranchStep extends StepBase {
  readonly kind: "branch";
  readonly branches: readonly { readonly when: Condition; readonly next: string | null }[];
  readonly onError: string | null;
}
export interface WaitStep extends StepBase {
  readonly kind: "wait";
  /** how long; or until which instant; exactly one of the two, or neither when only an event ends the wait */
  readonly for: Duration | null;
  readonly until: Value | null;
  readonly calendar: string | null;
  /** the event about the same subject that interrupts the wait */
  readonly unless: EventType | null;
  /** where an interrupted run goes; null ends it */
  readonly onInterrupt: string | null;
  readonly onError: string | null;
}
export interface StopStep extends StepBase {
  readonly kind: "stop";
  readonly reason: string | null;
  readonly outputs: Value | null;
}
export type Step = ActionStep | BranchStep | WaitStep | StopStep;

/** What becomes of a start while a run of the same workflow already waits for the subject. */
export type WhenRunning = "start" | "skip" | "replace";

/** What of a version is needed to match it and to start its runs. */
export interface VersionHead {
  readonly id: Id;
  readonly workflow: Id;
  readonly name: string;
  readonly kind: "automatic" | "manual" | "callable";
  readonly order: number;
  /** who published it: its runs act with this user's current rights */
  readonly publisher: Id | null;
  /** when it was published: a time trigger fires for what falls due from then on */
  readonly publishedAt: Instant;
  /** ids of the mailboxes it is for; null for all */
  readonly mailboxes: ReadonlySet<Id> | null;
  readonly triggers: readonly Trigger[];
  readonly start: string;
  readonly document: Pick<WorkflowDocument, "inputs">;
  /** lets go of what is kept for it elsewhere, when it is taken out of the published ones */
  readonly release?: () => void;
}

/** What of a version its runs need to take their steps. */
export interface VersionBody {
  readonly id: Id;
  readonly steps: ReadonlyMap<string, Step>;
  readonly whenRunning: WhenRunning;
  readonly runsPerDay: number | null;
}

/** A workflow version made ready to match and run: conditions and values are closures, edges are checked. */
export interface CompiledVersion extends VersionHead, VersionBody {
  readonly document: WorkflowDocument;
}
