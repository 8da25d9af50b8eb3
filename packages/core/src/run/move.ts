import type { Id } from "../model/common.ts";
import type { Run } from "../model/run.ts";

/** One subject became another: which noun, and the ids. */
export interface Merge {
  readonly field: "conversation" | "customer";
  readonly from: Id;
  readonly to: Id;
}

/** A live run after a merge: whatever was about the merged one is about the one that stands for it. */
export function movedRun(run: Run, { field, from, to }: Merge): Run {
  return {
    ...run,
    subject: run.subject === from ? to : run.subject,
    hears: run.hears === from ? to : run.hears,
    [field]: run[field] === from ? to : run[field],
  };
}
