import type { TSchema } from "typebox";
import { hasChanges } from "../condition/left-side.ts";
import type { FieldType } from "../condition/operator.ts";
import { type OperatorName, operatorNames, operators } from "../condition/operators.ts";
import { EventDataSchema } from "../model/event.ts";
import { eventTypes, isEventType } from "../domain/events.ts";
import type { SettingsIndex } from "../domain/settings-index.ts";
import type { Json } from "../model/common.ts";
import { calendarFields, type Root, rootNamed, rootNames } from "../run/roots.ts";
import { formatPath, type Path } from "../template/path.ts";
import type { parameterTypes, TriggerDocument, WorkflowDocument } from "./document.ts";
import { fieldsOf, propertyFieldTypes, typeOfSchema } from "./fields.ts";
import { type Place, stepPlace, triggerPlace } from "./reads.ts";
import { type SettingsReference, settingsNounOf } from "./references.ts";
import { anchorNamed, knows } from "./subjects.ts";

/** One thing that a condition can ask for, and a text can show, where somebody builds a workflow. */
export interface Attribute {
  /** as conditions, texts and references name it: `customer.properties.plan` */
  readonly path: string;
  readonly label: string;
  /** what it belongs to, in words: "Customer" */
  readonly group: string;
  /** null where nothing is known of what it holds: a step's output, a list of objects' parts */
  readonly type: FieldType | null;
  /** those that fit it here, in the order in which a builder lists them */
  readonly operators: readonly OperatorName[];
  /** the only values there are; null where it may hold others */
  readonly choices: readonly Json[] | null;
  /** the settings that its values are the ids of; null for none */
  readonly refers_to: SettingsReference | null;
  /** whether reading it may take a look into the database: it is loaded when it is first read */
  readonly lazy: boolean;
}

/** Where something is to be read. */
export type Vantage =
  /** the condition of one trigger */
  | { readonly trigger: TriggerDocument }
  /** a step of a workflow with these triggers; a workflow that others start has none */
  | {
      readonly triggers: readonly TriggerDocument[];
      readonly inputs?: WorkflowDocument["inputs"];
      readonly steps?: readonly string[];
    };

/**
 * A trigger by the name of its event, or of the instant that a time trigger counts from (`conversation.waiting_since`);
 * null where there is none of that name.
 */
export function triggerNamed(name: string): TriggerDocument | null {
  if (isEventType(name)) return { event: name };
  return anchorNamed(name) === null ? null : { time: { since: name, for: "1m" } };
}

/**
 * Everything that can be named from some place in a workflow, by the table of roots: the nouns' fields by their schemas,
 * the organization's own properties and calendars, and what the trigger's event brings. What is not listed is refused by
 * validation there, save what lies deeper within a field of no known type.
 */
export function attributesAt(vantage: Vantage, settings: SettingsIndex): readonly Attribute[] {
  const place =
    "trigger" in vantage
      ? triggerPlace(vantage.trigger)
      : stepPlace(new Set(vantage.steps), new Set(Object.keys(vantage.inputs ?? {})));
  // what none of its triggers brings is there, but empty; a workflow that others start may be about anything
  const triggers = "trigger" in vantage ? [] : vantage.triggers;
  const isBrought = ({ from }: Root): boolean =>
    from === null || triggers.length === 0 || knows(triggers, from) !== "never";
  return rootNames
    .filter((name) => place.roots.has(name) && isBrought(rootNamed(name) as Root))
    .flatMap((name) => {
      const about: About = { place, settings, root: rootNamed(name) as Root };
      if (name === "calendar") return ofCalendars(about);
      if (name === "now") return [attribute(about, ["now"], { type: "date", label: about.root.label })];
      if (name === "inputs") return ofInputs(about, "trigger" in vantage ? undefined : vantage.inputs);
      if (name === "steps")
        return [...(place.run?.steps ?? [])].map((id) => attribute(about, ["steps", id], { label: id }));
      const fields = fieldsOf(name, place.run === null ? "event" : "step") ?? {};
      return Object.entries(fields).flatMap(([field, schema]) => ofField(about, [name, field], schema));
    });
}

interface About {
  readonly place: Place;
  readonly settings: SettingsIndex;
  readonly root: Root;
}

/** The loose view of JSON Schema that walking one takes. */
interface Walked {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, TSchema>>;
  readonly anyOf?: readonly (Walked & TSchema)[];
  readonly const?: Json;
}

