import { IdSchema, InstantSchema } from "@threadmill/core";
import { type Static, type TObject, type TProperties, type TSchema, Type } from "typebox";
import Compile from "typebox/compile";
import { ProblemAnswer } from "./errors.ts";
import { problem } from "./problems.ts";
import { type Call, type Refused, type Route, route, type RouteFacts } from "./route.ts";

/** Query fields of every list. */
const pageQuery = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 100, description: "How many items at most; 50 when left out" }),
  ),
  cursor: Type.Optional(
    Type.String({ description: "`next_cursor` of the page before; the other parameters must be those of that page" }),
  ),
};

const usual = 50;

/** Which page of a list is to be read. */
export interface PageAsked<S> {
  /** go on behind this spot; undefined: from the beginning */
  readonly after: S | undefined;
  /** how many items the page holds at most */
  readonly limit: number;
  /** how many rows to read: one more than the page holds tells whether another follows */
  readonly rows: number;
}

/** What was read of a list. `next` is the spot behind which it goes on, null at its end. */
export interface PageRead<S> {
  readonly items: readonly object[];
  readonly next: S | null;
  /** of lists with `asOf`: all that happened until then is in the page */
  readonly as_of?: string;
}

/** What there is to say of a list beyond what any route has. */
export interface ListFacts<P extends TObject, Q extends TProperties, S extends TSchema> extends Pick<
  RouteFacts<P, TObject, TSchema, TSchema>,
  "url" | "tag" | "summary" | "description" | "permission" | "params"
> {
  /** the filters */
  readonly query?: Q;
  /** set where the list is read from what follows the log: the page then says up to when it has come */
  readonly asOf?: true;
  readonly item: TSchema;
  /** the name of a page of it in the reference */
  readonly title: string;
  /** what its order compares, whole: where two rows may be equal in it, pages would lose some */
  readonly spot: S;
  /** Reads a page, behind the spot where one is given. */
  readonly read: (
    call: Call<Static<P>, Static<TObject<Q>>>,
    page: PageAsked<Static<S>>,
  ) => Promise<PageRead<Static<S>> | Refused>;
}

/** The spot of a list in the order of ids. */
export const byId = Type.Tuple([IdSchema]);

/** Declares a list. Every list comes in pages by the same means: here its cursors are written and checked. */
export function list<S extends TSchema, P extends TObject, Q extends TProperties = TProperties>({
  item,
  title,
  query,
  spot,
  read,
  asOf,
  ...about
}: ListFacts<P, Q, S>): Route {
  const ofThisForm = Compile(spot);
  return route({
    ...about,
    method: "GET",
    list: true,
    query: Type.Object({ ...pageQuery, ...query }),
    answer: Type.Object(
      {
        items: Type.Array(item),
        next_cursor: Type.Union([Type.String(), Type.Null()], {
          description: "Ask with it for the next page; null after the last",
        }),
        ...(asOf && {
          as_of: Type.Unsafe<string>({
            ...InstantSchema,
            description: "what became of a conversation until then is in the list, usually a second ago",
          }),
        }),
      },
      { title },
    ),
    problems: [400],
    async handle(call) {
      const { limit = usual, cursor, ...filters } = call.query;
      const which = nameOf(call, about.url, filters);
      const after = cursor === undefined ? undefined : call.cursors.read(cursor, which);
      if (after !== undefined && !ofThisForm.Check(after))
        throw new ProblemAnswer(problem("cursor_invalid", { path: "/cursor" }));
      const asked = { after, limit, rows: limit + 1 };
      const found = await read(call as unknown as Call<Static<P>, Static<TObject<Q>>>, asked);
      if ("ok" in found) return found;
      const next_cursor = found.next === null ? null : call.cursors.write(found.next, which);
      return { items: found.items, next_cursor, ...(asOf && { as_of: found.as_of }) };
    },
  });
}

/** What tells one list from any other: the organization, the address and the filters, in whatever order they came. */
function nameOf(call: Call, url: string, filters: object): string[] {
  const given = Object.entries(filters).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return [call.place.organization, url, JSON.stringify(call.params ?? {}), JSON.stringify(given)];
}

/** Makes the page of rows read as `asked`: `shown` is what becomes of a row, `spotOf` where the next page goes on. */
export function pageOf<Row extends object, S extends [unknown, ...unknown[]]>(
  found: readonly Row[],
  { limit }: PageAsked<S>,
  spotOf: (row: Row) => S,
  shown: (row: Row) => object = (row) => row,
): PageRead<S> {
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return { items: rows.map(shown), next: found.length > limit && last !== undefined ? spotOf(last) : null };
}

/** The page of rows that are told apart and ordered by their id. */
export const pageById = <Row extends { readonly id: string }>(
  found: readonly Row[],
  asked: PageAsked<[string]>,
  shown?: (row: Row) => object,
): PageRead<[string]> => pageOf(found, asked, (row) => [row.id], shown);
