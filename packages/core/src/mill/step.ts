import type { Target } from "../domain/define.ts";
import { Missing } from "../domain/ledger.ts";
import { commands, prepare } from "../domain/registry.ts";
import type { Refusal } from "../model/command.ts";
import type { Json } from "../model/common.ts";
import { membersOf } from "../model/json.ts";
import type { Reason, Run, StepResult } from "../model/run.ts";
import { reasonOf } from "../run/reason.ts";
import { runScope } from "../run/scope.ts";
import { dueAt } from "../run/wait.ts";
import type { ActionStep, BranchStep, Step, StopStep, WaitStep } from "../workflow/compiled.ts";
import type { Scope } from "../template/scope.ts";
import type { Batch, Root } from "./batch.ts";
import { react } from "./reaction.ts";
import { stepGone } from "./step-gone.ts";
import { endRun, holdRun, putRun } from "./runs.ts";
import { stepOf } from "./version.ts";

/** A run's turn to take a step: all that this one step needs. */
interface Turn<S extends Step> {
  readonly batch: Batch;
  readonly root: Root;
  readonly run: Run;
  readonly step: S;
}

/**
 * Takes one step of a queued run. Whatever goes wrong inside is taken back and becomes the step's failure: it takes the
 * step's `onError` edge, or ends this run alone (MILL law 8). A need passes through.
 */
export function takeStep(batch: Batch, root: Root, run: Run): void {
  const step = stepOf(batch, run, run.cursor as string);
  if (step === null) return endRun(batch, run, "fault", stepGone(run, run.cursor), root.at);
  const save = batch.save(root);
  try {
    perform({ batch, root, run, step });
  } catch (error) {
    if (error instanceof Missing) throw error;
    batch.restore(root, save);
    const turn = { batch, root, run, step };
    fail(turn, resultOf(turn), reasonOf(error, "step_failed"));
  }
}

function perform(turn: Turn<Step>): void {
  const { batch, root, run, step } = turn;
  const scope = runScope(run, root.at, { ledger: batch.ledger, settings: batch.config.settings, meter: root.meter });
  switch (step.kind) {
    case "action":
      return act(turn as Turn<ActionStep>, scope);
    case "branch":
      return branch(turn as Turn<BranchStep>, scope);
    case "wait":
      return wait(turn as Turn<WaitStep>, scope);
    case "stop":
      return stop(turn as Turn<StopStep>, scope);
  }
}

/** What every step's result says; each kind of step adds its own. */
const resultOf = ({ root, step }: Turn<Step>): StepResult => ({
  step: step.id,
  kind: step.kind === "action" ? step.action : step.kind,
  status: "done",
  at: root.at,
});

/** Adds the step's result and moves on, or ends the run where no step follows. */
function advance({ batch, root, run }: Turn<Step>, result: StepResult, next: string | null): void {
  putRun(batch, run, next === null ? "end" : "advance", root.at, { steps: [...run.steps, result], cursor: next });
}

/** A step that failed: the run takes its `onError` edge, or ends `failed`; `stopped` for what a guard refused. */
function fail(turn: Turn<Step>, result: StepResult, reason: Reason, signal: "fault" | "stop" = "fault"): void {
  const { batch, root, run, step } = turn;
  const onError = step.kind === "stop" ? null : step.onError;
  const output = { error: { code: reason.code, message: reason.message } };
  const failed: StepResult = { ...result, status: "failed", reason, output };
  if (onError !== null) return advance(turn, failed, onError);
  endRun(batch, { ...run, steps: [...run.steps, failed] }, signal, reason, root.at);
}

