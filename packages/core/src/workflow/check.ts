import type { AnyCommand } from "../domain/define.ts";
import { isEventType } from "../domain/events.ts";
import { commands } from "../domain/registry.ts";
import type { SettingsIndex } from "../domain/settings-index.ts";
import { actionProblems } from "./action-check.ts";
import type { Step, Trigger } from "./compiled.ts";
import type { TriggerDocument, WaitDocument } from "./document.ts";
import { graphProblems } from "./graph.ts";
import type { Context } from "./part.ts";
import { error, pointer, type Problem, warning } from "./problem.ts";
import { stepPlace } from "./reads.ts";
import { referenceProblem } from "./references.ts";
import { type Shape, shapeOf } from "./shape.ts";
import { compileStep } from "./steps.ts";
import { anchorNamed, hears } from "./subjects.ts";
import { compileTrigger } from "./triggers.ts";

/** What a document came to: everything wrong with it, and the parts that could be made ready. */
export interface Checked {
  readonly problems: readonly Problem[];
  /** whether every part could be made ready and the graph is sound: it can run, though a step may be refused */
  readonly whole: boolean;
  readonly triggers: readonly Trigger[];
  readonly steps: ReadonlyMap<string, Step>;
}

/**
 * Checks a document in one pass and makes its parts ready on the way. Takes any JSON; one fault does not hide others.
 * `known` are the commands that actions may issue; other than the registry's only in tests.
 */
export function checkWorkflow(
  json: unknown,
  settings: SettingsIndex | null,
  known: ReadonlyMap<string, AnyCommand> = commands,
): Checked {
  const shape = shapeOf(json);
  const { start } = shape.head;
  const graph = start === undefined || shape.ids.size === 0 ? [] : graphProblems(start, shape.steps, shape.ids);
  const structure = [...shape.problems, ...kindProblems(shape), ...graph];
  const context: Context = { settings, problems: [...structure] };
  const { problems } = context;
  if (settings !== null) {
    const names = shape.head.mailboxes ?? [];
    problems.push(...names.flatMap((name, at) => referenceProblem(settings, "mailbox", name, `/mailboxes/${at}`)));
  }
  const triggers = shape.triggers.flatMap(
    ({ trigger, index }) => compileTrigger(trigger, `/triggers/${index}`, context) ?? [],
  );
  const place = stepPlace(shape.ids, new Set(Object.keys(shape.head.inputs ?? {})));
  // what triggers know counts only where all are known, and nobody else starts the workflow
  const started = shape.head.kind === "automatic" && shape.triggers.length > 0 && !shape.problems.some(isOfTriggers);
  const starters = started ? shape.triggers.map((one) => one.trigger) : null;
  const steps = new Map<string, Step>();
  for (const [id, document] of shape.steps) {
    const path = pointer("/steps", id);
    const step = compileStep(id, document, path, place, context);
    if (step !== null) steps.set(id, step);
    if ("action" in document)
      problems.push(...actionProblems(document, path, { commands: known, settings, triggers: starters }));
    if ("wait" in document) problems.push(...waitProblems(document, starters, `${path}/wait/unless`));
    if ("stop" in document) problems.push(...outputProblems(document.stop, shape, `${path}/stop/outputs`));
  }
  const ready = triggers.length === shape.triggers.length && steps.size === shape.ids.size;
  const whole = ready && structure.every((one) => one.severity === "warning");
  return { problems: once(problems), whole, triggers, steps };
}

/** Two checks may come upon one fault; it is told once a place and code. */
const once = (problems: readonly Problem[]): Problem[] =>
  [
    ...new Map(problems.toReversed().map((one) => [`${one.path}\0${one.code}\0${one.message}`, one])).values(),
  ].toReversed();

const isOfTriggers = (one: Problem): boolean => one.path.startsWith("/triggers");

/** What each kind of workflow must have and cannot have. */
function kindProblems({ head, triggers, problems }: Shape): Problem[] {
  if (head.kind === undefined || problems.some(isOfTriggers)) return [];
  if (head.kind !== "automatic") {
    return triggers.length === 0
      ? []
      : [error("trigger_unexpected", "/triggers", `A ${head.kind} workflow has no triggers`)];
  }
  const found = (["inputs", "outputs"] as const)
    .filter((name) => head[name] !== undefined)
    .map((name) => error("field_unexpected", `/${name}`, `An automatic workflow has no ${name}`));
  if (triggers.length === 0) found.push(error("trigger_missing", "/triggers", "An automatic workflow needs a trigger"));
  return [...found, ...repeatedTimes(triggers)];
}

/** A subject keeps one fired anchor for a workflow (MILL law 14), so two time triggers would fire each other for ever. */
function repeatedTimes(triggers: Shape["triggers"]): Problem[] {
  const seen = new Set<string>();
  return triggers.flatMap(({ trigger, index }) => {
    const subject = "time" in trigger ? anchorNamed(trigger.time.since)?.subject : undefined;
    if (subject === undefined) return [];
    if (!seen.has(subject)) {
      seen.add(subject);
      return [];
    }
    return [
      error(
        "time_trigger_repeated",
        `/triggers/${index}`,
        `A workflow has one time trigger for a ${subject}: make it two workflows`,
      ),
    ];
  });
}

/** An event that no run of the workflow would hear of interrupts nothing: the wait would never be what it says. */
function waitProblems({ wait }: WaitDocument, triggers: readonly TriggerDocument[] | null, path: string): Problem[] {
  if (triggers === null || wait.unless === undefined || !isEventType(wait.unless)) return [];
  const heard = hears(triggers, wait.unless);
  const none = `${wait.unless} does not concern the runs that`;
  if (heard === "never") return [error("interrupt_unheard", path, `${none} this workflow's triggers start`)];
  return heard === "always"
    ? []
    : [warning("interrupt_unheard", path, `${none} some of this workflow's triggers start`)];
}

/** Outputs that are written as an object give what is declared, no more and no less. */
function outputProblems(stop: unknown, { head }: Shape, path: string): Problem[] {
  const given = (stop as { readonly outputs?: unknown }).outputs;
  if (
    head.outputs === undefined ||
    typeof given !== "object" ||
    given === null ||
    Array.isArray(given) ||
    "ref" in given
  )
    return [];
  const declared = Object.entries(head.outputs);
  const unknown = Object.keys(given).filter((name) => !declared.some(([one]) => one === name));
  const missing = declared.filter(([name, { required }]) => required === true && !Object.hasOwn(given, name));
  return [
    ...unknown.map((name) => error("unknown_field", pointer(path, name), `The workflow declares no output "${name}"`)),
    ...missing.map(([name]) => error("missing_field", pointer(path, name), `The output "${name}" is required`)),
  ];
}
