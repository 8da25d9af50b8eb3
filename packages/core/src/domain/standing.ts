import type { Id, Instant } from "../model/common.ts";
import type { Actor, Cause, Event } from "../model/event.ts";
import type { VersionHead } from "../workflow/compiled.ts";
import type { Ledger } from "./ledger.ts";
import type { SettingsIndex } from "./settings-index.ts";

/** Where a decision stands: who asks, when, and what led to it. */
export interface Standing {
  readonly ledger: Ledger;
  readonly settings: SettingsIndex;
  readonly actor: Actor;
  readonly at: Instant;
  readonly root: string;
  readonly cause: Cause;
  readonly depth: number;
  /** the next id of this root */
  readonly mint: () => Id;
  /** events of this call of the mill so far, oldest first: the log has them only later */
  readonly told?: readonly Event[];
  /** the workflows that may be started by name */
  readonly workflows: WorkflowDirectory;
}

/** What a decision may know of workflows. */
export interface WorkflowDirectory {
  published(idOrSlug: string): VersionHead | null;
}
