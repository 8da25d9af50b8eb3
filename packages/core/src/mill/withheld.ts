import type { Id } from "../model/common.ts";
import type { Refs } from "../model/event.ts";
import type { Reason } from "../model/run.ts";
import type { Batch, Root } from "./batch.ts";
import type { Withheld } from "./types.ts";

/** So many workflows are named where runs were held back; the count says how many there were. */
const namedAtMost = 10;

/** A start that comes to no run. */
export interface Withholding {
  readonly workflow: Id;
  readonly event: Id | null;
  readonly depth: number;
  readonly refs: Refs;
}

/** Counts a start for which a root has no room; it is told when the root is quiet. The first reason stands for all. */
export function withhold(root: Root, { workflow, ...from }: Withholding, reason: Reason): void {
  const { count, workflows, ...first } = root.withheld ?? { reason, count: 0, workflows: [], ...from };
  const named = workflows.includes(workflow) || workflows.length >= namedAtMost ? workflows : [...workflows, workflow];
  root.withheld = { ...first, count: count + 1, workflows: named };
}

/** Tells what a root that is quiet now had to hold back. */
export function tellWithheld(batch: Batch, root: Root): void {
  if (root.withheld !== null) tell(batch, root, root.withheld);
  root.withheld = null;
}

/** An event of its own that starts nothing: nobody decided it, and no row changed. */
export function tell(batch: Batch, root: Root, { reason, count, workflows, event, depth, refs }: Withheld): void {
  batch.events.push({
    id: batch.mint(root),
    type: "run.withheld",
    at: root.at,
    actor: { kind: "system", id: null },
    root: root.id,
    cause: event === null ? {} : { event },
    depth,
    refs,
    changes: [],
    data: { code: reason.code, message: reason.message, count, workflows },
  });
}
