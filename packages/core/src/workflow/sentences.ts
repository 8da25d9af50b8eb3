import type { Json } from "../model/common.ts";
import { brief } from "../text/characters.ts";
import type { StepKind } from "./document.ts";

/** What stood there and what stands there now; undefined for nothing. */
export interface Sides<T> {
  readonly before: T | undefined;
  readonly after: T | undefined;
}

/** Reads well for one thing and for many. */
function changed(what: string, { before, after }: Sides<Json>): string {
  return `${what}: now ${brief(after)}, before ${brief(before)}`;
}

const words = (path: string): string =>
  path
    .slice(1)
    .split("/")
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"))
    .join(" ")
    .replaceAll("_", " ");

/** What happened to a setting of the workflow, as a sentence. */
export function settingSentence(path: string, sides: Sides<Json>): string {
  return changed(`The workflow's ${words(path)}`, sides);
}

/** What happened to a trigger, as a sentence. */
export function triggerSentence(name: string, { before, after }: Sides<unknown>): string {
  if (before === undefined) return `A trigger on ${name} was added`;
  return after === undefined ? `The trigger on ${name} was taken away` : `The trigger on ${name} was changed`;
}

const kindNames = { action: "an action", branch: "a branch", wait: "a wait", stop: "a stop" } as const satisfies Record<
  StepKind,
  string
>;

/** What happened to a whole step, as a sentence. */
export function stepSentence(id: string, { before, after }: Sides<StepKind>): string {
  if (before === undefined) return `The step "${id}" was added, ${kindNames[after as StepKind]}`;
  if (after === undefined) return `The step "${id}" was taken away`;
  return `The step "${id}" was ${kindNames[before]} and is now ${kindNames[after]}`;
}

const edgeNames: ReadonlyMap<string, string> = new Map([
  ["next", ""],
  ["onError", " on error"],
  ["onInterrupt", " when interrupted"],
]);

/** What happened to a part of a step, as a sentence; `path` is a JSON pointer within the step. */
export function stepPartSentence(id: string, path: string, sides: Sides<Json>): string {
  const [, branch, field] = /^\/branch\/(\d+)\/(.+)$/.exec(path) ?? [];
  const number = Number(branch) + 1;
  const way = edgeNames.get(field ?? path.slice(1));
  if (way !== undefined) {
    const place = (to: Json | undefined) => (to === undefined ? "the end" : `"${to as string}"`);
    const by = branch === undefined ? "" : ` by branch ${number}`;
    return `From the step "${id}" the way${by}${way} leads to ${place(sides.after)} instead of ${place(sides.before)}`;
  }
  return changed(
    `In the step "${id}", ${branch === undefined ? words(path) : `the condition of branch ${number}`}`,
    sides,
  );
}
