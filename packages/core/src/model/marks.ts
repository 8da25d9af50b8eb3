import type { TSchema } from "typebox";
import type { Json } from "./common.ts";

/**
 * What a field is, said once, in its schema (DESIGN section 16): `personal` tells something of a customer, and erasing
 * blanks it; `derived` follows from other fields by a rule of ours, to which undo leaves it; `secret` is never shown or
 * logged; `plain` is none of these. A field whose parts differ carries no mark itself: its parts do.
 */
export const marks = ["personal", "derived", "secret", "plain"] as const;
export type Mark = (typeof marks)[number];

/** The keyword under which schemas carry the mark, in the API's reference too. */
const keyword = "x-mark";
const erasedKeyword = "x-erased";

/** A copy with more keywords: schemas are shared, so a mark must not land on all who use one. */
function extended<T extends TSchema>(schema: T, more: Readonly<Record<string, Json>>): T {
  const copy: object = Object.defineProperties({}, Object.getOwnPropertyDescriptors(schema));
  return Object.assign(copy, more) as unknown as T;
}

/** Tells something of a customer. `erased` is what it holds once erased, where its schema does not say it: see `blankOf`. */
export const personal = <T extends TSchema>(schema: T, erased?: Json): T =>
  extended(schema, { [keyword]: "personal", ...(erased !== undefined && { [erasedKeyword]: erased }) });
/** Follows from other fields by a rule of ours. */
export const derived = <T extends TSchema>(schema: T): T => extended(schema, { [keyword]: "derived" });
/** Is never shown or logged. */
export const secret = <T extends TSchema>(schema: T): T => extended(schema, { [keyword]: "secret" });
/** Tells nothing of a customer, is no secret, and is what somebody set. */
export const plain = <T extends TSchema>(schema: T): T => extended(schema, { [keyword]: "plain" });

/** The mark that a schema itself carries; null where its parts do, or where somebody forgot it. */
export function markOf(schema: TSchema): Mark | null {
  return (schema as { readonly [keyword]?: Mark })[keyword] ?? null;
}

/** The loose view of JSON Schema that walking one takes. */
interface Walked {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, TSchema>>;
  readonly required?: readonly string[];
  readonly items?: TSchema;
  readonly anyOf?: readonly TSchema[];
  readonly [erasedKeyword]?: Json;
}

const isNull = (schema: TSchema): boolean => (schema as Walked).type === "null";

/** What a personal field holds once erased: null where it may, else nothing of its kind. */
export function blankOf(schema: TSchema): Json {
  const { type, anyOf, [erasedKeyword]: erased } = schema as Walked;
  if (erased !== undefined) return erased;
  if (anyOf?.some(isNull) === true) return null;
  if (type === "array") return [];
  if (type === "object") return {};
  return type === "string" ? "" : null;
}

/**
 * A value without what is personal in it. Of an object, whole or in part, only fields that the schema knows are kept:
 * what nobody marked could be anything. Personal fields that may be absent go; the others hold their blank.
 */
export function blank(schema: TSchema, value: Json): Json {
  const mark = markOf(schema);
  if (mark !== null) return mark === "personal" ? blankOf(schema) : value;
  if (value === null || typeof value !== "object") return value;
  const { properties, required, items, anyOf } = schema as Walked;
  if (anyOf !== undefined) return blank(anyOf.find((each) => !isNull(each)) as TSchema, value);
  if (items !== undefined) return (value as readonly Json[]).map((item) => blank(items, item));
  const kept: Record<string, Json> = {};
  for (const [name, held] of Object.entries(value as { readonly [name: string]: Json })) {
    const own = Object.hasOwn(properties ?? {}, name) ? properties?.[name] : undefined;
    if (own === undefined || (markOf(own) === "personal" && required?.includes(name) !== true)) continue;
    kept[name] = blank(own, held);
  }
  return kept;
}

/** The fields that carry a mark, with what `of` makes of each. */
export function fieldsMarked<T>(
  schema: TSchema,
  mark: Mark,
  of: (schema: TSchema) => T,
): { readonly [field: string]: T } {
  const found = Object.entries((schema as Walked).properties ?? {}).filter(([, own]) => markOf(own) === mark);
  return Object.fromEntries(found.map(([name, own]) => [name, of(own)]));
}

/** The paths of fields that neither carry a mark nor have parts that all do. */
export function unmarked(schema: TSchema, path = ""): readonly string[] {
  if (markOf(schema) !== null) return [];
  const { properties, items, anyOf } = schema as Walked;
  if (properties !== undefined && Object.keys(properties).length > 0)
    return Object.entries(properties).flatMap(([name, own]) => unmarked(own, `${path}/${name}`));
  if (items !== undefined) return unmarked(items, `${path}/*`);
  const others = anyOf?.filter((each) => !isNull(each)) ?? [];
  return others.length === 1 ? unmarked(others[0] as TSchema, path) : [path];
}
