import { key } from "../domain/keys.ts";
import type { Ref } from "../model/common.ts";
import type { ConversationRow } from "../model/conversation.ts";
import type { Event } from "../model/event.ts";
import type { Reason } from "../model/run.ts";
import { newRun } from "../run/create.ts";
import { survivorOf } from "../run/survivor.ts";
import type { VersionHead } from "../workflow/compiled.ts";
import { crowded } from "./allowance.ts";
import type { Batch, Root } from "./batch.ts";
import { failStart } from "./start.ts";
import { withhold } from "./withheld.ts";

interface Match {
  readonly version: VersionHead;
  readonly event: Event | null;
  readonly index: number;
  readonly subject: Ref;
  /** a condition that could not be tested is a failed run, never a quiet "no" */
  readonly fault: Reason | null;
}

/**
 * Makes the run of a match, pinned to its version, and queues it. Each start is an operation, and a root starts no more than
 * could take a step each within its allowance; the others are counted (`withhold`). Of those whose condition there was no
 * allowance left to test, the first is a failed run.
 */
export function queueRun(batch: Batch, root: Root, { version, event, index, subject, fault }: Match): void {
  const refs = event?.refs ?? refsOfSubject(batch, subject);
  const depth = (event?.depth ?? 0) + 1;
  const full = crowded(batch, root);
  const first = fault?.code === "allowance" && !root.overspent;
  if (full !== null && !first) {
    withhold(root, { workflow: version.workflow, event: event?.id ?? null, depth, refs }, full);
    return;
  }
  root.overspent ||= first;
  root.started += 1;
  batch.spend(root);
  const run = newRun(version, {
    id: batch.mint(root),
    at: root.at,
    root: root.id,
    depth,
    subject,
    refs,
    trigger: { type: event?.type ?? "time", event: event?.id ?? null, index },
  });
  batch.ledger.create(key.run(run.id), run.id, run);
  if (fault === null) root.queue.push(run.id);
  else failStart(batch, root, run, fault);
}

function refsOfSubject(batch: Batch, subject: Ref): Event["refs"] {
  if (subject.kind === "customer") return { customer: subject.id };
  const row = batch.ledger.get<ConversationRow>(key.conversation(subject.id)) as ConversationRow;
  return { conversation: subject.id, customer: survivorOf(row.customer, batch.ledger)?.id ?? row.customer };
}
