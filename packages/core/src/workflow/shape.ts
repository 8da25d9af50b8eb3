import { storable } from "../text/unicode.ts";
import {
  documentLimits,
  documentShellSchema,
  type StepDocument,
  stepSchemas,
  type TriggerDocument,
  triggerSchemas,
  type WorkflowDocument,
} from "./document.ts";
import { error, pointer, type Problem } from "./problem.ts";
import { isObject, type Mismatch, objectMismatches } from "./schema-check.ts";

/** What of a document has the right shape, so that one fault does not hide the others. */
export interface Shape {
  readonly problems: readonly Problem[];
  /** the fields outside triggers and steps that are sound */
  readonly head: Partial<Omit<WorkflowDocument, "triggers" | "steps">>;
  /** the sound triggers, and where they stand */
  readonly triggers: readonly { readonly index: number; readonly trigger: TriggerDocument }[];
  /** the sound steps */
  readonly steps: ReadonlyMap<string, StepDocument>;
  /** all step ids, of sound steps and others */
  readonly ids: ReadonlySet<string>;
}

const codes = { unknown: "unknown_field", missing: "missing_field", invalid: "invalid_value" } as const;
const asProblem = ({ kind, path, message }: Mismatch): Problem => error(codes[kind], path, message);
const nothing = { head: {}, triggers: [], steps: new Map(), ids: new Set<string>() };

/** Checks a document's size and shape. Takes any JSON. */
export function shapeOf(json: unknown): Shape {
  const unfit = sizeProblem(json);
  if (unfit !== null) return { ...nothing, problems: [unfit] };
  const outer = objectMismatches(documentShellSchema, json, "").map(asProblem);
  if (!isObject(json)) return { ...nothing, problems: outer };
  const faulty = new Set(outer.map((problem) => problem.path.split("/")[1]));
  const problems = [...outer];
  const sound = (path: string, part: unknown, schemas: typeof triggerSchemas | typeof stepSchemas): boolean => {
    const found = partProblems(path, part, schemas);
    problems.push(...found);
    return found.length === 0;
  };
  const triggers = (faulty.has("triggers") ? [] : ((json.triggers ?? []) as TriggerDocument[]))
    .map((trigger, index) => ({ index, trigger }))
    .filter(({ trigger, index }) => sound(`/triggers/${index}`, trigger, triggerSchemas));
  const entries = faulty.has("steps") ? [] : Object.entries(json.steps as WorkflowDocument["steps"]);
  const ids = entries.map(([id]) => id);
  for (const id of ids.filter((one) => !isStepId(one))) {
    problems.push(
      error("step_id_invalid", pointer("/steps", id), "A step's id has 1 to 100 characters and is not __proto__"),
    );
  }
  const steps = new Map(entries.filter(([id, step]) => sound(pointer("/steps", id), step, stepSchemas)));
  const head = Object.fromEntries(
    Object.entries(json).filter(([name]) => name !== "triggers" && name !== "steps" && !faulty.has(name)),
  );
  return { problems, head, triggers, steps, ids: new Set(ids) };
}

/** Step results are kept by step id, and this one name would be no plain field of theirs. */
const isStepId = (id: string): boolean => id.length > 0 && id.length <= 100 && id !== "__proto__";

/** A trigger or step is told by the one field that names its kind; then it is held against that kind's schema. */
function partProblems(path: string, part: unknown, schemas: typeof triggerSchemas | typeof stepSchemas): Problem[] {
  const kinds = Object.keys(schemas);
  const kind = isObject(part) ? kinds.find((name) => Object.hasOwn(part, name)) : undefined;
  if (kind === undefined) return [error("kind_unknown", path, `There must be one of ${kinds.join(", ")}`)];
  return objectMismatches(schemas[kind as never], part, path).map(asProblem);
}

/** Whether the whole is too large, too deep, or holds texts that no database keeps. */
function sizeProblem(json: unknown): Problem | null {
  const open: { readonly value: unknown; readonly path: string; readonly depth: number }[] = [
    { value: json, path: "", depth: 0 },
  ];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const { value, path, depth } = node;
    if (typeof value === "string" && !isStorable(value))
      return error("text_invalid", path, "The text holds a character that cannot be kept");
    if (typeof value !== "object" || value === null) continue;
    if (depth === documentLimits.depth)
      return error("document_too_deep", "", `A document has at most ${documentLimits.depth} levels`);
    for (const [key, item] of Object.entries(value)) {
      if (!isStorable(key)) return error("text_invalid", path, "A name holds a character that cannot be kept");
      open.push({ value: item, path: pointer(path, key), depth: depth + 1 });
    }
  }
  const bytes = new TextEncoder().encode(JSON.stringify(json)).length;
  if (bytes <= documentLimits.bytes) return null;
  return error(
    "document_too_large",
    "",
    `A document has at most ${documentLimits.bytes / 1024} KiB; this one has ${Math.ceil(bytes / 1024)}`,
  );
}

const isStorable = (text: string): boolean => storable(text) === text;
