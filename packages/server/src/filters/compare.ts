import {
  type Comparand,
  firstInstant,
  type FilterClause,
  isId,
  isInstant,
  localDay,
  type Ordered,
} from "@threadmill/core";
import { type RawBuilder, sql, type SqlBool } from "kysely";
import { type Answer, group, no, sure, undecided, unsure, yes } from "./answer.ts";
import { foldedOf, type Single, textOf } from "./value.ts";

/** What comparing needs beside the two sides. */
export interface Moment {
  readonly at: string;
  readonly zone: string;
}

type Side = { readonly clause: FilterClause; readonly value: Single; readonly moment: Moment };

/** Whether a single value that is there passes the test of a clause's operator; its negation is not looked at. */
export function passes(clause: FilterClause, value: Single, moment: Moment): Answer {
  const test = tests[clause.op];
  if (test === undefined) throw new Error(`There is no SQL for ${clause.op}`);
  return test({ clause, value, moment });
}

const tests: { readonly [op in FilterClause["op"]]?: (side: Side) => Answer } = {
  is: ({ clause, value }) => equals(value, clause.right as Comparand),
  in: ({ clause, value }) => equalsAny(value, clause.right as readonly Comparand[]),
  contains: (side) => inText(side, (text, part) => sql`(strpos(${text}, ${part}) > 0)`),
  starts_with: (side) => inText(side, (text, part) => sql`starts_with(${text}, ${part})`),
  ends_with: (side) => inText(side, (text, part) => sql`(right(${text}, length(${part})) = ${part})`),
  matches: ({ clause, value }) => {
    const { words, exact } = clause.right as { readonly words: readonly string[]; readonly exact: boolean };
    const text = exact ? textOf(value) : foldedOf(value);
    return sure(
      sql<SqlBool>`(${sql.join(
        words.map((word) => sql`strpos(${text}, ${word}) > 0`),
        sql` or `,
      )})`,
    );
  },
  longer_than: ({ clause, value }) => sure(sql<SqlBool>`(char_length(${textOf(value)}) > ${clause.right}::float8)`),
  shorter_than: ({ clause, value }) => sure(sql<SqlBool>`(char_length(${textOf(value)}) < ${clause.right}::float8)`),
  gt: ({ clause, value, moment }) => compared(value, "gt", clause.right as Ordered, moment),
  gte: ({ clause, value, moment }) => compared(value, "gte", clause.right as Ordered, moment),
  lt: ({ clause, value, moment }) => compared(value, "lt", clause.right as Ordered, moment),
  lte: ({ clause, value, moment }) => compared(value, "lte", clause.right as Ordered, moment),
  after: ({ clause, value, moment }) => compared(value, "gt", clause.right as Ordered, moment),
  before: ({ clause, value, moment }) => compared(value, "lt", clause.right as Ordered, moment),
  between({ clause, value, moment }) {
    const [low, high] = clause.right as readonly [Ordered, Ordered];
    return group("all", [compared(value, "gte", low, moment), compared(value, "lte", high, moment)], true);
  },
  in_last: ({ clause, value, moment }) => within(value, -(clause.right as number), 0, moment),
  in_next: ({ clause, value, moment }) => within(value, 0, clause.right as number, moment),
  is_true: ({ value }) => saysSo(value, "true"),
  is_false: ({ value }) => saysSo(value, "false"),
};

/** Equality as conditions have it: a text on one side counts as the number or boolean that it writes. */
export function equals(value: Single, right: Comparand): Answer {
  switch (value.type) {
    case "number":
      if (right.type === "boolean" || Number.isNaN(right.number)) return no;
      return sure(sql<SqlBool>`(${value.sql} = ${right.number}::float8)`);
    case "boolean":
      return right.boolean === null ? no : sure(sql<SqlBool>`(${value.sql} = ${sql.lit(right.boolean)})`);
    case "id":
      return isId(right.text) ? sure(sql<SqlBool>`(${value.sql} = ${right.text}::uuid)`) : no;
    case "word":
      return sure(sql<SqlBool>`(${value.sql} = ${right.text})`);
    case "instant": {
      const at = instantText(right);
      return at === null ? no : sure(sql<SqlBool>`(${value.sql} = ${at}::timestamptz)`);
    }
    case "text":
      if (right.type === "number")
        return sure(sql<SqlBool>`(filter_number(${value.sql}) is not distinct from ${right.number}::float8)`);
      return sure(sql<SqlBool>`(${right.exact ? value.sql : foldedOf(value)} = ${right.text})`);
  }
}

/** The instant whose one text a comparand is; null for any other text. */
function instantText({ type, text, exact }: Comparand): string | null {
  const whole = exact ? text : text.toUpperCase();
  return type === "text" && isInstant(whole) ? whole : null;
}

