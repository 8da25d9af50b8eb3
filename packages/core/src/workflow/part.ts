import { compileCondition, type Condition } from "../condition/compile.ts";
import { type EventType, eventTypes, isEventType } from "../domain/events.ts";
import type { SettingsIndex } from "../domain/settings-index.ts";
import type { Json } from "../model/common.ts";
import { compileValue, type Value } from "../template/value.ts";
import { didYouMean } from "../text/nearest.ts";
import { type Duration, parseDuration } from "../time/duration.ts";
import { resolveNames } from "./condition-names.ts";
import { fieldTypes } from "./fields.ts";
import { asErrors, error, type Problem } from "./problem.ts";
import { type Place, readProblems } from "./reads.ts";

/** What the parts of a document are checked against, and where what is wrong with them is gathered. */
export interface Context {
  /** null where the organization is not known: names of settings are then not looked up */
  readonly settings: SettingsIndex | null;
  readonly problems: Problem[];
  /** the document was found sound when it was published: its parts are made ready, and not checked again */
  readonly sound?: true;
}

/**
 * Compiles a condition and looks at what it reads. Null where it does not compile; the problems say why. An operator
 * that does not suit its field is a problem too, but a property's type may have changed since: the condition stands.
 */
export function conditionPart(
  json: Json,
  path: string,
  place: Place,
  { settings, problems, sound }: Context,
): Condition | null {
  if (sound) return soundCondition(json, path, { settings, problems });
  const resolved = settings === null ? json : resolveNames(json, settings, path, problems);
  const typed = compileCondition(resolved, { path, fieldType: fieldTypes(settings) });
  if (!typed.ok) problems.push(...asErrors(typed.problems));
  const compiled = typed.ok ? typed : compileCondition(resolved, { path });
  if (!compiled.ok) return null;
  const { condition } = compiled;
  problems.push(...readProblems(condition.reads, place, path, settings));
  if (!place.changes && condition.operators.some((name) => name.startsWith("changed"))) {
    problems.push(error("operator_unfit", path, "Only the condition of an event trigger knows what changed"));
  }
  return condition;
}

/** Compiles a condition that was found sound when it was published: nothing is checked but that it can be made ready. */
export function soundCondition(json: Json, path: string, { settings, problems }: Context): Condition | null {
  const compiled = compileCondition(settings === null ? json : resolveNames(json, settings, path, problems), { path });
  if (compiled.ok) return compiled.condition;
  problems.push(...asErrors(compiled.problems));
  return null;
}

/** Compiles a value and looks at what it reads. Null where it does not compile; the problems say why. */
export function valuePart(
  json: unknown,
  path: string,
  place: Place,
  { settings, problems, sound }: Context,
): Value | null {
  const compiled = compileValue(json, path);
  if (!compiled.ok) {
    problems.push(...asErrors(compiled.problems));
    return null;
  }
  if (!sound) problems.push(...readProblems(compiled.reads, place, path, settings));
  return compiled;
}

/** Reads a duration; null where it is none, and a problem says why. */
export function durationPart(text: string, path: string, { problems }: Context): Duration | null {
  const parsed = parseDuration(text);
  if (parsed.ok) return parsed.duration;
  problems.push(error(parsed.code, path, parsed.message));
  return null;
}

/** The event that a document names; null where there is none of that name, and a problem says so. */
export function eventPart(name: string, path: string, { problems }: Context): EventType | null {
  if (isEventType(name)) return name;
  problems.push(
    error("event_unknown", path, `There is no event "${name}"${didYouMean(name, Object.keys(eventTypes))}`),
  );
  return null;
}
