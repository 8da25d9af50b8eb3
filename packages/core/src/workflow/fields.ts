import type { TSchema } from "typebox";
import type { FieldType } from "../condition/operator.ts";
import type { SettingsIndex } from "../domain/settings-index.ts";
import type { PropertyDefinition } from "../model/settings.ts";
import { type Reader, rootNamed } from "../run/roots.ts";
import { parsePath, type Path } from "../template/path.ts";

/** The fields of a root by name, as a reader sees them; undefined where nothing is known of them. */
export function fieldsOf(
  root: string | number,
  reader: Reader = "event",
): Readonly<Record<string, TSchema>> | undefined {
  const named = rootNamed(root);
  return ((reader === "step" ? named?.inSteps : undefined) ?? named?.schema)?.properties;
}

/** The type of a property's values. */
export const propertyFieldTypes: Readonly<Record<PropertyDefinition["type"], FieldType>> = {
  text: "text",
  long_text: "text",
  number: "number",
  boolean: "boolean",
  date: "date",
  instant: "date",
  choice: "text",
  choices: "list",
  list: "list",
  link: "text",
};

/** Whether a path names a field that its root does not have. Of some roots nothing is known. */
export function isUnknownField([root, field]: Path, reader?: Reader): boolean {
  const fields = fieldsOf(root as string, reader);
  return fields !== undefined && typeof field === "string" && !Object.hasOwn(fields, field);
}

/** The type of a field where a row's schema or a property's definition tells it. */
export function fieldTypes(settings: SettingsIndex | null): (path: string) => FieldType | undefined {
  return (text) => {
    const path = parsePath(text) as Path; // it comes from a compiled condition
    const [root, field, name] = path;
    const fields = fieldsOf(root as string);
    if (fields === undefined || isUnknownField(path)) return undefined;
    if (field === "properties") {
      const defined = settings?.property(root as PropertyDefinition["noun"], String(name));
      return defined && path.length === 3 ? propertyFieldTypes[defined.type] : undefined;
    }
    return path.length === 2 && typeof field === "string" ? typeOf(fields[field] as TSchema) : undefined;
  };
}

/** What a builder offers for a value that a schema describes; see `fieldTypes`. Undefined: it holds an object, or anything. */
export const typeOfSchema = (schema: TSchema): FieldType | undefined => typeOf(schema);

interface Described {
  readonly type?: string;
  readonly format?: string;
  readonly anyOf?: readonly Described[];
}

/** Undefined where a field holds an object, or anything. */
function typeOf(schema: Described): FieldType | undefined {
  const { format, type, anyOf } = schema;
  // null beside the type says only that it may be missing
  if (anyOf !== undefined) return typeOf(anyOf[0] as Described);
  if (format === "uuid") return "id";
  if (format === "date-time") return "date";
  if (type === "integer") return "number";
  if (type === "array") return "list";
  if (type === "object" || (type === undefined && !("const" in schema))) return undefined;
  return type === "boolean" ? "boolean" : "text";
}