/** Whether a value equals one of several. Ids and words are looked for at once, which an index can answer. */
export function equalsAny(value: Single, rights: readonly Comparand[]): Answer {
  if (value.type === "id") {
    const ids = rights.map((right) => right.text).filter(isId);
    return ids.length === 0 ? no : sure(sql<SqlBool>`(${value.sql} = any(${ids}::uuid[]))`);
  }
  if (value.type === "word")
    return sure(sql<SqlBool>`(${value.sql} = any(${rights.map((right) => right.text)}::text[]))`);
  return group(
    "any",
    rights.map((right) => equals(value, right)),
    true,
  );
}

function inText(
  { clause, value }: Side,
  test: (text: RawBuilder<string>, part: RawBuilder<string>) => RawBuilder<unknown>,
): Answer {
  const { text, exact } = clause.right as { readonly text: string; readonly exact: boolean };
  return sure(test(exact ? textOf(value) : foldedOf(value), sql`${text}::text`) as RawBuilder<SqlBool>);
}

type Order = "gt" | "gte" | "lt" | "lte";
const signs = { gt: sql`>`, gte: sql`>=`, lt: sql`<`, lte: sql`<=` } as const;

/** Order as conditions have it: numbers with numbers, dates with dates; anything else cannot be decided. */
function compared(value: Single, order: Order, right: Ordered, moment: Moment): Answer {
  const { type } = value;
  if (right.type === "number") {
    if (type === "number") return sure(sql<SqlBool>`(${value.sql} ${signs[order]} ${right.number}::float8)`);
    // null where the text writes no number
    return type === "text"
      ? unsure(sql<SqlBool>`(filter_number(${value.sql}) ${signs[order]} ${right.number}::float8)`)
      : undecided;
  }
  if (type === "instant") return comparedInstant(value.sql, order, right, moment);
  if (type !== "text") return undecided;
  const instant = comparedInstant(sql`filter_instant(${value.sql})`, order, right, moment);
  const day = right.type === "day" ? right.day : dayAt(right.ms, moment);
  return unsure(sql<SqlBool>`coalesce(${instant.sql}, filter_day(${value.sql}) collate "C" ${signs[order]} ${day})`);
}

/** A day on the right stands for the instants that the organization's clocks show it. */
function comparedInstant(
  value: RawBuilder<string>,
  order: Order,
  right: Exclude<Ordered, { type: "number" }>,
  { zone }: Moment,
): Answer {
  if (right.type === "instant") return sure(sql<SqlBool>`(${value} ${signs[order]} ${iso(right.ms)}::timestamptz)`);
  const begin = Date.parse(`${right.day}T00:00:00Z`);
  const from = iso(firstInstant(zone, begin));
  const to = iso(firstInstant(zone, begin + 86_400_000));
  switch (order) {
    case "gt":
      return sure(sql<SqlBool>`(${value} >= ${to}::timestamptz)`);
    case "gte":
      return sure(sql<SqlBool>`(${value} >= ${from}::timestamptz)`);
    case "lt":
      return sure(sql<SqlBool>`(${value} < ${from}::timestamptz)`);
    case "lte":
      return sure(sql<SqlBool>`(${value} < ${to}::timestamptz)`);
  }
}

/** An instant of the years that rows can have: what lies beyond is before or after all of them. */
const iso = (ms: number): string =>
  new Date(Math.min(Math.max(ms, -62_135_596_800_000), 253_402_300_799_999)).toISOString();

/** The day that the organization's clocks show at an instant. */
const dayAt = (ms: number, { zone }: Moment): string => localDay(iso(ms), zone);

/** Whether a date lies within a window around the present, both ends counted in. */
function within(value: Single, from: number, to: number, moment: Moment): Answer {
  const now = Date.parse(moment.at);
  const ends: readonly [number, number] = [now + from, now + to];
  const inWindow = (instant: RawBuilder<string>) =>
    sql<SqlBool>`(${instant} between ${iso(ends[0])}::timestamptz and ${iso(ends[1])}::timestamptz)`;
  if (value.type === "instant") return sure(inWindow(value.sql));
  if (value.type !== "text") return undecided;
  const [first, last] = ends.map((ms) => dayAt(ms, moment));
  return unsure(
    sql<SqlBool>`coalesce(${inWindow(sql`filter_instant(${value.sql})`)}, filter_day(${value.sql}) collate "C" between ${first} and ${last})`,
  );
}

/** Whether a value says true, or false; what says neither cannot be decided. */
function saysSo(value: Single, word: "true" | "false"): Answer {
  if (value.type === "boolean") return sure(sql<SqlBool>`(${value.sql} = ${sql.lit(word === "true")})`);
  if (value.type !== "text") return undecided;
  const text = foldedOf(value);
  return unsure(sql<SqlBool>`(case when ${text} in ('true', 'false') then ${text} = ${word} end)`);
}

/** Whether a value is something: a text of no characters is there, and empty. */
export const isNotEmpty = (value: Single): Answer =>
  value.type === "text" ? sure(sql<SqlBool>`(${value.sql} <> '')`) : yes;
