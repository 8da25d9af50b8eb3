import type { Json, Run, StepResult } from "@threadmill/core";
import { cutId, meant, signed, wholeId } from "./short.ts";

/** A finished run as the history keeps it: its steps are short, and it does not say twice which workflow it is of. */
export function storeRun(run: Run): Readonly<Record<string, unknown>> {
  const { actor, trigger } = run;
  const { id, ...others } = actor;
  return {
    ...run,
    steps: storeSteps(run, run.steps),
    ...(actor.kind === "workflow" && id === run.workflow && { actor: others }),
    ...(typeof trigger.event === "string" && { trigger: { ...trigger, event: cutId(trigger.event, run.id) } }),
  };
}

/** A run, or the head of one without its steps, as it is read from either table: whole again. */
export function readRun<T extends Pick<Run, "id" | "workflow" | "actor" | "trigger">>(row: T): T {
  const { actor, trigger } = row;
  return {
    ...row,
    actor: actor.id === undefined ? { ...actor, id: row.workflow } : actor,
    ...(typeof trigger.event === "string" && { trigger: { ...trigger, event: wholeId(trigger.event, row.id) } }),
  };
}

/** What the history needs to know of a run to shorten its steps. */
type Whose = Pick<Run, "id" | "conversation" | "customer" | "message" | "started_at">;

/**
 * A step as the history keeps it. Bytes are what a finished run costs, and its steps nearly always follow one another at
 * once and are done to what the run is about: such a step leaves out its instant and, when it is done, its status; says
 * `~` for what is the run's own, and only the end of ids that begin as the run's does. The three steps of an ordinary run take
 * 0.6 KB instead of 1.0. A step that has its instant is as it was.
 */
export type StoredStep = Omit<StepResult, "at" | "status"> & Partial<Pick<StepResult, "at" | "status">>;

/** Fields of inputs and outputs that may be the run's own. */
const own = ["conversation", "customer", "message"] as const;

/** A finished run's steps as the history keeps them. */
export function storeSteps(run: Whose, steps: readonly StepResult[]): StoredStep[] {
  let before = run.started_at;
  return steps.map((step) => {
    const follows = step.at === before;
    before = step.at;
    if (!follows) return step;
    const { at: _, status, input, output, events, ...rest } = step;
    return {
      ...rest,
      ...(status !== "done" && { status }),
      ...(input !== undefined && { input: withOwn(input, run, signed) }),
      ...(output !== undefined && { output: withOwn(output, run, signed) }),
      ...(events !== undefined && { events: events.map((id) => cutId(id, run.id)) }),
    };
  });
}

/** The steps of a run, live or from the history, whole again. */
export function readSteps(run: Whose, steps: readonly StoredStep[]): StepResult[] {
  let before = run.started_at;
  return steps.map((step) => {
    if (step.at !== undefined) {
      before = step.at;
      return step as StepResult;
    }
    const { input, output, events, status = "done", ...rest } = step;
    return {
      ...rest,
      status,
      at: before,
      ...(input !== undefined && { input: withOwn(input, run, meant) }),
      ...(output !== undefined && { output: withOwn(output, run, meant) }),
      ...(events !== undefined && { events: events.map((id) => wholeId(id, run.id)) }),
    };
  });
}

/** Changes the fields that may be the run's own, by what they then hold. */
function withOwn(value: Json, run: Whose, change: (text: string, usual: string | null) => string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  let changed = value as { readonly [name: string]: unknown };
  for (const field of own) {
    const text = Object.hasOwn(changed, field) ? changed[field] : null;
    if (typeof text === "string") changed = { ...changed, [field]: change(text, run[field]) };
  }
  return changed as Json;
}
