import { canonicalJson } from "../id/canonical.ts";
import { canonicalWorkflow } from "./canonical.ts";
import type { TimeTriggerDocument, WorkflowDocument } from "./document.ts";

/** A time trigger that a document has just as an earlier one had it, by its place in each. */
export interface TakenOver {
  readonly index: number;
  readonly before: number;
}

/**
 * The time triggers about which a document changes nothing: time and condition are the same, and the workflow has no
 * mailbox that it did not have before. Such a trigger takes over the anchors of the earlier version, so that what is due
 * and not yet true is not dropped (MILL law 14); any other minds what falls due from its publication on.
 */
export function takenOver(before: WorkflowDocument, now: WorkflowDocument): readonly TakenOver[] {
  if (!holdsMailboxes(before.mailboxes, now.mailboxes)) return [];
  const earlier = timeTriggers(before);
  return timeTriggers(now).flatMap(({ index, text }) => {
    const same = earlier.find((one) => one.text === text);
    return same === undefined ? [] : [{ index, before: same.index }];
  });
}

/** Whether a workflow's mailboxes hold another's; none named means all. */
const holdsMailboxes = (all: readonly string[] | undefined, some: readonly string[] | undefined): boolean =>
  all === undefined || (some !== undefined && some.every((name) => all.includes(name)));

const timeTriggers = (document: WorkflowDocument): readonly { readonly index: number; readonly text: string }[] =>
  (canonicalWorkflow(document).triggers ?? []).flatMap((trigger, index) =>
    "time" in trigger ? [{ index, text: canonicalJson(trigger satisfies TimeTriggerDocument) }] : [],
  );
