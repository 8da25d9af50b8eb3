import type { TObject, TSchema } from "typebox";
import Compile, { type Validator } from "typebox/compile";
import { didYouMean } from "../text/nearest.ts";
import { pointer } from "../template/problem.ts";

/** Where and how a value does not fit its schema; `path` is a JSON pointer. */
export interface Mismatch {
  readonly kind: "unknown" | "missing" | "invalid";
  readonly path: string;
  readonly message: string;
}

// compiled at first use and kept with the schema, of which there are few
const validators = new WeakMap<TSchema, Validator>();
type SchemaError = ReturnType<Validator["Errors"]>[number];

/**
 * What of an object does not fit its schema. Each field is checked on its own: the checker gives up after a few
 * errors, and an author wants to hear of all.
 */
export function objectMismatches(schema: TObject, value: unknown, path: string): Mismatch[] {
  if (!isObject(value)) return [{ kind: "invalid", path, message: "must be object" }];
  const missing = (schema.required ?? [])
    .filter((name) => !Object.hasOwn(value, name))
    .map((name) => absent(path, name));
  const fields = Object.entries(value).flatMap(([name, item]) => {
    const at = pointer(path, name);
    if (Object.hasOwn(schema.properties, name)) return mismatches(schema.properties[name] as TSchema, item, at);
    return schema["additionalProperties" as never] === false ? [unknown(at, name, Object.keys(schema.properties))] : [];
  });
  return [...missing, ...fields];
}

/** What of a value does not fit its schema, one mismatch a place. */
export function mismatches(schema: TSchema, value: unknown, path: string): Mismatch[] {
  let validator = validators.get(schema);
  if (validator === undefined) validators.set(schema, (validator = Compile(schema)));
  if (validator.Check(value)) return [];
  const found = new Map<string, Mismatch>();
  for (const mismatch of simplify(validator.Errors(value)).flatMap((one) => translate(one, path))) {
    if (!found.has(mismatch.path)) found.set(mismatch.path, mismatch);
  }
  return [...found.values()];
}

/** Whether something is a JSON object. */
export const isObject = (value: unknown): value is { readonly [name: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const absent = (path: string, name: string): Mismatch => ({
  kind: "missing",
  path: pointer(path, name),
  message: "is missing",
});
const unknown = (path: string, name?: string, known: readonly string[] = []): Mismatch => ({
  kind: "unknown",
  path,
  message: `There is no such field${didYouMean(name, known)}`,
});

/**
 * A value that fits none of several shapes yields the errors of all of them. Where some lie deeper than the value, its
 * author most likely meant that shape and they say more; else one sentence names what it may be.
 */
function simplify(errors: readonly SchemaError[]): SchemaError[] {
  let left = [...errors];
  for (const union of errors.filter((one) => one.keyword === "anyOf")) {
    const inside = (one: SchemaError) => one.schemaPath.startsWith(`${union.schemaPath}/anyOf/`);
    const deeper = left.filter((one) => inside(one) && one.instancePath.length > union.instancePath.length);
    const choices = left.filter((one) => inside(one) && one.instancePath === union.instancePath).map(choice);
    left = left.filter((one) => !inside(one) && one !== union).concat(deeper);
    if (deeper.length === 0) left.push({ ...union, message: `must be ${[...new Set(choices)].join(" or ")}` });
  }
  return left;
}

function choice(one: SchemaError): string {
  return one.keyword === "const" ? JSON.stringify(one.params.allowedValue) : one.message.replace(/^must (be )?/, "");
}

function translate(one: SchemaError, base: string): Mismatch[] {
  const path = base + one.instancePath;
  switch (one.keyword) {
    case "boolean":
      return [unknown(path)];
    case "additionalProperties":
      return []; // said once more for each field, as `boolean`
    case "required":
      return one.params.requiredProperties.map((name) => absent(path, name));
    case "const":
      return [{ kind: "invalid", path, message: "is none of the words that may stand here" }];
    default:
      return [{ kind: "invalid", path, message: one.message }];
  }
}
