import { key } from "../domain/keys.ts";
import type { Id, Instant, Ref } from "../model/common.ts";
import type { CustomerRow } from "../model/customer.ts";
import type { Event } from "../model/event.ts";
import type { TimeCandidate } from "../match/active.ts";
import { matchesTime, type TimeVerdict, type Watched } from "../match/time.ts";
import { subjectScope } from "../run/scope.ts";
import { survivorOf } from "../run/survivor.ts";
import { addMs } from "../time/instant.ts";
import type { Batch, Root } from "./batch.ts";
import { queueRun } from "./queue.ts";

/** Conversations that a change of their customer looks at again: a set that is capped (MILL law 14). */
const retestedAtMost = 50;

/**
 * Looks after the clocks of the subjects that a decision changed: a time trigger whose instant has passed is tested
 * again, and `wake_at` is moved earlier where something falls due sooner. It is moved later only when it fires, so an
 * ordinary message writes no index entry (DESIGN section 7).
 */
export function watchSubjects(batch: Batch, root: Root, events: readonly Event[], started: Set<string> | null): void {
  const { workflows } = batch.config;
  let subjects: Map<Id, Ref["kind"]> | null = null;
  for (const event of events) {
    for (const change of event.changes) {
      if (
        change.table === "conversations" &&
        (workflows.timed("conversation").length > 0 || "snoozed_until" in change.after)
      ) {
        (subjects ??= new Map()).set(change.id, "conversation");
      } else if (change.table === "customers") {
        if (workflows.timed("customer").length > 0) (subjects ??= new Map()).set(change.id, "customer");
        if (change.before === null || !workflows.readsCustomer(Object.keys(change.after))) continue;
        for (const id of conversationsOf(batch, change.id)) (subjects ??= new Map()).set(id, "conversation");
      }
    }
  }
  if (subjects === null) return;
  const once = started ?? new Set<string>();
  for (const [id, kind] of subjects) {
    const next = watch(batch, root, { kind, id }, once);
    const row = readWatched(batch, { kind, id });
    if (row !== null && next !== null && (row.wake_at === null || next < row.wake_at)) putWake(batch, kind, row, next);
  }
}

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

/** Fires what is due for a subject; answers when its clock must ring next. */
function watch(batch: Batch, root: Root, subject: Ref, started: Set<string>): Instant | null {
  const row = readWatched(batch, subject);
  if (row === null || row.merged_into !== null) return null;
  const verdicts = judgeClock(batch, root, row);
  const next = nextRing(root, row, verdicts, started);
  for (const { candidate, verdict } of verdicts) {
    if (verdict.answer !== "no" && !started.has(onceOf(candidate, row))) {
      started.add(onceOf(candidate, row));
      fire(batch, root, subject, candidate, verdict);
    }
  }
  return next;
}

/** What a time trigger comes to for a subject now. */
interface Judged {
  readonly candidate: TimeCandidate;
  readonly verdict: TimeVerdict;
}

/** Asks every time trigger that a subject may fire. Nothing happens yet. */
function judgeClock({ config, ledger }: Batch, { at, meter }: Root, row: Watched): readonly Judged[] {
  const { settings, workflows } = config;
  const refs = "customer" in row ? { conversation: row.id, customer: row.customer } : { customer: row.id };
  const scope = () => subjectScope(refs, at, { ledger, settings, meter });
  return workflows.timed("customer" in row ? "conversation" : "customer").map((candidate) => ({
    candidate,
    verdict: matchesTime(candidate.version, candidate.trigger, row, { at, settings, scope }),
  }));
}

/** One run of a workflow for a subject in a decision (MILL law 6). */
const onceOf = ({ version }: TimeCandidate, row: Watched): string => `${version.workflow}/${row.id}`;

/** When a subject's clock must ring next: for what is to come, and at once for what may not start in this decision. */
function nextRing(root: Root, row: Watched, verdicts: readonly Judged[], started: ReadonlySet<string>): Instant | null {
  const instants = verdicts.flatMap(({ candidate, verdict }) => {
    if (verdict.answer === "no") return verdict.again ?? [];
    return started.has(onceOf(candidate, row)) ? addMs(root.at, 1) : [];
  });
  if ("snoozed_until" in row && row.status === "snoozed" && row.snoozed_until !== null && row.snoozed_until > root.at) {
    instants.push(row.snoozed_until);
  }
  return instants.reduce<Instant | null>((first, at) => (first === null || at < first ? at : first), null);
}

/** Starts the run of a time trigger, and notes its anchor so that it fires once. */
function fire(
  batch: Batch,
  root: Root,
  subject: Ref,
  { version, index }: TimeCandidate,
  verdict: Exclude<TimeVerdict, { answer: "no" }>,
): void {
  const row = readWatched(batch, subject) as Watched;
  const name = subject.kind === "customer" ? key.customer(subject.id) : key.conversation(subject.id);
  batch.ledger.set(name, { ...row, fired: { ...row.fired, [version.workflow]: verdict.anchor } });
  const fault = verdict.answer === "fault" ? verdict.reason : null;
  queueRun(batch, root, { version, event: null, index, subject, fault });
}

function readWatched(batch: Batch, subject: Ref): Watched | null {
  return batch.ledger.get<Watched>(
    subject.kind === "customer" ? key.customer(subject.id) : key.conversation(subject.id),
  );
}

function putWake(batch: Batch, kind: Ref["kind"], row: Watched, wake_at: Instant | null): void {
  batch.ledger.set(kind === "customer" ? key.customer(row.id) : key.conversation(row.id), { ...row, wake_at });
}
