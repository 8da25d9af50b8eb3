import { key } from "../domain/keys.ts";
import type { Id, Instant } from "../model/common.ts";
import type { Reason, Run, StepResult, Waiting } from "../model/run.ts";
import { hearsCustomer, listedUnder } from "../run/listed.ts";
import { cutShort, withResult } from "../run/result.ts";
import { isLive, type Signal, transition } from "../run/machine.ts";
import { survivorOf } from "../run/survivor.ts";
import type { Batch } from "./batch.ts";

/** The run of an id; null when there is none that is live or ended in this batch. */
export function readRun(batch: Batch, id: Id): Run | null {
  return batch.ledger.get<Run>(key.run(id));
}

const none: readonly Run[] = [];

/** The runs that wait for a subject, by id. */
export const waitingRuns = (batch: Batch, subject: Id): readonly Run[] =>
  listedRuns(batch, subject).filter((run) => run.subject === subject);

/**
 * The runs that an event about somebody concerns, by id: the order in which they began to wait is known only within a
 * batch, so nothing may follow from it.
 */
export function listedRuns(batch: Batch, owner: Id): readonly Run[] {
  const ids = batch.ledger.list(key.waiting(owner), owner);
  // nearly always: nothing is made for it
  if (ids.length === 0) return none;
  return [...ids]
    .sort()
    .map((id) => readRun(batch, id))
    .filter((run) => run !== null && run.status === "waiting") as Run[];
}

/** Puts a run after a signal; a final one has no cursor and does not wait. A signal that comes too late changes nothing. */
export function putRun(batch: Batch, run: Run, signal: Signal, at: Instant, patch: Partial<Run> = {}): Run {
  const status = transition(run.status, signal);
  if (status === null) return run;
  const next: Run = {
    ...run,
    ...patch,
    status,
    ...(!isLive(status) && { cursor: null, waiting: null, hears: null, finished_at: at }),
  };
  batch.ledger.set(key.run(run.id), next);
  return next;
}

/** Lets a run wait: its timer, and its place among those whom events about its subject concern. */
export function holdRun(batch: Batch, run: Run, result: StepResult, waiting: Waiting, at: Instant): void {
  // whom the customer was merged into is whom events are about from then on
  const hears = hearsCustomer(run, waiting.unless) ? survivorOf(run.customer as Id, batch.ledger)?.id : undefined;
  const next = putRun(batch, run, "hold", at, {
    steps: [...run.steps, result],
    waits: waiting.wait,
    waiting,
    hears: hears ?? null,
    cursor: waiting.step,
  });
  if (waiting.due_at !== null)
    batch.ledger.set(key.timer(run.id), { run: run.id, wait: waiting.wait, due_at: waiting.due_at });
  for (const owner of listedUnder(next))
    batch.ledger.updateList(key.waiting(owner), owner, (list) => [...list.filter((id) => id !== run.id), run.id]);
}

/** Ends a wait: the run goes on at `cursor`, or is over when there is none. The step's result is completed. */
export function wakeRun(
  batch: Batch,
  run: Run,
  signal: "due" | "interrupt" | "settled",
  at: Instant,
  went: { readonly cursor: string | null; readonly result: Partial<StepResult> },
): Run {
  const { steps } = withResult(run, went.result, at);
  leaveWait(batch, run);
  const awake = putRun(batch, run, signal, at, { steps, waiting: null, hears: null, cursor: went.cursor });
  return went.cursor === null ? putRun(batch, awake, "end", at) : awake;
}

/** Ends a run that waits or is queued, with a reason. */
export function endRun(
  batch: Batch,
  run: Run,
  signal: "fault" | "stop" | "cancel" | "skip",
  reason: Reason,
  at: Instant,
): void {
  if (run.status === "waiting") leaveWait(batch, run);
  putRun(batch, cutShort(run, reason, at), signal, at, { reason });
}

/** Fails a run at the step where it waits. */
export function failWaiting(batch: Batch, run: Run, reason: Reason, at: Instant): void {
  const output = { error: { code: reason.code, message: reason.message } };
  endRun(batch, withResult(run, { status: "failed", reason, output }, at), "fault", reason, at);
}

/** Its timer goes, and its places among those that wait. */
function leaveWait(batch: Batch, run: Run): void {
  batch.ledger.set(key.timer(run.id), null);
  for (const owner of listedUnder(run))
    batch.ledger.updateList(key.waiting(owner), owner, (list) => list.filter((id) => id !== run.id));
}