function act(turn: Turn<ActionStep>, scope: Scope): void {
  const { batch, root, run, step } = turn;
  const given = step.input.resolve(scope) as { readonly [name: string]: Json };
  const known = withoutMissing(step, given);
  const target = commands.get(step.action)?.target ?? null;
  if (target !== null && step.references.includes(target) && given[target] === null) {
    // whoever names a target means that one: the run's own in its place may be another customer's
    const reason = { code: "target_missing", message: `The ${target} that the step names is not there` };
    return fail(turn, { ...resultOf(turn), input: known }, { ...reason, detail: { path: `/${target}` } });
  }
  const input = withTarget(target, known, run);
  const result: StepResult = { ...resultOf(turn), input };
  const prepared = prepare(step.action, input, batch.config.settings);
  if (!prepared.ok) return refused(turn, result, prepared);
  const from = {
    cause: { ...(run.trigger.event !== null && { event: run.trigger.event }), run: run.id, step: step.id },
    depth: run.depth,
  };
  const decision = batch.decide(root, { type: step.action, actor: run.actor, input: prepared.input }, from);
  if (!decision.answer.ok) return refused(turn, result, decision.answer);
  const done: StepResult = {
    ...result,
    output: decision.answer.result,
    events: decision.events.map((event) => event.id),
  };
  const effect = step.awaits ? decision.effects[0] : undefined;
  if (effect === undefined) advance(turn, done, step.next);
  else {
    const waiting = { wait: run.waits + 1, step: step.id, due_at: null, unless: null, effect: effect.id };
    // the effect's row names its run, so that settling it finds the way back
    holdRun(batch, run, { ...done, status: "waiting" }, waiting, root.at);
  }
  root.queue.push(...decision.runs);
  react(batch, root, decision.events);
}

function refused(turn: Turn<ActionStep>, result: StepResult, answer: Refusal): void {
  const reason: Reason = {
    code: answer.code,
    message: answer.message,
    ...(answer.path !== undefined && { detail: { path: answer.path } }),
  };
  fail(turn, result, reason, answer.kind === "limited" ? "stop" : "fault");
}

/** The input without what its references did not find, save where the command says that it must be given. */
function withoutMissing(
  { action, references }: ActionStep,
  given: { readonly [name: string]: Json },
): { readonly [name: string]: Json } {
  if (references.length === 0) return given;
  const required: readonly string[] = commands.get(action)?.input.required ?? [];
  const missing = references.filter((name) => given[name] === null && !required.includes(name));
  if (missing.length === 0) return given;
  return Object.fromEntries(membersOf(given).filter(([name]) => !missing.includes(name)));
}

/** What an action is done to: as the step says, and where it says nothing the run's own subject. */
function withTarget(
  target: Target | null,
  input: { readonly [name: string]: Json },
  run: Run,
): { readonly [name: string]: Json } {
  if (target === null || (input[target] ?? null) !== null) return input;
  const { conversation, customer, message } = run;
  const user = run.subject_kind === "user" ? run.subject : null;
  // no run is about a note
  const own = { conversation, customer, message, note: null, user, run: run.id }[target];
  return own === null ? input : { ...input, [target]: own };
}

function branch(turn: Turn<BranchStep>, scope: Scope): void {
  const { step } = turn;
  const index = step.branches.findIndex((each) => each.when.test(scope));
  // only the branches that were tested are explained
  const tested = index === -1 ? step.branches : step.branches.slice(0, index + 1);
  const detail = tested.map((each) => each.when.explain(scope)) as unknown as Json;
  const reason: Reason =
    index === -1
      ? { code: "no_branch", message: "No branch held", detail }
      : { code: "branch", message: `Branch ${index + 1} of ${step.branches.length} held`, detail };
  const next = index === -1 ? step.next : (step.branches[index]?.next ?? null);
  advance(turn, { ...resultOf(turn), output: { branch: index === -1 ? null : index }, reason }, next);
}

function wait(turn: Turn<WaitStep>, scope: Scope): void {
  const { batch, root, run, step } = turn;
  const result: StepResult = { ...resultOf(turn), status: "waiting" };
  const due = dueAt(step, scope, batch.config.settings);
  if (!due.ok) return fail(turn, result, due.reason);
  const input = { due_at: due.at, unless: step.unless };
  const waiting = { wait: run.waits + 1, step: step.id, due_at: due.at, unless: step.unless, effect: null };
  holdRun(batch, run, { ...result, input }, waiting, root.at);
}

function stop(turn: Turn<StopStep>, scope: Scope): void {
  const { batch, root, run, step } = turn;
  const outputs = (step.outputs?.resolve(scope) ?? null) as Json;
  const result: StepResult = { ...resultOf(turn), ...(outputs !== null && { output: outputs }) };
  const reason: Reason = { code: "stop_step", message: step.reason ?? "The workflow stopped here" };
  // a stop with outputs is how a callable workflow answers: that run is finished, not stopped
  const signal = outputs === null ? "stop" : "end";
  putRun(batch, run, signal, root.at, { steps: [...run.steps, result], outputs, reason, cursor: null });
}
