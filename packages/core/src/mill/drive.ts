import type { Id } from "../model/common.ts";
import type { Reason, Run } from "../model/run.ts";
import { exhausted } from "./allowance.ts";
import type { Batch, Root } from "./batch.ts";
import { endRun, readRun } from "./runs.ts";
import { mayStart, wasAskedFor, withdraw, withholdingOf } from "./start.ts";
import { takeStep } from "./step.ts";
import { tellWithheld, withhold } from "./withheld.ts";

/**
 * Steps that one run may take in all: its row carries each of them, and a cycle of short waits would go on for ever. An
 * hourly look at something fits for six weeks.
 */
const stepsAtMost = 1000;

/**
 * Drives a root until it is quiet: its queued runs take their steps, first in, first out, each up to its next wait.
 * Answers false when the slice cut it; what is left is in the root's queue.
 */
export function drive(batch: Batch, root: Root): boolean {
  for (let id = root.queue.first; id !== undefined; id = root.queue.first) {
    const spent = exhausted(batch, root);
    if (spent !== null) {
      for (const pending of root.queue) giveUp(batch, root, pending, spent);
      root.queue.clear();
      break;
    }
    if (batch.budget <= 0) return false;
    const run = readRun(batch, id);
    if (run === null || run.status !== "queued" || run.cursor === null) {
      root.queue.take();
      continue;
    }
    if (run.steps.length >= stepsAtMost) {
      const message = `A run takes ${stepsAtMost} steps at most`;
      endRun(batch, run, "stop", { code: "steps_at_most", message }, root.at);
      continue;
    }
    if (run.steps.length === 0 && !mayStart(batch, root, run)) continue;
    batch.spend(root);
    takeStep(batch, root, readRun(batch, id) as Run);
  }
  tellWithheld(batch, root);
  return true;
}

/**
 * Ends a run that still had steps to take; one that is over, or has begun to wait, is none. One that took no step, and
 * that nobody asked for, is not worth a row that says so: it is counted.
 */
function giveUp(batch: Batch, root: Root, id: Id, reason: Reason): void {
  const run = readRun(batch, id);
  if (run === null || run.status !== "queued") return;
  if (run.steps.length > 0 || wasAskedFor(run)) return endRun(batch, run, "stop", reason, root.at);
  withdraw(batch, run);
  withhold(root, withholdingOf(run), reason);
}
