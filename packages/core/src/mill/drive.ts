import { Missing } from "../domain/ledger.ts";
import type { Id } from "../model/common.ts";
import type { Reason, Run } from "../model/run.ts";
import { countStart, guardStart } from "../run/guards.ts";
import { reasonOf } from "../run/reason.ts";
import type { Batch, Root } from "./batch.ts";
import { stepGone } from "./reason.ts";
import { endRun, readRun, waitingRuns } from "./runs.ts";
import { takeStep } from "./step.ts";
import { versionOf } from "./version.ts";

/** Distinct keys that one root may read (MILL law 4); a root that wants more is bulk work in disguise. */
const readCap = 2000;

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
  while (root.queue.length > 0) {
    const spent = exhausted(batch, root);
    if (spent !== null) {
      for (const id of root.queue) stopPending(batch, root, id, spent);
      root.queue = [];
      return true;
    }
    if (batch.budget <= 0) return false;
    const id = root.queue[0] as Id;
    const run = readRun(batch, id);
    if (run === null || run.status !== "queued" || run.cursor === null) {
      root.queue.shift();
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
  return true;
}

function exhausted(batch: Batch, root: Root): Reason | null {
  const { allowance } = batch.config.settings.organization.limits;
  if (root.spent >= allowance) {
    return {
      code: "allowance",
      message: `One message or command may set off ${allowance} operations, and these are spent`,
    };
  }
  if (batch.ledger.reads().size > readCap) {
    return {
      code: "read_cap",
      message: `One message or command made workflows read more than ${readCap} different things`,
    };
  }
  return null;
}

/** Ends a run that still had steps to take; one that is over, or has begun to wait, is none. */
function stopPending(batch: Batch, root: Root, id: Id, reason: Reason): void {
  const run = readRun(batch, id);
  if (run !== null && run.status === "queued") endRun(batch, run, "stop", reason, root.at);
}

/** As `askToStart`; what goes wrong in asking fails this run alone (MILL law 8). */
function mayStart(batch: Batch, root: Root, run: Run): boolean {
  const save = batch.save(root);
  try {
    return askToStart(batch, root, run);
  } catch (error) {
    if (error instanceof Missing) throw error;
    batch.restore(root, save);
    endRun(batch, run, "fault", reasonOf(error, "start_failed"), root.at);
    return false;
  }
}

/** Asks the guards and `when_running` before the first step; what stops a run is its visible reason. */
function askToStart(batch: Batch, root: Root, run: Run): boolean {
  const version = versionOf(batch, run.version);
  const { settings } = batch.config;
  if (version === null) {
    endRun(batch, run, "fault", stepGone(run, run.cursor), root.at);
    return false;
  }
  const reason =
    guardStart(run, version, settings, batch.ledger, root.at) ?? whenRunning(batch, root, run, version.whenRunning);
  if (reason !== null) {
    endRun(batch, run, "skip", reason, root.at);
    return false;
  }
  countStart(run, settings, batch.ledger, root.at);
  return true;
}

function whenRunning(batch: Batch, root: Root, run: Run, rule: "start" | "skip" | "replace"): Reason | null {
  if (rule === "start") return null;
  for (const other of waitingRuns(batch, run.subject)) {
    if (other.workflow !== run.workflow) continue;
    if (rule === "skip")
      return { code: "already_running", message: `The run ${other.id} of this workflow already waits here` };
    endRun(batch, other, "cancel", { code: "replaced", message: `The run ${run.id} took its place` }, root.at);
  }
  return null;
}
