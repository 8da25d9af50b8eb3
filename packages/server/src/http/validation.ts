import type { FastifySchemaCompiler } from "fastify";
import type { TSchema } from "typebox";
import Compile from "typebox/compile";
import { Value } from "typebox/value";
import type { ProblemItem } from "./problems.ts";

/** What of a request did not fit its schema. Fastify calls its `part` httpPart. */
export class InvalidRequest extends Error {
  readonly part: string;
  readonly items: readonly ProblemItem[];
  constructor(part: string, items: readonly ProblemItem[]) {
    super("The request does not fit its schema");
    this.part = part;
    this.items = items;
  }
}

/**
 * Fastify's validator: the schemas are checked by TypeBox, as the core checks them. A query is text, so its values are
 * turned into what the schema asks for; a body is taken as it is. Nothing is removed and nothing filled in.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const part = httpPart ?? "body";
  // headers are in the reference for people to read; what matters of them is checked where it is used
  if (part === "headers") return () => true;
  const validator = Compile(schema);
  return (value: unknown) => {
    const given = part === "body" ? value : Value.Convert(schema, value);
    if (validator.Check(given)) return { value: given };
    return { error: new InvalidRequest(part, itemsOf(validator.Errors(given))) };
  };
};

/** One complaint of TypeBox, in the form that Ajv gave to the world. */
interface Mismatch {
  readonly keyword: string;
  readonly schemaPath: string;
  readonly instancePath: string;
  readonly params: object;
  readonly message: string;
}

/** Complaints as people need them: each with its path, a union's as one, unknown fields by their names. */
export function itemsOf(mismatches: readonly Mismatch[]): ProblemItem[] {
  const items: ProblemItem[] = [];
  const unions = new Map<string, Mismatch[]>();
  for (const one of mismatches) {
    const union = /^(.*?)\/anyOf\/\d+/.exec(one.schemaPath)?.[1];
    if (union !== undefined)
      unions.set(`${union} ${one.instancePath}`, [...(unions.get(`${union} ${one.instancePath}`) ?? []), one]);
    else if (one.keyword !== "anyOf") items.push(...itemOf(one));
  }
  for (const branches of unions.values()) items.push(unionItem(branches));
  return items;
}

function itemOf({ keyword, schemaPath, instancePath: path, params, message }: Mismatch): ProblemItem[] {
  if (keyword === "boolean" && schemaPath.endsWith("/additionalProperties")) {
    return [{ code: "unknown_field", path, message: "There is no such field" }];
  }
  // TypeBox names the same fields once more, one by one
  if (keyword === "additionalProperties") return [];
  if (keyword === "required") {
    const { requiredProperties = [] } = params as { readonly requiredProperties?: readonly string[] };
    return requiredProperties.map((name) => ({
      code: "missing_field",
      path: `${path}/${name}`,
      message: "The field is missing",
    }));
  }
  return [{ code: "invalid_value", path, message }];
}

function unionItem(branches: readonly Mismatch[]): ProblemItem {
  const path = branches[0]?.instancePath ?? "";
  const words = branches.flatMap(({ keyword, params }) =>
    keyword === "const" ? [JSON.stringify((params as { readonly allowedValue?: unknown }).allowedValue)] : [],
  );
  if (words.length > 0) return { code: "invalid_value", path, message: `must be one of ${words.join(", ")}` };
  return { code: "invalid_value", path, message: [...new Set(branches.map(({ message }) => message))].join(" or ") };
}
