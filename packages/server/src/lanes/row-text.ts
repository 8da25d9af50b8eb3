import { Words } from "./words.ts";

type Values = Readonly<Record<string, unknown>>;

/** A row and whose it is. */
export interface OwnRow {
  readonly lane: number;
  readonly organization: string;
  readonly row: Values;
}

/** Columns whose JSON is not simply that of the row's field: how it is written. Asked only where the field holds something. */
export type Shortened = Readonly<Record<string, (words: Words, row: Values) => void>>;

/** Puts rows of one table into words, as a JSON list for the set-based statements. */
export type RowsInJson = (rows: readonly OwnRow[]) => Words;

/**
 * Rows as a JSON list of objects that carry their lane and organization, without their nulls, which are what a missing field means.
 * Column by column, because JSON.stringify of rows put together field by field was the largest single cost of a batch in this process.
 */
export function rowsInJson(columns: Readonly<Record<string, string>>, shortened: Shortened = {}): RowsInJson {
  const fields = Object.keys(columns).map((name) => ({
    name,
    lead: `,${JSON.stringify(name)}:`,
    short: shortened[name],
  }));
  return (rows) => {
    const words = new Words(false);
    let lead = "[";
    for (const { lane, organization, row } of rows) {
      words.plain(`${lead}{"lane":${lane},"organization":"${organization}"`);
      for (const { name, lead, short } of fields) {
        const value = row[name];
        if (value === null || value === undefined) continue;
        words.plain(lead);
        if (short === undefined) words.json(value);
        else short(words, row);
      }
      words.plain("}");
      lead = ",";
    }
    words.plain(rows.length === 0 ? "[]" : "]");
    return words;
  };
}

const tab = 0x09;
type Write = (words: Words, value: never) => void;
const plain = (words: Words, value: string): void => words.plain(value);
const number = (words: Words, value: number): void => words.plain(String(value));
const json = (words: Words, value: unknown): void => words.json(value);

/** An array of texts or ids as PostgreSQL reads it. */
function array(words: Words, values: readonly string[]): void {
  let lead = "{";
  for (const value of values) {
    words.plain(lead);
    words.element(value);
    lead = ",";
  }
  words.plain(lead === "{" ? "{}" : "}");
}

/** How a value of a column stands in a line of COPY; what needs no escapes by its type gets no look. */
const inCopy: Readonly<Record<string, Write>> = {
  uuid: plain,
  timestamptz: plain,
  integer: number,
  bigint: number,
  boolean: (words: Words, value: boolean) => words.plain(value ? "t" : "f"),
  text: (words: Words, value: string) => words.column(value),
  "text[]": array,
  "uuid[]": array,
  json,
  jsonb: json,
};

/** A COPY of rows of one table: which columns it fills, and what writes the rows in COPY's text format. */
export type RowsInCopy = (rows: readonly OwnRow[]) => {
  readonly columns: readonly string[];
  write(words: Words): void;
};

/**
 * Puts rows into the words of `copy ... (columns) from stdin`, the lane and the organization first. A missing field means null,
 * as in `rowsInJson`; columns that are null in all rows are left out, which is half of them.
 */
export function rowsInCopy(columns: Readonly<Record<string, string>>, shortened: Shortened = {}): RowsInCopy {
  const fields = Object.entries(columns).map(([name, type]) => {
    const write = inCopy[type];
    if (write === undefined) throw new Error(`no way to copy a column of type ${type}`);
    return { name, write: write as (words: Words, value: unknown) => void, short: shortened[name] };
  });
  return (rows) => {
    const used = fields.filter(({ name }) => rows.some(({ row }) => row[name] !== null && row[name] !== undefined));
    const write = (words: Words): void => {
      for (const { lane, organization, row } of rows) {
        words.plain(`${lane}\t`);
        words.plain(organization);
        for (const { name, write, short } of used) {
          words.code(tab);
          const value = row[name];
          if (value === null || value === undefined) words.plain(String.raw`\N`);
          else if (short === undefined) write(words, value);
          else short(words, row);
        }
        words.plain("\n");
      }
    };
    return { columns: used.map(({ name }) => name), write };
  };
}
