import {
  commands,
  ConditionSchema,
  eventTypes as eventTable,
  operatorNames,
  WorkflowDocumentSchema,
} from "@threadmill/core";
import fc from "fast-check";
import { hostileText, hostileValue } from "./hostile.ts";
import type { World } from "./world.ts";

/** What of JSON Schema the routes use. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema | readonly JsonSchema[];
  readonly prefixItems?: readonly JsonSchema[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly description?: string;
}

/** Where a value stands: what it is called there, and what noun its route is about. */
interface Spot {
  readonly name: string;
  readonly noun: string;
  readonly level: number;
  readonly defs: Readonly<Record<string, JsonSchema>>;
}

/** Makes values that fit a schema, of ids and names of the world, so that they are taken for what they say. */
export function valuesOf(schema: JsonSchema, name: string, noun: string, world: World): fc.Arbitrary<unknown> {
  return valueAt(schema, { name, noun, level: 0, defs: {} }, world);
}

function valueAt(schema: JsonSchema, spot: Spot, world: World): fc.Arbitrary<unknown> {
  const here = schema.$defs === undefined ? spot : { ...spot, defs: { ...spot.defs, ...schema.$defs } };
  if (schema.$ref !== undefined) return referred(schema.$ref, here, world);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches !== undefined) return fc.oneof(...branches.map((one) => valueAt(one, here, world)));
  if (schema.allOf !== undefined) return valueAt(Object.assign({}, ...schema.allOf) as JsonSchema, here, world);
  const [type] = typeof schema.type === "string" ? [schema.type] : (schema.type ?? []);
  switch (type) {
    case "object":
      return objectAt(schema, here, world);
    case "array":
      return arrayAt(schema, here, world);
    case "string":
      return textAt(schema, here, world);
    case "integer":
    case "number":
      return numberAt(schema, type);
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    default:
      return openAt(here, world);
  }
}

/** What refers to itself is made anew where it is needed, and comes to an end. */
function referred(name: string, spot: Spot, world: World): fc.Arbitrary<unknown> {
  const schema = spot.defs[name.replace(/^#(\/\$defs\/)?/, "")];
  if (schema === undefined || spot.level > 4) return fc.constant({ field: "customer.city", op: "is", value: "x" });
  return valueAt(schema, { ...spot, level: spot.level + 1 }, world);
}

function objectAt(schema: JsonSchema, spot: Spot, world: World): fc.Arbitrary<unknown> {
  const named = Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([name, one]) => [name, valueAt(one, { ...spot, name }, world)]),
  );
  const required = (schema.required ?? []).filter((name) => name in named);
  const optional = Object.keys(named).filter((name) => !required.includes(name));
  const whole = fc.record(named, { requiredKeys: required });
  // the more fields there are, the sooner one of them is refused: mostly it is few
  const chosen = fc.subarray(optional, { maxLength: Math.min(2, optional.length) });
  const few = fc
    .tuple(fc.record(named), chosen)
    .map(([all, keep]) =>
      Object.fromEntries(Object.entries(all).filter(([name]) => required.includes(name) || keep.includes(name))),
    );
  const fixed: fc.Arbitrary<object> = fc.oneof({ weight: 3, arbitrary: few }, { weight: 1, arbitrary: whole });
  const [open] = Object.values(schema.patternProperties ?? {});
  const rest = open ?? (typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined);
  if (rest === undefined) return fixed;
  const more = fc.dictionary(
    fc.oneof(
      fc.constantFrom("a", "plan", "mon", "user", "text", "step_1"),
      fc.nat().map((n) => world.name(n)),
    ),
    valueAt(rest, spot, world),
    { maxKeys: 3 },
  );
  return fc.tuple(fixed, more).map(([one, two]) => ({ ...two, ...one }));
}

