import { type RawBuilder, sql } from "kysely";

/** A single value of a row, as SQL that is not null where it is asked. */
export type Single =
  /** any text */
  | { readonly type: "text"; readonly sql: RawBuilder<string> }
  /** a text of a closed set of lower-case words */
  | { readonly type: "word"; readonly sql: RawBuilder<string> }
  /** a uuid, which conditions see as its text */
  | { readonly type: "id"; readonly sql: RawBuilder<string> }
  /** a timestamptz, which conditions see as its ISO text */
  | { readonly type: "instant"; readonly sql: RawBuilder<string> }
  /** an integer or double precision */
  | { readonly type: "number"; readonly sql: RawBuilder<number> }
  | { readonly type: "boolean"; readonly sql: RawBuilder<boolean> };

/** What a path finds in a row. */
export type Found =
  | { readonly kind: "missing" }
  /** null where it is missing */
  | { readonly kind: "single"; readonly value: Single }
  /** an array, null where there is no row; its items are of one type and never missing */
  | { readonly kind: "list"; readonly sql: RawBuilder<unknown>; readonly item: "text" | "id" }
  /** any JSON; null where it is missing */
  | { readonly kind: "json"; readonly sql: RawBuilder<unknown> };

/** The text that conditions see of a value. */
export function textOf({ type, sql: value }: Single): RawBuilder<string> {
  switch (type) {
    case "text":
    case "word":
      return value;
    case "instant":
      return sql`to_char(${value} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
    case "number":
      return sql`filter_text(to_jsonb(${value}))`;
    default:
      return sql`${value}::text`;
  }
}

/** The text without regard to capitals. */
export const foldedOf = (value: Single): RawBuilder<string> =>
  value.type === "word" || value.type === "id" ? textOf(value) : sql`filter_fold(${textOf(value)})`;

/** What a path finds in a row of these columns, which stand under an alias. */
export function findIn(
  columns: Readonly<Record<string, string>>,
  alias: string,
  path: readonly (string | number)[],
): Found {
  const [name, ...rest] = path as [string, ...(string | number)[]];
  const type = Object.hasOwn(columns, name) ? columns[name] : undefined;
  const column = sql.ref(`${alias}.${name}`);
  if (type === "jsonb") {
    // what the schema makes an object is one: its first step needs no question, and rows are asked many times
    const [first, ...deeper] = rest;
    const start = first === undefined ? column : sql`(${column} -> ${String(first)}::text)`;
    const inner = deeper.reduce<RawBuilder<unknown>>(
      (value, step) => sql`filter_step(${value}, ${String(step)})`,
      start,
    );
    return { kind: "json", sql: inner };
  }
  if (type === "text[]" || type === "uuid[]") return inList(column, type === "text[]" ? "text" : "id", rest);
  const single = type === undefined || rest.length > 0 ? null : singleType(name, type);
  return single === null ? { kind: "missing" } : { kind: "single", value: { type: single, sql: column as never } };
}

function inList(list: RawBuilder<unknown>, item: "text" | "id", [step, ...rest]: readonly (string | number)[]): Found {
  if (step === undefined) return { kind: "list", sql: list, item };
  if (rest.length > 0) return { kind: "missing" };
  if (step === "length") return { kind: "single", value: { type: "number", sql: sql`cardinality(${list})` } };
  if (!/^(?:0|[1-9]\d{0,8})$/.test(String(step))) return { kind: "missing" };
  return { kind: "single", value: { type: item, sql: sql`(${list})[${sql.lit(Number(step) + 1)}]` } };
}

/** Columns whose words the schema fixes, all in lower case. */
const words = new Set(["status", "state", "direction", "delivery"]);

function singleType(name: string, type: string): Single["type"] | null {
  if (words.has(name)) return "word";
  const types: Readonly<Record<string, Single["type"]>> = {
    text: "text",
    uuid: "id",
    timestamptz: "instant",
    integer: "number",
    boolean: "boolean",
  };
  return types[type] ?? null;
}
