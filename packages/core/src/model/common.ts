import { Type, type Static, type TSchema } from "typebox";

/** Plain JSON, the only kind of value that rows, events and documents hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** An id: a UUIDv7 whose time is the instant at which the thing was made. */
export type Id = string;

/** An instant: ISO 8601 in UTC with milliseconds; of fixed width, so instants compare as text. */
export type Instant = string;

/**
 * An id in its one form, with what it is of. In capitals it would be the same to the database and another to the ledger,
 * so that a batch knew one row under two names.
 */
export const idSchema = (description: string) => Type.String({ format: "uuid", pattern: "^[0-9a-f-]*$", description });
export const IdSchema = idSchema("UUIDv7, in lower case");
export const InstantSchema = Type.String({ format: "date-time", description: "ISO 8601, UTC, milliseconds" });

/** A closed set of words. */
export const oneOf = <const T extends readonly string[]>(words: T, description?: string) =>
  Type.Union(
    words.map((word) => Type.Literal(word)),
    description === undefined ? {} : { description },
  ) as unknown as ReturnType<typeof Type.Unsafe<T[number]>>;

/** A value that may be null. */
export const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** Free properties of a customer or conversation; a definition in the settings may fix a name's type. */
export const PropertiesSchema = Type.Record(Type.String({ minLength: 1, maxLength: 100 }), Type.Unknown());
export type Properties = { readonly [name: string]: Json };

/** What a run is about, and what a command or event refers to. */
export const subjectKinds = ["conversation", "customer", "user", "organization"] as const;
export type SubjectKind = (typeof subjectKinds)[number];
export interface Ref {
  readonly kind: SubjectKind;
  readonly id: Id;
}

export type { Static, TSchema };