function arrayAt(schema: JsonSchema, spot: Spot, world: World): fc.Arbitrary<unknown> {
  const tuple = schema.prefixItems ?? (Array.isArray(schema.items) ? (schema.items as JsonSchema[]) : undefined);
  if (tuple !== undefined) return fc.tuple(...tuple.map((one) => valueAt(one, spot, world)));
  const items = valueAt((schema.items as JsonSchema | undefined) ?? {}, spot, world);
  const minLength = Math.min(schema.minItems ?? 0, 20);
  return fc.array(items, { minLength, maxLength: Math.max(minLength, Math.min(schema.maxItems ?? 3, 3)) });
}

function numberAt(schema: JsonSchema, type: "integer" | "number"): fc.Arbitrary<unknown> {
  const min = schema.minimum ?? -(2 ** 40);
  const max = schema.maximum ?? 2 ** 40;
  const edges = fc.constantFrom(min, max);
  const small = fc.integer({ min: Math.ceil(Math.max(min, 0)), max: Math.floor(Math.min(max, Math.max(min, 0) + 10)) });
  return type === "integer"
    ? fc.oneof(edges, small, fc.integer({ min: Math.ceil(min), max: Math.floor(max) }))
    : fc.oneof(edges, small, fc.double({ min, max, noNaN: true }));
}

const commandNames = [...commands.keys()];
const eventTypes = Object.keys(eventTable);
const zones = ["UTC", "America/New_York", "Asia/Kathmandu", "Antarctica/Troll", "America/Sao_Paulo"];

/** Words that make sense under a name, where the schema alone does not say. */
const words: Readonly<Record<string, readonly string[]>> = {
  zone: zones,
  timezone: zones,
  phone: ["+14155550100", "+14155550101", "(415) 555-0102", "+4915112345678"],
  email: ["ada@example.com", "Bob+1@Example.com", "ä@exämple.com"],
  from: ["+14155550100", "ada", "ada@example.com", "2026-11-21T10:00:00.000Z"],
  recipient: ["+14155550100"],
  external_id: ["e1", "e2", "E2"],
  locale: ["en", "de-CH", "pt-BR"],
  country: ["US", "DE"],
  command: commandNames,
  type: [...eventTypes, ...commandNames],
  event: eventTypes,
  trigger: eventTypes,
  action: commandNames,
  op: operatorNames,
  content_type: ["image/png", "text/plain"],
  url: ["https://example.com/a.png", "http://10.0.0.1/"],
  picture_url: ["https://example.com/a.png"],
  since: ["2026-11-21T10:00:00.000Z", "2020-01-01T00:00:00.000Z"],
  folder: ["all", "unassigned", "mine", "waiting", "snoozed"],
  tag: ["t", "vip"],
  tags: ["t", "vip", "Ünïcode tag"],
};

/** Fields that name more of what the route is about. */
const ownNoun = new Set(["id", "ids", "into", "subject", "customers"]);

function textAt(schema: JsonSchema, spot: Spot, world: World): fc.Arbitrary<unknown> {
  const { name } = spot;
  if (schema.format === "uuid" || schema.pattern === "^[0-9a-f-]*$")
    return fc.tuple(fc.nat(), fc.nat(99)).map(([n, luck]) => world.id(ownNoun.has(name) ? spot.noun : name, n, luck));
  if (schema.format === "date-time")
    return fc
      .integer({ min: Date.parse("2020-01-01"), max: Date.parse("2035-01-01") })
      .map((ms) => new Date(ms).toISOString());
  const { minLength = 0, maxLength = 200 } = schema;
  const plain = fc.string({ minLength, maxLength: Math.max(minLength, Math.min(maxLength, 24)) });
  const fit = hostileText.map((text) => text.slice(0, maxLength).padEnd(minLength, "x"));
  const known: fc.Arbitrary<string>[] = [];
  const list = words[name];
  if (list !== undefined) known.push(fc.constantFrom(...list));
  if (name === "field" || name === "ref") known.push(fc.nat().map((n) => world.field(n)));
  if (name === "filter") known.push(conditions(world).map((one) => JSON.stringify(one)));
  if (name === "cursor") return fc.tuple(fc.nat(), fc.nat(99)).map(([n, luck]) => world.cursor(n, luck));
  if (name === "name" || name === "slug") known.push(fc.nat().map((n) => world.name(n)));
  // ids stand where the schema says "id or short name", and in the text that is searched
  known.push(
    fc.tuple(fc.nat(), fc.nat(99)).map(([n, luck]) => world.id(ownNoun.has(name) ? spot.noun : name, n, luck)),
  );
  if (schema.pattern !== undefined) known.push(ofPattern(schema.pattern));
  return fc.oneof(
    { weight: 6, arbitrary: fc.oneof(...known) },
    { weight: 2, arbitrary: plain },
    { weight: 1, arbitrary: fit },
  );
}

