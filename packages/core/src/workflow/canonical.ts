import { contentHash } from "../id/canonical.ts";
import type { Json } from "../model/common.ts";
import { formatDuration, parseDuration } from "../time/duration.ts";
import type {
  ActionDocument,
  BranchDocument,
  StepDocument,
  StopDocument,
  TriggerDocument,
  WaitDocument,
  WorkflowDocument,
} from "./document.ts";
import { walk } from "./graph.ts";

/**
 * The one way to write a workflow: what says nothing is left out (defaults, edges that are null, empty lists), fields and
 * steps stand in a fixed order, mailboxes are sorted, durations are short. Means the same as the document it came from, and
 * is its own canonical form. Takes documents of sound shape (`validateWorkflow` without schema problems).
 */
export function canonicalWorkflow(document: WorkflowDocument): WorkflowDocument {
  const { reached, rest } = walk(document.start, new Map(Object.entries(document.steps)));
  // fromEntries takes any id for what it is, "__proto__" too
  const steps = Object.fromEntries(
    [...reached, ...rest].map((id) => [id, canonicalStep(document.steps[id] as StepDocument)]),
  );
  return compact({
    name: document.name,
    description: document.description || undefined,
    kind: document.kind,
    mailboxes: document.mailboxes && [...new Set(document.mailboxes)].sort(),
    triggers: orNone(document.triggers ?? [])?.map(canonicalTrigger),
    start: document.start,
    steps,
    order: document.order || undefined,
    limits: document.limits?.runs_per_day === undefined ? undefined : { runs_per_day: document.limits.runs_per_day },
    when_running: document.when_running === "start" ? undefined : document.when_running,
    inputs: canonicalParameters(document.inputs),
    outputs: canonicalParameters(document.outputs),
    layout: document.layout === undefined ? undefined : sorted(document.layout),
  });
}

/** Hash of what the workflow does: equal for documents that differ only in how they are written or drawn. */
export function workflowHash(document: WorkflowDocument): string {
  return contentHash({ ...canonicalWorkflow(document), layout: undefined });
}

function canonicalTrigger(trigger: TriggerDocument): TriggerDocument {
  const when = trigger.when === undefined ? undefined : sorted(trigger.when);
  if ("event" in trigger) return compact({ event: trigger.event, when });
  const { since, in: calendar } = trigger.time;
  return compact({ time: compact({ since, for: shortest(trigger.time.for), in: calendar }), when });
}

/** One step in its canonical form. */
export function canonicalStep(step: StepDocument): StepDocument {
  if ("action" in step) return canonicalAction(step);
  if ("branch" in step) return canonicalBranch(step);
  return "wait" in step ? canonicalWait(step) : canonicalStop(step);
}

function canonicalAction(step: ActionDocument): ActionDocument {
  return compact({
    action: step.action,
    input:
      Object.keys(step.input ?? {}).length === 0 ? undefined : (sorted(step.input as Json) as ActionDocument["input"]),
    next: step.next ?? undefined,
    onError: step.onError ?? undefined,
    await: step.await || undefined,
  });
}

function canonicalBranch(step: BranchDocument): BranchDocument {
  return compact({
    branch: step.branch.map(({ when, next }) => compact({ when: sorted(when), next: next ?? undefined })),
    next: step.next ?? undefined,
    onError: step.onError ?? undefined,
  });
}

function canonicalWait(step: WaitDocument): WaitDocument {
  const { for: time, until, in: calendar, unless } = step.wait;
  return compact({
    wait: compact({
      for: time === undefined ? undefined : shortest(time),
      until: until === undefined ? undefined : sorted(until),
      in: calendar,
      unless,
    }),
    next: step.next ?? undefined,
    onInterrupt: step.onInterrupt ?? undefined,
    onError: step.onError ?? undefined,
  });
}

function canonicalStop({ stop }: StopDocument): StopDocument {
  if (stop === true) return { stop };
  const { reason, outputs } = stop;
  const said = compact({ reason: reason || undefined, outputs: outputs === undefined ? undefined : sorted(outputs) });
  return { stop: Object.keys(said).length === 0 ? true : said };
}

function canonicalParameters(parameters: WorkflowDocument["inputs"] = {}): WorkflowDocument["inputs"] {
  const names = Object.keys(parameters).sort();
  const plain = names.map((name) => {
    const { type, required, description } = parameters[name]!;
    return [name, compact({ type, required: required || undefined, description: description || undefined })] as const;
  });
  return orNone(plain) && Object.fromEntries(plain);
}

const orNone = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list);

/** A duration in its short form; a text that is none stays as it is, to be complained of. */
function shortest(text: string): string {
  const parsed = parseDuration(text);
  return parsed.ok ? formatDuration(parsed.duration) : text;
}

/** The same JSON with the keys of every object in order. */
function sorted(json: Json): Json {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map(sorted);
  const object = json as { readonly [key: string]: Json };
  return Object.fromEntries(
    Object.keys(object)
      .sort()
      .map((key) => [key, sorted(object[key] as Json)]),
  );
}

/** The object without the fields that are undefined. */
function compact<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
