import { definitionProblem, settingsSchemas, type PropertyDefinition } from "@threadmill/core";
import { Type } from "typebox";
import { resource } from "../settings/resource.ts";

const { noun, type, options, label, description, group, position, rules } = settingsSchemas.properties.properties;
/** A name that documents can write without brackets. */
export const propertyName = /^[A-Za-z][A-Za-z0-9_]{0,99}$/;
const name = Type.String({
  pattern: propertyName.source,
  description: "as documents and templates write it",
});

/** What people may change of a definition; its name and type stay, as values and documents rest on them. */
const view = { label, description, group, position, options, rules };

/** What a definition has where nothing is given. */
export const propertyDefaults = {
  label: null,
  description: null,
  group: null,
  position: 0,
  options: [],
  rules: {},
} as const satisfies Partial<PropertyDefinition>;

/** Definitions of customers' and conversations' properties: their types, how people see them, and what values they take. */
export const properties = resource<PropertyDefinition>({
  noun: "property",
  plural: "properties",
  shape: Type.Object(settingsSchemas.properties.properties, { title: "PropertyDefinition" }),
  create: { noun, name, type, ...view },
  update: view,
  defaults: propertyDefaults,
  unique: ["noun", "name"],
  json: ["rules"],
  slugged: false,
  check: definitionProblem,
});
