import { key } from "../domain/keys.ts";
import type { Id, Instant, Ref } from "../model/common.ts";
import type { ConversationRow } from "../model/conversation.ts";
import type { CustomerRow } from "../model/customer.ts";
import type { Event } from "../model/event.ts";
import type { TimeCandidate } from "../match/active.ts";
import { survivorOf, subjectScope } from "../run/scope.ts";
import { afterDuration } from "../run/wait.ts";
import { addMs, isInstant } from "../time/instant.ts";
import type { Batch, Root } from "./batch.ts";
import { judge } from "./reason.ts";
import { inScope, queueRun } from "./queue.ts";

type Watched = ConversationRow | CustomerRow;

/** Conversations that a change of their customer looks at again: a set that is capped (MILL law 14). */
const retestedAtMost = 50;

/**
 * Looks after the clocks of the subjects that a decision changed: a time trigger whose instant has passed is tested
 * again, and `wake_at` is moved earlier where something falls due sooner. It is moved later only when it fires, so an
 * ordinary message writes no index entry (DESIGN section 7).
 */
export function watchSubjects(batch: Batch, root: Root, events: readonly Event[], started: Set<string>): void {
  const { byTime, customerReads } = batch.config.workflows;
  const subjects = new Map<Id, Ref["kind"]>();
  for (const event of events) {
    for (const change of event.changes) {
      if (change.table === "conversations" && (byTime.conversation.length > 0 || "snoozed_until" in change.after)) {
        subjects.set(change.id, "conversation");
      } else if (change.table === "customers") {
        if (byTime.customer.length > 0) subjects.set(change.id, "customer");
        if (change.before === null || !touches(customerReads, change.after)) continue;
        for (const id of conversationsOf(batch, change.id)) subjects.set(id, "conversation");
      }
    }
  }
  for (const [id, kind] of subjects) {
    const next = watch(batch, root, { kind, id }, started);
    const row = readWatched(batch, { kind, id });
    if (row !== null && next !== null && (row.wake_at === null || next < row.wake_at)) putWake(batch, kind, row, next);
  }
}

/** Whether a change is of a field that time triggers of conversations read; "*" is the customer as a whole. */
const touches = (reads: ReadonlySet<string>, after: object): boolean =>
  reads.has("*") || Object.keys(after).some((field) => reads.has(field));

/** The customer's open conversations and the latest on each channel, which may be closed: the greatest ids of these. */
function conversationsOf({ ledger, config }: Batch, customer: Id): readonly Id[] {
  const { id } = survivorOf(customer, ledger) as CustomerRow;
  const channels = config.settings.all.channels.filter((channel) => channel.archived_at === null);
  const names = channels.map((channel) => key.latest(id, channel.id));
  ledger.expect([key.open(id), ...names], id);
  const latest = names.flatMap((name) => ledger.view<{ readonly id: Id }>(name, id)?.id ?? []);
  return [...new Set([...ledger.list(key.open(id), id), ...latest])].sort().slice(-retestedAtMost);
}

/** A due wake of a subject: what is due happens, and the subject is told when to wake next. */
export function wakeSubject(batch: Batch, root: Root, subject: Ref): void {
  const next = watch(batch, root, subject, new Set());
  const row = readWatched(batch, subject);
  if (row !== null && row.wake_at !== next) putWake(batch, subject.kind, row, next);
}

/** Stops a subject's clock until the next event about it sets it again. */
export function silence(batch: Batch, subject: Ref): void {
  const row = readWatched(batch, subject);
  if (row !== null) putWake(batch, subject.kind, row, null);
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
    else {
      const again = fire(batch, root, subject, candidate, due.anchor, started);
      if (again !== null) consider(again);
    }
  }
  return next;
}

/** When a time trigger falls due for a subject as it is now; null when it does not, or has already fired for this anchor. */
function dueOf(
  batch: Batch,
  { version, trigger }: TimeCandidate,
  row: Watched,
): { at: Instant; anchor: Instant } | null {
  const anchor = (row as unknown as { readonly [field: string]: unknown })[trigger.since];
  if (!isInstant(anchor) || row.fired[version.workflow] === anchor) return null;
  const due = afterDuration(anchor, trigger.after, trigger.calendar, batch.config.settings);
  // a version minds what falls due from its publication on; what was overdue then is for its publisher to ask for
  return due.ok && due.at !== null && due.at >= version.publishedAt ? { at: due.at, anchor } : null;
}

/**
 * Starts a time-triggered run where the rest of its condition holds. Answers when to look again though nothing happens
 * in between; null where only an event can change the answer, or none is needed.
 */
function fire(
  batch: Batch,
  root: Root,
  subject: Ref,
  { version, index, trigger }: TimeCandidate,
  anchor: Instant,
  started: Set<string>,
): Instant | null {
  const row = readWatched(batch, subject) as Watched;
  const once = `${version.workflow}/${subject.id}`;
  if (!inScope(version, "mailbox" in row ? row : null)) return null;
  // one run a decision (MILL law 6): this one is for the next, and its clock must ring for it
  if (started.has(once)) return addMs(root.at, 1);
  const refs = "customer" in row ? { conversation: row.id, customer: row.customer } : { customer: row.id };
  const verdict = judge(() => {
    const scope = subjectScope(refs, root.at, batch.ledger, batch.config.settings);
    return trigger.when === null || trigger.when.test(scope) || trigger.when.nextChange(scope);
  }, "trigger_failed");
  if ("answer" in verdict && verdict.answer !== true) return verdict.answer;
  started.add(once);
  const name = subject.kind === "customer" ? key.customer(subject.id) : key.conversation(subject.id);
  batch.ledger.set(name, { ...row, fired: { ...row.fired, [version.workflow]: anchor } });
  queueRun(batch, root, { version, event: null, index, subject, fault: "fault" in verdict ? verdict.fault : null });
  return null;
}

function readWatched(batch: Batch, subject: Ref): Watched | null {
  return batch.ledger.get<Watched>(
    subject.kind === "customer" ? key.customer(subject.id) : key.conversation(subject.id),
  );
}

function putWake(batch: Batch, kind: Ref["kind"], row: Watched, wake_at: Instant | null): void {
  batch.ledger.set(kind === "customer" ? key.customer(row.id) : key.conversation(row.id), { ...row, wake_at });
}
