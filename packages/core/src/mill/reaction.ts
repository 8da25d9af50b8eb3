import { key } from "../domain/keys.ts";
import { matches, subjectOfEvent } from "../match/match.ts";
import type { Id } from "../model/common.ts";
import type { Event } from "../model/event.ts";
import { movedRun } from "../run/move.ts";
import { eventScope } from "../run/scope.ts";
import type { Batch, Root } from "./batch.ts";
import { queueRun } from "./queue.ts";
import { stepGone } from "./step-gone.ts";
import { failWaiting, listedRuns, readRun, wakeRun } from "./runs.ts";
import { stepOf } from "./version.ts";
import { watchSubjects } from "./watch.ts";

/**
 * After a decision, against its one snapshot (MILL law 6): runs of what was merged are about the target, runs that must
 * not outwait these events are interrupted, then the workflows that these events start are queued, in the order of (event, `order`, id).
 */
export function react(batch: Batch, root: Root, events: readonly Event[]): void {
  for (const event of events) if (isMerge(event)) moveQueued(batch, root, event);
  for (const event of events) interrupt(batch, root, event);
  // nearly always nothing listens: nothing is made for it
  let started: Set<string> | null = null;
  for (const event of events)
    if (batch.config.workflows.listens(event.type)) match(batch, root, event, (started ??= new Set()));
  watchSubjects(batch, root, events, started);
}

const isMerge = (event: Event): boolean => event.type === "conversation.merged" || event.type === "customer.merged";

/** Runs that wait were moved by the decision itself; these have steps to take in this root, the one that merged among them. */
function moveQueued(batch: Batch, root: Root, event: Event): void {
  const { source, target } = event.data as { readonly source: Id; readonly target: Id };
  const field = event.type === "customer.merged" ? "customer" : "conversation";
  for (const id of root.queue) {
    const run = readRun(batch, id);
    if (run === null || run.status !== "queued" || run.subject !== source) continue;
    batch.ledger.set(key.run(id), movedRun(run, { field, from: source, to: target }));
  }
}

function interrupt(batch: Batch, root: Root, event: Event): void {
  const { conversation, customer, user } = event.refs;
  if (conversation !== undefined) interruptListed(batch, root, event, conversation);
  if (customer !== undefined) interruptListed(batch, root, event, customer);
  if (user !== undefined) interruptListed(batch, root, event, user);
}

function interruptListed(batch: Batch, root: Root, event: Event, owner: Id): void {
  for (const run of listedRuns(batch, owner)) {
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

function match(batch: Batch, root: Root, event: Event, started: Set<string>): void {
  const { workflows, settings } = batch.config;
  const subject = subjectOfEvent(event);
  const scope = eventScope(event, { ledger: batch.ledger, settings, meter: root.meter });
  for (const { version, index, trigger } of workflows.candidates(event, scope)) {
    // asked first: nearly all workflows say no to nearly every event, and that must cost no more than the test
    const verdict = matches(version, trigger, event, scope);
    if (verdict.answer === "no") continue;
    const once = `${version.workflow}/${subject.id}`;
    if (started.has(once)) continue;
    started.add(once);
    queueRun(batch, root, {
      version,
      event,
      index,
      subject,
      fault: verdict.answer === "fault" ? verdict.reason : null,
    });
  }
}
