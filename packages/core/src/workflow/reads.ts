import type { Target } from "../domain/define.ts";
import { type EventType, eventTypes, isEventType } from "../domain/events.ts";
import type { SettingsIndex } from "../domain/settings-index.ts";
import { ActorSchema } from "../model/run.ts";
import { calendarFields, type Reader, type Root, rootNamed, rootNames } from "../run/roots.ts";
import { didYouMean } from "../text/nearest.ts";
import { parsePath, type Path } from "../template/path.ts";
import type { TriggerDocument } from "./document.ts";
import { fieldsOf, isUnknownField } from "./fields.ts";
import { error, type Problem } from "./problem.ts";
import { referenceProblem } from "./references.ts";
import { knows } from "./subjects.ts";

/** What a condition or value may read where it stands. */
export interface Place {
  readonly roots: ReadonlySet<string>;
  /** ids of the steps and names of the inputs; null outside a run */
  readonly run: { readonly steps: ReadonlySet<string>; readonly inputs: ReadonlySet<string> } | null;
  /** whether the changes of an event are at hand, for `changed` and its like */
  readonly changes: boolean;
  /** the event that is read; null where a run keeps only which one it was, undefined where none of a known type is */
  readonly event?: EventType | null;
}

/** The roots that a reader may name, of those that there are where `brings` says so. */
const rootsFor = (reader: Reader, brings: (target: Target) => boolean): ReadonlySet<string> =>
  new Set(
    rootNames.filter((name) => {
      const { readers, from } = rootNamed(name) as Root;
      return readers.includes(reader) && (from === null || brings(from));
    }),
  );

/** A trigger's condition reads the event and what it is about; a time trigger's its subject alone (MILL law 14). */
export function triggerPlace(trigger: TriggerDocument): Place {
  // of an event that is not known nothing is said: its name is the mistake
  const known = "time" in trigger || isEventType(trigger.event);
  const brings = (target: Target) => !known || knows([trigger], target) === "always";
  const reader = "time" in trigger ? "time" : "event";
  const place = { roots: rootsFor(reader, brings), run: null, changes: reader === "event" };
  return "event" in trigger && isEventType(trigger.event) ? { ...place, event: trigger.event } : place;
}

/** A step reads its run besides. */
export function stepPlace(steps: ReadonlySet<string>, inputs: ReadonlySet<string>): Place {
  return { roots: rootsFor("step", () => true), run: { steps, inputs }, changes: false, event: null };
}

/** Of an event there is what it is made of, and the facts that its type brings; for a step, what its run keeps of it. */
function eventProblems(steps: Path, read: string, path: string, event: Place["event"]): Problem[] {
  const [, part, name] = steps;
  if (event === null && (part === "data" || part === "actor")) {
    const message = `"${read}" cannot be read here: a run keeps which event started it, not what it said or who was behind it, which the trigger's condition alone can ask`;
    return [error("reference_out_of_scope", path, message)];
  }
  const known = event === null ? Object.keys(fieldsOf("event", "step") ?? {}) : Object.keys(fieldsOf("event") ?? {});
  if (part !== undefined && !known.includes(String(part)))
    return [error("field_unknown", path, `An event has no field "${part}" here${didYouMean(part, known)}`)];
  if (part === "actor" && name !== undefined && !Object.hasOwn(ActorSchema.properties, name)) {
    const meant = didYouMean(name, Object.keys(ActorSchema.properties));
    return [error("field_unknown", path, `An actor has no field "${name}"${meant}`)];
  }
  if (part !== "data" || event === null || event === undefined) return [];
  const facts: readonly string[] = eventTypes[event].facts ?? [];
  if (name === undefined ? facts.length > 0 : facts.includes(String(name))) return [];
  const there = facts.length === 0 ? "it brings no data" : `there are ${facts.join(", ")}`;
  return [error("field_unknown", path, `There is nothing at "${read}" of ${event}: ${there}`)];
}

/** A path finds a calendar by its short name as it is written, which other references need not keep to. */
function calendarProblems([, name, field]: Path, path: string, settings: SettingsIndex | null): Problem[] {
  if (field !== undefined && !calendarFields.some((known) => known === field)) {
    const meant = didYouMean(field, calendarFields);
    return [error("field_unknown", path, `A calendar has no field "${field}"${meant}`)];
  }
  if (settings === null) return [];
  const problems = referenceProblem(settings, "calendar", String(name), path);
  const slug = settings.calendar(String(name))?.slug;
  if (problems.length > 0 || slug === name) return problems;
  return [error("reference_dangling", path, `There is no calendar "${name}" here: its short name is "${slug}"`)];
}

/** What is wrong with what a condition or value reads. */
export function readProblems(
  reads: readonly string[],
  place: Place,
  path: string,
  settings: SettingsIndex | null,
): Problem[] {
  return reads.flatMap((read) => {
    const steps = parsePath(read) as Path; // written by formatPath
    const [root, name] = steps as [string, string | number | undefined];
    if (!place.roots.has(root)) {
      const message = `"${root}" cannot be read here: there are ${[...place.roots].join(", ")}${didYouMean(root, place.roots)}`;
      return [error("reference_out_of_scope", path, message)];
    }
    if (root === "event") return eventProblems(steps, read, path, place.event);
    if (isUnknownField(steps)) {
      const meant = didYouMean(name, Object.keys(fieldsOf(root) ?? {}));
      return [error("field_unknown", path, `A ${root} has no field "${name}"${meant}`)];
    }
    if (name === undefined) return [];
    if (root === "now" || (typeof name === "number" && fieldsOf(root) !== undefined))
      return [error("field_unknown", path, `There is nothing at "${read}": "${root}" has no such part`)];
    if (root === "calendar") return calendarProblems(steps, path, settings);
    const known = root === "steps" || root === "inputs" ? place.run?.[root] : undefined;
    if (known === undefined || known.has(String(name))) return [];
    const meant = didYouMean(name, known);
    return [error("reference_dangling", path, `There is no ${root === "steps" ? "step" : "input"} "${name}"${meant}`)];
  });
}
