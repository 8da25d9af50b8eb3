import { key } from "../domain/keys.ts";
import { Missing } from "../domain/ledger.ts";
import type { Id, Instant, Ref } from "../model/common.ts";
import type { ConversationRow } from "../model/conversation.ts";
import type { CustomerRow } from "../model/customer.ts";
import type { Event } from "../model/event.ts";
import type { Reason } from "../model/run.ts";
import type { TimeCandidate } from "../match/active.ts";
import { subjectScope } from "../run/scope.ts";
import { afterDuration } from "../run/wait.ts";
import { isInstant } from "../time/instant.ts";
import type { Batch, Root } from "./batch.ts";
import { reasonOf } from "./reason.ts";
import { inScope, queueRun } from "./settle.ts";

type Watched = ConversationRow | CustomerRow;

/**
 * Looks after the clocks of the subjects that a decision changed: a time trigger whose instant has passed is tested
 * again, and `wake_at` is moved earlier where something falls due sooner. It is moved later only when it fires, so an
 * ordinary message writes no index entry (DESIGN section 7).
 */
export function watchSubjects(batch: Batch, root: Root, events: readonly Event[], started: Set<string>): void {
  const { byTime } = batch.config.workflows;
  const subjects = new Map<Id, Ref["kind"]>();
  for (const event of events) {
    for (const change of event.changes) {
      if (change.table === "conversations" && (byTime.conversation.length > 0 || "snoozed_until" in change.after)) {
        subjects.set(change.id, "conversation");
      } else if (change.table === "customers" && byTime.customer.length > 0) subjects.set(change.id, "customer");
    }
  }
  for (const [id, kind] of subjects) {
    const next = watch(batch, root, { kind, id }, started);
    const row = readWatched(batch, { kind, id });
    if (row !== null && next !== null && (row.wake_at === null || next < row.wake_at)) putWake(batch, kind, row, next);
  }
}

/** A due wake of a subject: what is due happens, and the subject is told when to wake next. */
export function wakeSubject(batch: Batch, root: Root, subject: Ref): void {
  const next = watch(batch, root, subject, new Set());
  const row = readWatched(batch, subject);
  if (row !== null && row.wake_at !== next) putWake(batch, subject.kind, row, next);
}

/** Fires what is due for a subject and says when the next thing falls due. */
function watch(batch: Batch, root: Root, subject: Ref, started: Set<string>): Instant | null {
  const row = readWatched(batch, subject);
  if (row === null || row.merged_into !== null) return null;
  let next: Instant | null = null;
  const consider = (at: Instant): void => {
    if (next === null || at < next) next = at;
  };
  if ("snoozed_until" in row && row.status === "snoozed" && row.snoozed_until !== null && row.snoozed_until > root.at) {
    consider(row.snoozed_until);
  }
  for (const candidate of batch.config.workflows.byTime[subject.kind as "conversation" | "customer"]) {
    const due = dueOf(batch, candidate, row);
    if (due === null) continue;
    if (due.at > root.at) consider(due.at);
    else fire(batch, root, subject, candidate, due.anchor, started);
  }
  return next;
}

/** When a time trigger falls due for a subject as it is now; null when it does not, or has already fired for this anchor. */
function dueOf(batch: Batch, { version, trigger }: TimeCandidate, row: Watched): { at: Instant; anchor: Instant } | null {
  const anchor = (row as unknown as { readonly [field: string]: unknown })[trigger.since];
  if (!isInstant(anchor) || row.fired[version.workflow] === anchor) return null;
  const due = afterDuration(anchor, trigger.after, trigger.calendar, batch.config.settings);
  // a version minds what falls due from its publication on; what was overdue then is for its publisher to ask for
  return due.ok && due.at !== null && due.at >= version.publishedAt ? { at: due.at, anchor } : null;
}

function fire(batch: Batch, root: Root, subject: Ref, { version, index, trigger }: TimeCandidate, anchor: Instant, started: Set<string>): void {
  const row = readWatched(batch, subject) as Watched;
  const once = `${version.workflow}/${subject.id}`;
  if (started.has(once) || !inScope(version, "mailbox" in row ? row : null)) return;
  let fault: Reason | null = null;
  try {
    const refs = "customer" in row ? { conversation: row.id, customer: row.customer } : { customer: row.id };
    if (trigger.when !== null && !trigger.when.test(subjectScope(refs, root.at, batch.ledger, batch.config.settings))) return;
  } catch (error) {
    if (error instanceof Missing) throw error;
    fault = reasonOf(error, "trigger_failed");
  }
  started.add(once);
  const name = subject.kind === "customer" ? key.customer(subject.id) : key.conversation(subject.id);
  batch.ledger.set(name, { ...row, fired: { ...row.fired, [version.workflow]: anchor } });
  queueRun(batch, root, { version, event: null, index, subject, fault });
}

function readWatched(batch: Batch, subject: Ref): Watched | null {
  return batch.ledger.get<Watched>(subject.kind === "customer" ? key.customer(subject.id) : key.conversation(subject.id));
}

function putWake(batch: Batch, kind: Ref["kind"], row: Watched, wake_at: Instant | null): void {
  batch.ledger.set(kind === "customer" ? key.customer(row.id) : key.conversation(row.id), { ...row, wake_at });
}