/** A field, or the parts that it is known to have. */
function ofField(about: About, path: Path, schema: TSchema): Attribute[] {
  const [root, field] = path;
  if (field === "properties" && path.length === 2) return ofProperties(about, path);
  if (root === "event" && field === "data") return ofFacts(about, path);
  // the changes of a row that the event is not about are never there
  if (root === "changes" && path.length === 2 && !about.place.roots.has(String(field))) return [];
  const { properties } = schema as Walked;
  if (properties === undefined) {
    const type = typeOfSchema(schema);
    const noun = type === "id" || type === "list" ? settingsNounOf(nameOf(path)) : null;
    return [attribute(about, path, { type, choices: choicesOf(schema), refers_to: noun })];
  }
  return Object.entries(properties).flatMap(([name, part]) => ofField(about, [...path, name], part));
}

/** The properties that the organization has defined. */
function ofProperties(about: About, path: Path): Attribute[] {
  const noun = path[0];
  return about.settings.all.properties
    .filter((defined) => defined.noun === noun && defined.archived_at === null)
    .toSorted((a, b) => a.position - b.position || (a.name < b.name ? -1 : 1))
    .map((defined) =>
      attribute(about, [...path, defined.name], {
        type: propertyFieldTypes[defined.type],
        label: defined.label ?? defined.name,
        choices: defined.options.length > 0 ? defined.options : null,
      }),
    );
}

/** What the event of the trigger brings beside the rows that it changed. */
function ofFacts(about: About, path: Path): Attribute[] {
  const { event } = about.place;
  const facts = event === null || event === undefined ? [] : (eventTypes[event].facts ?? []);
  return facts.map((fact) =>
    attribute(about, [...path, fact], { type: typeOfSchema(EventDataSchema.properties[fact]) }),
  );
}

const calendarTypes: Readonly<Record<(typeof calendarFields)[number], FieldType>> = {
  id: "id",
  name: "text",
  zone: "text",
  open: "boolean",
};

function ofCalendars(about: About): Attribute[] {
  return about.settings.all.calendars
    .filter((calendar) => calendar.archived_at === null)
    .flatMap(({ slug, name }) =>
      calendarFields.map((field) =>
        attribute(about, ["calendar", slug, field], {
          type: calendarTypes[field],
          label: `${name}: ${words(field)}`,
        }),
      ),
    );
}

/** The type of an input, where one is declared of which it is known. */
const inputTypes: Readonly<Record<(typeof parameterTypes)[number], FieldType | null>> = {
  text: "text",
  number: "number",
  boolean: "boolean",
  instant: "date",
  list: "list",
  object: null,
  any: null,
};

function ofInputs(about: About, inputs: WorkflowDocument["inputs"]): Attribute[] {
  return Object.entries(inputs ?? {}).map(([name, { type }]) =>
    attribute(about, ["inputs", name], { type: inputTypes[type], label: name }),
  );
}

type Known = { readonly [K in "label" | "type" | "choices" | "refers_to"]?: Attribute[K] | undefined };

function attribute({ root, place }: About, path: Path, known: Known): Attribute {
  const type = known.type ?? null;
  const asked = place.changes && hasChanges(path);
  return {
    path: formatPath(path),
    label:
      known.label ??
      path
        .slice(1)
        .map((part) => words(String(part)))
        .join(": "),
    group: root.label,
    type,
    operators: operatorNames.filter((name) => {
      const { fields, over } = operators[name];
      if (over === "change" && !asked) return false;
      // of what may hold anything can be asked what can be asked of everything
      return type === null ? fields.length === operators.is_set.fields.length : fields.includes(type);
    }),
    choices: known.choices ?? null,
    refers_to: known.refers_to ?? null,
    lazy: root.lazy,
  };
}

/** The words of a closed set; null where there is none. What may be missing is no choice. */
function choicesOf(schema: TSchema): readonly Json[] | null {
  const { anyOf, type, const: only } = schema as Walked;
  if (only !== undefined) return [only];
  const branches = (anyOf ?? []).filter((each) => each.type !== "null");
  if (type === "null" || branches.length === 0) return null;
  const found = branches.map(choicesOf);
  return found.every((each) => each !== null) ? found.flat() : null;
}

const nameOf = (path: Path): string => String(path.at(-1));

/** `first_name` as people read it. */
const words = (field: string): string => {
  const text = field.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
};
