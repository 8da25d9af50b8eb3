import { key } from "../domain/keys.ts";
import type { Id, Instant } from "../model/common.ts";
import type { Reason, Run, StepResult, Waiting } from "../model/run.ts";
import { type Signal, transition } from "../run/machine.ts";
import type { Batch } from "./batch.ts";

/** The live run of an id, or null. */
export function readRun(batch: Batch, id: Id): Run | null {
  return batch.ledger.get<Run>(key.run(id));
}

/** Puts a run after a signal; a final one has no cursor and does not wait. */
export function putRun(batch: Batch, run: Run, signal: Signal, at: Instant, patch: Partial<Run> = {}): Run {
  const status = transition(run.status, signal) ?? run.status;
  const live = status === "queued" || status === "waiting";
  const next: Run = {
    ...run,
    ...patch,
    status,
    ...(!live && { cursor: null, waiting: null, finished_at: at }),
  };
  batch.ledger.set(key.run(run.id), next);
  return next;
}

/** Lets a run wait: its timer, and its place among those that wait for the subject. */
export function holdRun(batch: Batch, run: Run, result: StepResult, waiting: Waiting, at: Instant): void {
  const next = putRun(batch, run, "hold", at, { steps: [...run.steps, result], waits: waiting.wait, waiting, cursor: waiting.step });
  if (waiting.due_at !== null) batch.ledger.set(key.timer(run.id), { run: run.id, wait: waiting.wait, due_at: waiting.due_at });
  batch.ledger.updateList(key.waiting(next.subject), next.subject, (list) => [...list.filter((id) => id !== run.id), run.id]);
}

/** Ends a wait: the run goes on at `cursor`, or is over when there is none. The step's result is completed. */
export function wakeRun(
  batch: Batch,
  run: Run,
  signal: "due" | "interrupt" | "settled",
  at: Instant,
  went: { readonly cursor: string | null; readonly result: Partial<StepResult> },
): Run {
  const last = run.steps.at(-1);
  const steps = last === undefined ? run.steps : [...run.steps.slice(0, -1), { ...last, ...went.result, finished_at: at }];
  batch.ledger.set(key.timer(run.id), null);
  batch.ledger.updateList(key.waiting(run.subject), run.subject, (list) => list.filter((id) => id !== run.id));
  const awake = putRun(batch, run, signal, at, { steps, waiting: null, cursor: went.cursor });
  return went.cursor === null ? putRun(batch, awake, "end", at) : awake;
}

/** Ends a run that waits or is queued, with a reason. */
export function endRun(batch: Batch, run: Run, signal: "fault" | "stop" | "cancel" | "skip", reason: Reason, at: Instant): void {
  if (run.status === "waiting") {
    batch.ledger.set(key.timer(run.id), null);
    batch.ledger.updateList(key.waiting(run.subject), run.subject, (list) => list.filter((id) => id !== run.id));
  }
  putRun(batch, run, signal, at, { reason });
}
