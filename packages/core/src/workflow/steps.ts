import { namesOf } from "../model/json.ts";
import { referencePath } from "../template/value.ts";
import { toMs } from "../time/instant.ts";
import type { ActionStep, BranchStep, Step, StopStep, WaitStep } from "./compiled.ts";
import type { ActionDocument, BranchDocument, StepDocument, StopDocument, WaitDocument } from "./document.ts";
import { conditionPart, type Context, durationPart, eventPart, valuePart } from "./part.ts";
import { error, warning } from "./problem.ts";
import type { Place } from "./reads.ts";
import { calendarProblem } from "./references.ts";

/** Makes a step of sound shape ready. Null where that is not possible; the context's problems say why. */
export function compileStep(
  id: string,
  document: StepDocument,
  path: string,
  place: Place,
  context: Context,
): Step | null {
  if ("action" in document) return compileAction(id, document, path, place, context);
  if ("branch" in document) return compileBranch(id, document, path, place, context);
  if ("wait" in document) return compileWait(id, document, path, place, context);
  return compileStop(id, document, path, place, context);
}

function compileAction(
  id: string,
  document: ActionDocument,
  path: string,
  place: Place,
  context: Context,
): ActionStep | null {
  const input = valuePart(document.input ?? {}, `${path}/input`, place, context);
  if (input === null) return null;
  const references = namesOf(document.input ?? {}).filter((name) => referencePath(document.input?.[name]) !== null);
  return {
    kind: "action",
    id,
    action: document.action,
    input,
    references,
    awaits: document.await === true,
    ...waysOut(document),
  };
}

function compileBranch(
  id: string,
  document: BranchDocument,
  path: string,
  place: Place,
  context: Context,
): BranchStep | null {
  const branches: { when: BranchStep["branches"][number]["when"]; next: string | null }[] = [];
  for (const [at, { when, next = null }] of document.branch.entries()) {
    const condition = conditionPart(when, `${path}/branch/${at}/when`, place, context);
    if (condition !== null) branches.push({ when: condition, next });
  }
  return branches.length < document.branch.length ? null : { kind: "branch", id, branches, ...waysOut(document) };
}

function compileWait(
  id: string,
  document: WaitDocument,
  path: string,
  place: Place,
  context: Context,
): WaitStep | null {
  const { problems } = context;
  const { for: time, until: instant, in: calendar = null, unless: event } = document.wait;
  const before = problems.length;
  if (time === undefined && instant === undefined && event === undefined) {
    problems.push(error("wait_endless", `${path}/wait`, "A wait needs for, until or unless, or it would never end"));
  }
  if (time !== undefined && instant !== undefined) {
    problems.push(error("wait_ambiguous", `${path}/wait`, "A wait has for or until, not both"));
  }
  if (calendar !== null && time === undefined) {
    problems.push(error("calendar_unexpected", `${path}/wait/in`, "A calendar counts open time, so it needs for"));
  }
  const unfit = problems.length > before;
  if (calendar !== null && context.settings !== null)
    problems.push(...calendarProblem(context.settings, calendar, `${path}/wait/in`));
  if (typeof document.onInterrupt === "string" && event === undefined) {
    problems.push(
      warning("interrupt_impossible", `${path}/onInterrupt`, "Nothing interrupts this wait: it has no unless"),
    );
  }
  const duration = time === undefined ? null : durationPart(time, `${path}/wait/for`, context);
  const until = instant === undefined ? null : untilPart(instant, `${path}/wait/until`, place, context);
  const unless = event === undefined ? null : eventPart(event, `${path}/wait/unless`, context);
  const missing =
    (time !== undefined && duration === null) ||
    (instant !== undefined && until === null) ||
    (event !== undefined && unless === null);
  if (unfit || missing) return null;
  return {
    kind: "wait",
    id,
    for: duration,
    until,
    calendar,
    unless,
    onInterrupt: document.onInterrupt ?? null,
    ...waysOut(document),
  };
}

/** An instant that is written down must be one; what is read from the scope is checked at run. */
function untilPart(json: unknown, path: string, place: Place, context: Context): WaitStep["until"] {
  const value = valuePart(json, path, place, context);
  if (value === null || !value.static || isInstantText(json)) return value;
  context.problems.push(error("instant_invalid", path, 'An instant is written as "2026-11-20T17:00:00.000Z"'));
  return null;
}

function isInstantText(json: unknown): boolean {
  if (typeof json !== "string") return false;
  try {
    toMs(json);
    return true;
  } catch {
    return false;
  }
}

function compileStop(
  id: string,
  { stop }: StopDocument,
  path: string,
  place: Place,
  context: Context,
): StopStep | null {
  const said = stop === true ? {} : stop;
  const outputs = said.outputs === undefined ? null : valuePart(said.outputs, `${path}/stop/outputs`, place, context);
  if (said.outputs !== undefined && outputs === null) return null;
  return { kind: "stop", id, reason: said.reason ?? null, outputs, next: null };
}

const waysOut = (document: { readonly next?: string | null; readonly onError?: string | null }) => ({
  next: document.next ?? null,
  onError: document.onError ?? null,
});
