import { type Refusal, refuse } from "../../model/command.ts";
import { membersOf } from "../../model/json.ts";
import { pointer } from "../../template/problem.ts";
import { isInstant } from "../../time/instant.ts";
import type { parameterTypes, WorkflowDocument } from "../../workflow/document.ts";

type ParameterType = (typeof parameterTypes)[number];

/** What a value of each type of input is, and how that is said. */
const types: Readonly<Record<ParameterType, { readonly says: string; fits(value: unknown): boolean }>> = {
  text: { says: "a text", fits: (value) => typeof value === "string" },
  number: { says: "a number", fits: (value) => typeof value === "number" && Number.isFinite(value) },
  boolean: { says: "true or false", fits: (value) => typeof value === "boolean" },
  instant: { says: "an instant such as 2026-11-20T17:00:00.000Z", fits: isInstant },
  list: { says: "a list", fits: Array.isArray },
  object: {
    says: "an object",
    fits: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  },
  any: { says: "anything", fits: () => true },
};

/** Why a run may not start with these inputs, or null. One that is not required may be null, and is then as not given. */
export function inputsProblem(
  declared: WorkflowDocument["inputs"] = {},
  given: { readonly [name: string]: unknown } = {},
): Refusal | null {
  for (const [name, { type, required }] of membersOf(declared)) {
    const value = Object.hasOwn(given, name) ? (given[name] ?? null) : null;
    const path = pointer("/inputs", name);
    if (value === null && required === true)
      return refuse("invalid", "input_missing", `The workflow needs the input ${name}`, path);
    if (value !== null && !types[type].fits(value))
      return refuse("invalid", "input_type", `The input ${name} takes ${types[type].says}`, path);
  }
  for (const [name] of membersOf(given)) {
    if (!Object.hasOwn(declared, name))
      return refuse("invalid", "input_unknown", `The workflow has no input ${name}`, pointer("/inputs", name));
  }
  return null;
}
