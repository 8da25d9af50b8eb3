import { Missing } from "../domain/ledger.ts";
import { eventTypes, type EventType } from "../domain/events.ts";
import { key } from "../domain/keys.ts";
import type { ConversationRow } from "../model/conversation.ts";
import type { Id, Ref } from "../model/common.ts";
import type { Event } from "../model/event.ts";
import type { Reason, Run } from "../model/run.ts";
import { newRun } from "../run/create.ts";
import { eventScope, standingFor } from "../run/scope.ts";
import type { CompiledVersion, Step } from "../workflow/compiled.ts";
import type { Batch, Root } from "./batch.ts";
import { reasonOf, stepGone } from "./reason.ts";
import { endRun, failWaiting, waitingRuns, wakeRun } from "./runs.ts";
import { watchSubjects } from "./watch.ts";

/**
 * After a decision, against its one snapshot (MILL law 6): runs that must not outwait these events are interrupted,
 * then the workflows that these events start are queued, in the order of (event, `order`, id).
 */
export function settle(batch: Batch, root: Root, events: readonly Event[]): void {
  for (const event of events) interrupt(batch, root, event);
  const started = new Set<string>();
  for (const event of events) match(batch, root, event, started);
  watchSubjects(batch, root, events, started);
}

/** What the runs that this event starts are about. */
function subjectOf(event: Event): Ref {
  const { subject } = eventTypes[event.type as EventType];
  return { kind: subject, id: (event.refs as Readonly<Record<string, Id>>)[subject] as Id };
}

function interrupt(batch: Batch, root: Root, event: Event): void {
  const { conversation, customer, user } = event.refs;
  for (const subject of [conversation, customer, user]) {
    if (subject === undefined) continue;
    for (const run of waitingRuns(batch, subject)) {
      if (run.waiting?.unless !== event.type) continue;
      const step = stepOf(batch, run, run.waiting.step);
      if (step?.kind !== "wait") {
        failWaiting(batch, run, stepGone(run, run.waiting.step), root.at);
        continue;
      }
      const cursor = step.onInterrupt;
      const awake = wakeRun(batch, run, "interrupt", root.at, {
        cursor,
        result: {
          status: "interrupted",
          output: { interrupted_by: event.id },
          reason: { code: "interrupted", message: `${event.type} came before the wait was over` },
        },
      });
      if (cursor !== null) root.queue.push(awake.id);
    }
  }
}

function match(batch: Batch, root: Root, event: Event, started: Set<string>): void {
  const candidates = batch.config.workflows.byEvent.get(event.type as EventType);
  if (candidates === undefined) return;
  const subject = subjectOf(event);
  const { ledger } = batch;
  const scope = eventScope(event, ledger, batch.config.settings);
  for (const { version, index, trigger } of candidates) {
    const once = `${version.workflow}/${subject.id}`;
    if (started.has(once) || !inScope(version, scope.roots["conversation"] as ConversationRow | null)) continue;
    let fault: Reason | null = null;
    try {
      if (trigger.when !== null && !trigger.when.test(scope)) continue;
    } catch (error) {
      if (error instanceof Missing) throw error;
      fault = reasonOf(error, "trigger_failed");
    }
    started.add(once);
    queueRun(batch, root, { version, event, index, subject, fault });
  }
}

/** Whether a workflow's mailboxes include where this happened; one that names mailboxes minds nothing outside them. */
export function inScope(version: CompiledVersion, conversation: ConversationRow | null): boolean {
  return version.mailboxes === null || (conversation !== null && version.mailboxes.has(conversation.mailbox));
}

interface Match {
  readonly version: CompiledVersion;
  readonly event: Event | null;
  readonly index: number;
  readonly subject: Ref;
  /** a condition that could not be tested is a failed run, never a quiet "no" */
  readonly fault: Reason | null;
}

/** Makes the run of a match, pinned to its version, and queues it. */
export function queueRun(batch: Batch, root: Root, { version, event, index, subject, fault }: Match): void {
  const refs = event?.refs ?? refsOf(batch, subject);
  const run = newRun(version, {
    id: batch.mint(root),
    at: root.at,
    root: root.id,
    depth: (event?.depth ?? 0) + 1,
    subject,
    refs,
    trigger: { type: event?.type ?? "time", event: event?.id ?? null, index },
  });
  batch.ledger.create(key.run(run.id), run.id, run);
  if (fault === null) root.queue.push(run.id);
  else endRun(batch, run, "fault", fault, root.at);
}

function refsOf(batch: Batch, subject: Ref): Event["refs"] {
  if (subject.kind === "customer") return { customer: subject.id };
  const row = batch.ledger.get<ConversationRow>(key.conversation(subject.id)) as ConversationRow;
  return { conversation: subject.id, customer: standingFor(row.customer, batch.ledger)?.id ?? row.customer };
}

/** A run's version; older ones are loaded on need. Null when it is gone, which its runs must say (MILL law 8). */
export function versionOf(batch: Batch, id: Id): CompiledVersion | null {
  const version = batch.config.workflows.version(id);
  if (version !== null) return version;
  // the shell puts a loaded version into the configuration; one that it could not find is known to be absent
  if (batch.ledger.peek(key.version(id)) === null) return null;
  throw new Missing([key.version(id)]);
}

/** A step of a run's version; null when it is gone. */
export function stepOf(batch: Batch, run: Run, step: string): Step | null {
  return versionOf(batch, run.version)?.steps.get(step) ?? null;
}
