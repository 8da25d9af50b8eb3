import type { TSchema } from "typebox";
import type { FieldType } from "../condition/operator.ts";
import type { SettingsIndex } from "../domain/settings-index.ts";
import { ConversationSchema } from "../model/conversation.ts";
import { CustomerSchema } from "../model/customer.ts";
import { MessageSchema } from "../model/message.ts";
import type { PropertyDefinition } from "../model/settings.ts";
import { parsePath, type Path } from "../template/path.ts";

/** The rows whose fields are known by name, by the root under which a document reads them. */
const rows: Readonly<Record<string, Readonly<Record<string, TSchema>>>> = {
  conversation: ConversationSchema.properties,
  customer: CustomerSchema.properties,
  message: MessageSchema.properties,
};

const propertyTypes: Readonly<Record<PropertyDefinition["type"], FieldType>> = {
  text: "text",
  number: "number",
  boolean: "boolean",
  date: "date",
  list: "list",
  choice: "text",
};

/** Whether a path names a field that its row does not have. Of other roots nothing is known. */
export function isUnknownField([root, field]: Path): boolean {
  const row = Object.hasOwn(rows, root as string) ? rows[root as string] : undefined;
  return row !== undefined && typeof field === "string" && !Object.hasOwn(row, field);
}

/** The type of a field where a row's schema or a property's definition tells it. */
export function fieldTypes(settings: SettingsIndex | null): (path: string) => FieldType | undefined {
  return (text) => {
    const path = parsePath(text) as Path; // it comes from a compiled condition
    const [root, field, name] = path;
    if (isUnknownField(path) || !Object.hasOwn(rows, root as string)) return undefined;
    if (field === "properties") {
      const defined = settings?.property(root as PropertyDefinition["noun"], String(name));
      return defined && path.length === 3 ? propertyTypes[defined.type] : undefined;
    }
    return path.length === 2 ? typeOf(rows[root as string]?.[field as string] as TSchema) : undefined;
  };
}

interface Described {
  readonly type?: string;
  readonly format?: string;
  readonly anyOf?: readonly Described[];
}

function typeOf(schema: Described): FieldType {
  const { format, type, anyOf } = schema;
  // null beside the type says only that it may be missing
  if (anyOf !== undefined) return typeOf(anyOf[0] as Described);
  if (format === "uuid") return "id";
  if (format === "date-time") return "date";
  if (type === "integer") return "number";
  if (type === "array") return "list";
  return type === "boolean" ? "boolean" : "text";
}
