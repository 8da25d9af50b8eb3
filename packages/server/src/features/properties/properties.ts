import { refuse, settingsSchemas, type PropertyDefinition } from "@threadmill/core";
import { Type } from "typebox";
import { resource } from "../settings/resource.ts";

const { noun, type, options } = settingsSchemas.properties.properties;
const name = Type.String({
  pattern: "^[A-Za-z][A-Za-z0-9_]{0,99}$",
  description: "as documents and templates write it",
});

/** Definitions of customers' and conversations' properties: their types, and the choices of those that have some. */
export const properties = resource<PropertyDefinition>({
  noun: "property",
  plural: "properties",
  shape: Type.Object(settingsSchemas.properties.properties, { title: "PropertyDefinition" }),
  create: { noun, name, type, options },
  update: { options },
  defaults: { options: [] },
  unique: ["noun", "name"],
  json: [],
  slugged: false,
  check(row) {
    const { options } = row;
    if (row.type !== "choice") {
      return options.length === 0
        ? null
        : refuse("invalid", "options_unexpected", "Only a property of type choice has options", "/options");
    }
    if (options.length === 0) return refuse("invalid", "options_missing", "A choice needs options", "/options");
    return new Set(options).size === options.length
      ? null
      : refuse("invalid", "option_twice", "An option is named twice", "/options");
  },
});
