import type { Json } from "../model/common.ts";
import { sameJson } from "../model/json.ts";
import { canonicalWorkflow } from "./canonical.ts";
import type { StepDocument, StepKind, TriggerDocument, WorkflowDocument } from "./document.ts";
import { pointer } from "./problem.ts";
import { type Sides, settingSentence, stepPartSentence, stepSentence, triggerSentence } from "./sentences.ts";

/** One difference between two documents; `path` is a JSON pointer, into the older one for what was removed. */
export interface Difference {
  readonly path: string;
  readonly kind: "added" | "removed" | "changed";
  /** null where there was nothing */
  readonly before: Json;
  readonly after: Json;
  /** a short sentence for people */
  readonly text: string;
}

/** Parts of a document by their path. */
type Parts = ReadonlyMap<string, Json>;

/**
 * What changed from one document to another, in terms of settings, triggers, steps and edges. Both are compared in their
 * canonical form without `layout`: the list is empty exactly where `workflowHash` is equal.
 */
export function diffDocuments(a: WorkflowDocument, b: WorkflowDocument): Difference[] {
  const old = canonicalWorkflow(a);
  const now = canonicalWorkflow(b);
  return [
    ...diffParts(settingsOf(old), settingsOf(now), "", settingSentence),
    ...diffTriggers(old.triggers ?? [], now.triggers ?? []),
    ...diffSteps(old.steps, now.steps),
  ];
}

function difference({ before, after }: Sides<unknown>, path: string, text: string): Difference {
  const kind = before === undefined ? "added" : after === undefined ? "removed" : "changed";
  return { path, kind, before: (before ?? null) as Json, after: (after ?? null) as Json, text };
}

function diffParts(a: Parts, b: Parts, base: string, say: (path: string, sides: Sides<Json>) => string): Difference[] {
  return [...new Set([...a.keys(), ...b.keys()])]
    .map((path) => ({ path, sides: { before: a.get(path), after: b.get(path) } }))
    .filter(({ sides }) => !sameJson(sides.before, sides.after))
    .map(({ path, sides }) => difference(sides, base + path, say(path, sides)));
}

/** All but triggers, steps and layout; what consists of named parts is taken apart. */
function settingsOf({ triggers: _triggers, steps: _steps, layout: _layout, ...rest }: WorkflowDocument): Parts {
  return takeApart(rest, ["limits", "inputs", "outputs"]);
}

function takeApart(fields: object, inner: readonly string[]): Parts {
  const parts = Object.entries(fields).flatMap(([name, value]): [string, Json][] => {
    const path = pointer("", name);
    return inner.includes(name)
      ? Object.entries(value as object).map(([field, item]) => [pointer(path, field), item as Json])
      : [[path, value as Json]];
  });
  return new Map(parts);
}

/** Triggers have no names: equal ones belong together, and of the others those of one event, in their order. */
function diffTriggers(a: readonly TriggerDocument[], b: readonly TriggerDocument[]): Difference[] {
  const left = b.map((trigger, at) => ({ trigger, at }));
  const take = (fits: (trigger: TriggerDocument) => boolean) => {
    const found = left.findIndex((one) => fits(one.trigger));
    return found < 0 ? undefined : left.splice(found, 1)[0];
  };
  const unmatched = a
    .map((trigger, at) => ({ trigger, at }))
    .filter(({ trigger }) => take((other) => sameJson(trigger, other)) === undefined);
  const found = unmatched.map(({ trigger, at }) => {
    const other = take((one) => triggerName(one) === triggerName(trigger));
    const sides = { before: trigger, after: other?.trigger };
    return difference(sides, `/triggers/${other?.at ?? at}`, triggerSentence(triggerName(trigger), sides));
  });
  const added = left.map(({ trigger, at }) => {
    const sides = { before: undefined, after: trigger };
    return difference(sides, `/triggers/${at}`, triggerSentence(triggerName(trigger), sides));
  });
  if (found.length + added.length > 0 || sameJson(a, b)) return [...found, ...added];
  return [difference({ before: a, after: b }, "/triggers", "The triggers stand in another order")];
}

const triggerName = (trigger: TriggerDocument): string => ("event" in trigger ? trigger.event : trigger.time.since);

function diffSteps(a: WorkflowDocument["steps"], b: WorkflowDocument["steps"]): Difference[] {
  const old = new Map(Object.entries(a));
  const now = new Map(Object.entries(b));
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((id) => {
    const before = old.get(id);
    const after = now.get(id);
    const base = pointer("/steps", id);
    if (before !== undefined && after !== undefined && kindOf(before) === kindOf(after)) {
      return diffParts(partsOf(before), partsOf(after), base, (path, sides) => stepPartSentence(id, path, sides));
    }
    const kinds = { before: before && kindOf(before), after: after && kindOf(after) };
    return [difference({ before, after }, base, stepSentence(id, kinds))];
  });
}

const kindOf = (step: StepDocument): StepKind =>
  "action" in step ? "action" : "branch" in step ? "branch" : "wait" in step ? "wait" : "stop";

function partsOf(step: StepDocument): Parts {
  if (!("branch" in step)) return takeApart(step, ["input", "wait"]);
  const { branch, ...rest } = step;
  const branches = branch.flatMap((one, at) =>
    [...takeApart(one, [])].map(([path, value]) => [`/branch/${at}${path}`, value] as const),
  );
  return new Map([...branches, ...takeApart(rest, [])]);
}
