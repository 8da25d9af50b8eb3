import type { Json } from "../model/common.ts";
import type { StepKind } from "./document.ts";

/** What stood there and what stands there now; undefined for nothing. */
export interface Sides<T> {
  readonly before: T | undefined;
  readonly after: T | undefined;
}

const longest = 60;

/** A value in a few words. */
function brief(value: Json): string {
  const text = JSON.stringify(value);
  return text.length <= longest ? text : `${text.slice(0, longest - 3)}...`;
}

function changed(what: string, { before, after }: Sides<Json>): string {
  if (before === undefined) return `${what} was set to ${brief(after as Json)}`;
  if (after === undefined) return `${what} was taken away; it was ${brief(before)}`;
  return `${what} was changed from ${brief(before)} to ${brief(after)}`;
}

const words = (path: string): string =>
  path.slice(1).split("/").map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~")).join(" ").replaceAll("_", " ");

/** What happened to a setting of the workflow, as a sentence. */
export function settingSentence(path: string, sides: Sides<Json>): string {
  return changed(`The workflow's ${words(path)}`, sides);
}

/** What happened to a trigger, as a sentence. */
export function triggerSentence(name: string, { before, after }: Sides<unknown>): string {
  if (before === undefined) return `A trigger on ${name} was added`;
  return after === undefined ? `The trigger on ${name} was taken away` : `The trigger on ${name} was changed`;
}

const kindNames = { action: "an action", branch: "a branch", wait: "a wait", stop: "a stop" } as const satisfies Record<StepKind, string>;

/** What happened to a whole step, as a sentence. */
export function stepSentence(id: string, { before, after }: Sides<StepKind>): string {
  if (before === undefined) return `The step "${id}" was added, ${kindNames[after as StepKind]}`;
  if (after === undefined) return `The step "${id}" was taken away`;
  return `The step "${id}" was ${kindNames[before]} and is now ${kindNames[after]}`;
}

const edgeNames: Readonly<Record<string, string>> = { next: "", onError: " on error", onInterrupt: " when interrupted" };

/** What happened to a part of a step, as a sentence. */
export function stepPartSentence(id: string, path: string, sides: Sides<Json>): string {
  const [, first = "", number = "", last = ""] = path.split("/");
  const branch = first === "branch" ? ` by branch ${Number(number) + 1}` : "";
  const way = edgeNames[first === "branch" ? last : first];
  if (way === undefined) return changed(`In the step "${id}", ${words(path).replace(/^branch \d+ when$/, `the condition${branch.replace(" by", " of")}`)}`, sides);
  const place = (to: Json | undefined) => (to === undefined ? "the end" : `"${to as string}"`);
  return `From the step "${id}" the way${branch}${way} leads to ${place(sides.after)} instead of ${place(sides.before)}`;
}
