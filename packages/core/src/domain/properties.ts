import { Type } from "typebox";
import { countOf, jsonText, membersOf } from "../model/json.ts";
import { type Refusal, refuse } from "../model/command.ts";
import type { Json, Properties } from "../model/common.ts";
import type { PropertyDefinition } from "../model/settings.ts";
import { valueProblem } from "./property-definition.ts";
import type { SettingsIndex } from "./settings-index.ts";

const maxValueBytes = 32_768;
export const maxProperties = 200;

/** The input field that names a property. */
export const PropertyName = Type.String({ minLength: 1, maxLength: 100, description: "name of the property" });

/** Why a property may not get this value, or null. A name that no definition knows may hold anything; null takes it away. */
export function propertyProblem(
  settings: SettingsIndex,
  noun: PropertyDefinition["noun"],
  name: string,
  value: Json,
  path: string,
): Refusal | null {
  // "__proto__" would set an object's prototype in whatever reads the row by plain assignment
  if (name === "" || name.length > 100 || name === "__proto__" || /\p{Cc}/u.test(name)) {
    return refuse(
      "invalid",
      "property_name",
      "A property's name has 1 to 100 characters and no control characters",
      path,
    );
  }
  if (value === null) return null;
  const definition = settings.property(noun, name);
  const problem = definition === null ? null : valueProblem(name, definition, value, path);
  if (problem !== null) return problem;
  if (new TextEncoder().encode(jsonText(value)).length > maxValueBytes) {
    return refuse("invalid", "property_too_large", `A property's value may take ${maxValueBytes} bytes at most`, path);
  }
  return null;
}

/** A property's value, or null; a word that every object knows is no property. */
export const propertyOf = (properties: Properties, name: string): Json =>
  Object.hasOwn(properties, name) ? (properties[name] as Json) : null;

/** The properties with some of them set, or taken away where null. */
export function withProperties(properties: Properties, patch: Properties): Properties {
  const next: Record<string, Json> = { ...properties };
  for (const [name, value] of membersOf(patch)) {
    if (value === null) delete next[name];
    else next[name] = value;
  }
  return next;
}

/** Why these are too many properties, or null. */
export function countProblem(properties: Properties, path: string): Refusal | null {
  return countOf(properties) <= maxProperties
    ? null
    : refuse("limited", "too_many_properties", `There may be ${maxProperties} properties at most`, path);
}