function ofPattern(pattern: string): fc.Arbitrary<string> {
  try {
    return fc.stringMatching(new RegExp(pattern, "u"), { size: "small" });
  } catch {
    // a form that the generator does not know: the words of its name must do
    return fc.constant("x");
  }
}

/** What the schema leaves open is read by the core: documents and conditions of its own schemas, and anything at all. */
function openAt(spot: Spot, world: World): fc.Arbitrary<unknown> {
  if (spot.level > 2) return fc.constantFrom("x", 1, null, true);
  const deeper = { ...spot, level: spot.level + 3 };
  if (["filter", "condition", "when"].includes(spot.name))
    return fc.oneof({ weight: 4, arbitrary: conditions(world) }, { weight: 1, arbitrary: hostileValue });
  return fc.oneof(
    textAt({ type: "string" }, deeper, world),
    fc.constantFrom<unknown>("vip", 3, true, null, ["a"], "2026-11-21T10:00:00.000Z", "{{ customer.first_name }}"),
    hostileValue,
  );
}

/** Makes something once for a world: the core's schemas are large, and many routes take them. */
function once(make: (world: World) => fc.Arbitrary<unknown>): (world: World) => fc.Arbitrary<unknown> {
  const made = new WeakMap<World, fc.Arbitrary<unknown>>();
  return (world) => {
    const known = made.get(world) ?? make(world);
    made.set(world, known);
    return known;
  };
}

/** Conditions, by the core's own schema: the routes' leave them open. */
export const conditions = once((world) =>
  valueAt(ConditionSchema as unknown as JsonSchema, { name: "value", noun: "", level: 0, defs: {} }, world),
);

/** Workflow documents, by the core's own schema. */
export const documents = once((world) =>
  fc.oneof(
    { weight: 1, arbitrary: valuesOf(WorkflowDocumentSchema as unknown as JsonSchema, "document", "", world) },
    { weight: 3, arbitrary: soundDocuments(world, conditions(world)) },
  ),
);

/** Documents whose steps lead to one another and whose actions have inputs that fit. */
function soundDocuments(world: World, when: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const next = fc.constantFrom("s1", "s2", "s3", null);
  const actions = [...commands.values()].filter((one) => one.action);
  const steps = fc.oneof(
    ...actions.map((one) =>
      fc.record({
        action: fc.constant(one.type),
        input: valuesOf(one.input as unknown as JsonSchema, "input", "", world),
        next,
      }),
    ),
    fc.record({ branch: fc.array(fc.record({ when, next }), { minLength: 1, maxLength: 2 }), next }),
    fc.record({ wait: fc.record({ for: fc.constantFrom("1h", "PT1S", "1d", "100000d", "0s") }), next }),
    fc.constant({ stop: true }),
  );
  const triggers = fc.array(fc.record({ event: fc.constantFrom(...eventTypes), when }, { requiredKeys: ["event"] }), {
    minLength: 1,
    maxLength: 2,
  });
  return fc.oneof(
    fc.record({
      name: fc.constant("W"),
      kind: fc.constant("automatic"),
      triggers,
      start: fc.constant("s1"),
      steps: fc.record({ s1: steps, s2: steps, s3: steps }),
    }),
    fc.record({
      name: fc.constant("M"),
      kind: fc.constantFrom("manual", "callable"),
      start: fc.constant("s1"),
      steps: fc.record({ s1: steps, s2: steps, s3: steps }),
    }),
  );
}
