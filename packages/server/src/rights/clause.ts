import { type RawBuilder, sql } from "kysely";

/** Part of a statement before it is known how its values are numbered: text, and values with their types. */
export type Clause = readonly (string | { readonly value: unknown; readonly type: string })[];

/** A value within a clause. */
export const value = (given: unknown, type: "uuid" | "uuid[]"): Clause => [{ value: given, type }];

/** For a statement that is written as text: pushes the clause's values on its list. */
export const asText = (clause: Clause, values: unknown[]): string =>
  clause.map((part) => (typeof part === "string" ? part : `$${values.push(part.value)}::${part.type}`)).join("");

/** For a statement that Kysely builds. */
export const asExpression = (clause: Clause): RawBuilder<boolean> =>
  sql.join<boolean>(
    clause.map((part) => (typeof part === "string" ? sql.raw(part) : sql`${part.value}::${sql.raw(part.type)}`)),
    sql.raw(""),
  );
