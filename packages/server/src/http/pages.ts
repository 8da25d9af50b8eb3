import { isId } from "@threadmill/core";
import { type TSchema, Type } from "typebox";
import { ProblemAnswer } from "./errors.ts";
import { problem } from "./problems.ts";

/** Query fields of every list. */
export const pageQuery = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 100, description: "How many items at most; 50 when left out" }),
  ),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 500, description: "`next_cursor` of the page before" })),
};

/** What a list's query asks for. */
export interface PageAsked {
  readonly limit?: number;
  readonly cursor?: string;
}

/** The schema of a page of items. */
export const pageOf = <T extends TSchema>(item: T, title: string) =>
  Type.Object(
    {
      items: Type.Array(item),
      next_cursor: Type.Union([Type.String(), Type.Null()], {
        description: "Ask with it for the next page; null after the last",
      }),
    },
    { title },
  );

/** A page as it is answered. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

const usual = 50;

/** How many rows to read: one more than the page holds tells whether another follows. */
export const rowsFor = (asked: PageAsked): number => (asked.limit ?? usual) + 1;

/** Makes the page of rows read with `rowsFor`; `placeOf` says where the next page goes on. */
export function toPage<T>(
  rows: readonly T[],
  asked: PageAsked,
  placeOf: (row: T) => readonly (string | number)[],
): Page<T> {
  const limit = asked.limit ?? usual;
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next_cursor: rows.length > limit && last !== undefined ? encode(placeOf(last)) : null };
}

const encode = (place: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(place)).toString("base64url");

/** The place that a cursor stands for, if each part passes its test; undefined without a cursor. Else a problem is thrown. */
export function placeIn(
  asked: PageAsked,
  tests: readonly ((part: unknown) => boolean)[],
): readonly unknown[] | undefined {
  if (asked.cursor === undefined) return undefined;
  const parts = decode(asked.cursor);
  if (Array.isArray(parts) && parts.length === tests.length && tests.every((test, at) => test(parts[at]))) return parts;
  const item = { code: "cursor_invalid", path: "/cursor", message: "The cursor is not one of this list" };
  throw new ProblemAnswer(problem("invalid_input", { detail: item.message, path: item.path, problems: [item] }));
}

/** The id that a cursor stands for; undefined without a cursor. */
export const idIn = (asked: PageAsked): string | undefined => placeIn(asked, [isId])?.[0] as string | undefined;

function decode(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, "base64url").toString());
  } catch {
    return undefined;
  }
}
