/** All but what JSON must escape: controls, quotes, backslashes, and surrogates, of which half a pair is no Unicode. */
const special = /[^ !#-[\]-\ud7ff\ue000-\uffff]/;

function textOf(value: unknown): string {
  if (typeof value === "string") return special.test(value) ? JSON.stringify(value) : `"${value}"`;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return Array.isArray(value) && value.length === 0 ? "[]" : JSON.stringify(value);
}

/** Puts rows of one table into words. */
export type RowText = (organization: string, row: Readonly<Record<string, unknown>>) => string;

/**
 * A row as JSON text for the set-based statements, without its nulls, which are what a missing field means. Column by
 * column, because JSON.stringify of rows put together field by field was the largest single cost of a batch in this process, and
 * this takes two thirds of it.
 */
export function rowText(columns: Readonly<Record<string, string>>): RowText {
  const fields = Object.keys(columns).map((name) => ({ name, lead: `,${JSON.stringify(name)}:` }));
  return (organization, row) => {
    let text = `{"organization":"${organization}"`;
    for (const { name, lead } of fields) {
      const value = row[name];
      if (value !== null && value !== undefined) text += lead + textOf(value);
    }
    return `${text}}`;
  };
}

/** What COPY's text format must escape. */
const copySpecial = /[\\\n\r\t]/;
const copyEscapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
const escaped = (text: string): string =>
  copySpecial.test(text) ? text.replaceAll(/[\\\n\r\t]/g, (each) => copyEscapes[each] as string) : text;

/** An array of texts or ids as PostgreSQL reads it. */
function arrayText(values: readonly string[]): string {
  if (values.length === 0) return "{}";
  return `{${values.map((value) => `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`).join(",")}}`;
}

/** How a value of a column stands in a line of COPY; what needs no escapes by its type gets no look. */
const inCopy: Readonly<Record<string, (value: never) => string>> = {
  uuid: (value: string) => value,
  timestamptz: (value: string) => value,
  integer: String,
  bigint: String,
  boolean: (value: boolean) => (value ? "t" : "f"),
  text: escaped,
  "text[]": (value: readonly string[]) => escaped(arrayText(value)),
  "uuid[]": arrayText,
  json: (value: unknown) => escaped(JSON.stringify(value)),
  jsonb: (value: unknown) => escaped(JSON.stringify(value)),
};

type Values = Readonly<Record<string, unknown>>;

/** A COPY of rows of one table: which columns it fills, and the rows in COPY's text format. */
export type RowCopy = (
  lane: number,
  rows: readonly { readonly organization: string; readonly row: Values }[],
) => { readonly columns: readonly string[]; readonly lines: string };

/**
 * Puts rows into the words of `copy ... (columns) from stdin`, the lane and the organization first. A missing field means null,
 * as in `rowText`; columns that are null in all rows are left out, which is half of them. All fields of all rows are put
 * together at once: a line that grows field by field leaves a text behind for each.
 */
export function rowCopy(columns: Readonly<Record<string, string>>): RowCopy {
  const fields = Object.entries(columns).map(([name, type]) => {
    const write = inCopy[type];
    if (write === undefined) throw new Error(`no way to copy a column of type ${type}`);
    return { name, write: write as (value: unknown) => string };
  });
  return (lane, rows) => {
    const used = fields.filter(({ name }) => rows.some(({ row }) => row[name] !== null && row[name] !== undefined));
    const pieces: string[] = [];
    // between two pieces comes a tab, so a line's end, the next line's lane and the last field before them are one piece
    let before = String(lane);
    for (const { organization, row } of rows) {
      pieces.push(before, organization);
      for (const { name, write } of used) {
        const value = row[name];
        pieces.push(value === null || value === undefined ? String.raw`\N` : write(value));
      }
      before = `${pieces.pop()}\n${lane}`;
    }
    if (rows.length > 0) pieces.push(before.slice(0, -String(lane).length));
    return { columns: used.map(({ name }) => name), lines: pieces.join("\t") };
  };
}
