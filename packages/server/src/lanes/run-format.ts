import type { Json, Run, StepResult } from "@threadmill/core";

/** A finished run as the history keeps it: its steps are short, and it does not say twice which workflow it is of. */
export function storeRun(run: Run): Readonly<Record<string, unknown>> {
  const { actor, trigger } = run;
  const { id, ...others } = actor;
  return {
    ...run,
    steps: storeSteps(run, run.steps),
    ...(actor.kind === "workflow" && id === run.workflow && { actor: others }),
    ...(typeof trigger.event === "string" && { trigger: { ...trigger, event: shortenId(trigger.event, run.id) } }),
  };
}

/** A run, or the head of one without its steps, as it is read from either table: whole again. */
export function readRun<T extends Pick<Run, "id" | "workflow" | "actor" | "trigger">>(row: T): T {
  const { actor, trigger } = row;
  return {
    ...row,
    actor: actor.id === undefined ? { ...actor, id: row.workflow } : actor,
    ...(typeof trigger.event === "string" && { trigger: { ...trigger, event: lengthenId(trigger.event, row.id) } }),
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
const sign = "~";

/** Ids of one root share their instant and the version that stands behind it. */
const sharedBeginning = 15;
const idLength = 36;

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
      ...(input !== undefined && { input: shorten(input, run) }),
      ...(output !== undefined && { output: shorten(output, run) }),
      ...(events !== undefined && { events: events.map((id) => shortenId(id, run.id)) }),
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
      ...(input !== undefined && { input: lengthen(input, run) }),
      ...(output !== undefined && { output: lengthen(output, run) }),
      ...(events !== undefined && { events: events.map((id) => lengthenId(id, run.id)) }),
    };
  });
}

const shortenId = (id: string, like: string): string =>
  id.length === idLength && id.startsWith(like.slice(0, sharedBeginning)) ? id.slice(sharedBeginning) : id;

const lengthenId = (id: string, like: string): string =>
  id.length === idLength - sharedBeginning ? like.slice(0, sharedBeginning) + id : id;

/** The run's own ids become a sign; what begins with the sign by itself gets another. */
function shorten(value: Json, run: Whose): Json {
  return withOwn(value, (text, field) => {
    if (text === run[field]) return sign;
    return text.startsWith(sign) ? sign + text : text;
  });
}

function lengthen(value: Json, run: Whose): Json {
  return withOwn(value, (text, field) => {
    if (text === sign) return run[field] as string;
    return text.startsWith(sign) ? text.slice(sign.length) : text;
  });
}

function withOwn(value: Json, change: (text: string, field: (typeof own)[number]) => string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  let changed = value as { readonly [name: string]: unknown };
  for (const field of own) {
    const text = Object.hasOwn(changed, field) ? changed[field] : null;
    if (typeof text === "string") changed = { ...changed, [field]: change(text, field) };
  }
  return changed as Json;
}
