import { key } from "../domain/keys.ts";
import { Missing } from "../domain/ledger.ts";
import type { Reason, Run } from "../model/run.ts";
import { countStart, countWithheld, guardStart } from "../run/guards.ts";
import { refsOfRun } from "../run/refs.ts";
import { reasonOf } from "../run/reason.ts";
import type { WhenRunning } from "../workflow/compiled.ts";
import type { Batch, Root } from "./batch.ts";
import { stepGone } from "./step-gone.ts";
import { endRun, waitingRuns } from "./runs.ts";
import { versionOf } from "./version.ts";
import { tell, type Withholding } from "./withheld.ts";

/** As `askToStart`; what goes wrong in asking fails this run alone (MILL law 8). */
export function mayStart(batch: Batch, root: Root, run: Run): boolean {
  return asking(batch, root, run, () => askToStart(batch, root, run));
}

/** Ends a run whose condition could not be tested. It counts as a start, and comes to nothing where none is allowed. */
export function failStart(batch: Batch, root: Root, run: Run, fault: Reason): void {
  const allowed = asking(batch, root, run, () => passesGuards(batch, root, run, () => null));
  if (allowed) endRun(batch, run, "fault", fault, root.at);
}

function asking(batch: Batch, root: Root, run: Run, ask: () => boolean): boolean {
  const save = batch.save(root);
  try {
    return ask();
  } catch (error) {
    if (error instanceof Missing) throw error;
    batch.restore(root, save);
    endRun(batch, run, "fault", reasonOf(error, "start_failed"), root.at);
    return false;
  }
}

/** Asks the guards and `when_running` before the first step; what stops a run is its visible reason. */
function askToStart(batch: Batch, root: Root, run: Run): boolean {
  return passesGuards(batch, root, run, (rule) => whenRunning(batch, root, run, rule));
}

function passesGuards(batch: Batch, root: Root, run: Run, others: (rule: WhenRunning) => Reason | null): boolean {
  const version = versionOf(batch, run.version);
  const { settings } = batch.config;
  // a version that is gone fails so often a day as any, by the limit of the organization
  const refused = guardStart(run, version ?? { runsPerDay: null }, settings, batch.ledger, root.at);
  if (refused !== null) {
    holdBack(batch, root, run, refused);
    return false;
  }
  const reason = version === null ? null : others(version.whenRunning);
  countStart(run, settings, batch.ledger, root.at);
  if (version === null) {
    endRun(batch, run, "fault", stepGone(run, run.cursor), root.at);
    return false;
  }
  if (reason !== null) endRun(batch, run, "skip", reason, root.at);
  return reason === null;
}

function whenRunning(batch: Batch, root: Root, run: Run, rule: WhenRunning): Reason | null {
  if (rule === "start") return null;
  for (const other of waitingRuns(batch, run.subject)) {
    if (other.workflow !== run.workflow) continue;
    if (rule === "skip")
      return { code: "already_running", message: `The run ${other.id} of this workflow already waits here` };
    endRun(batch, other, "cancel", { code: "replaced", message: `The run ${run.id} took its place` }, root.at);
  }
  return null;
}

/**
 * A guard refused the start: the first of a workflow, subject, day and reason is a skipped run. The others would say the same, so
 * they are only counted, and each tenth, hundredth ... is told. Whoever asked for a run by name has been promised one.
 */
function holdBack(batch: Batch, root: Root, run: Run, reason: Reason): void {
  const count = wasAskedFor(run) ? 1 : countWithheld(run, reason, batch.config.settings, batch.ledger, root.at);
  if (count === 1) return endRun(batch, run, "skip", reason, root.at);
  withdraw(batch, run);
  const { workflow, ...from } = withholdingOf(run);
  if (/^10+$/.test(String(count))) tell(batch, root, { reason, count, workflows: [workflow], ...from });
}

/** Whether somebody has this run's id as the answer of a command. */
export const wasAskedFor = (run: Run): boolean => run.trigger.type === "run.start";

/** Takes back a run that took no step and of which nobody knows. */
export function withdraw(batch: Batch, run: Run): void {
  batch.ledger.set(key.run(run.id), null);
}

/** What is told of a run that is taken back. */
export function withholdingOf(run: Run): Withholding {
  return { workflow: run.workflow, event: run.trigger.event, depth: run.depth, refs: refsOfRun(run) };
}
