import { types as defaults } from "pg";

type Parser = (text: string) => unknown;

const OID = {
  int8: 20,
  json: 114,
  jsonArray: 199,
  textArray: 1009,
  varcharArray: 1015,
  int8Array: 1016,
  date: 1082,
  timestamp: 1114,
  timestamptzArray: 1185,
  timestamptz: 1184,
  uuidArray: 2951,
  jsonbArray: 3807,
} as const;

/**
 * A timestamptz as PostgreSQL prints it for a UTC session ("2026-11-20 17:00:00.5+00") as an instant
 * ("2026-11-20T17:00:00.500Z"); digits beyond the millisecond are cut. Other zones and far years take the slow road,
 * `infinity` stays what it is.
 */
export function parseInstant(text: string): string {
  const length = text.length;
  if (text.charCodeAt(10) === 32 && text.charCodeAt(length - 3) === 43 && text.endsWith("00")) {
    const seconds = `${text.slice(0, 10)}T${text.slice(11, 19)}`;
    if (length === 22) return `${seconds}.000Z`;
    if (text.charCodeAt(19) === 46)
      return `${seconds}.${text
        .slice(20, length - 3)
        .padEnd(3, "0")
        .slice(0, 3)}Z`;
  }
  if (text.endsWith("infinity")) return text;
  // "+02" is not a zone to JavaScript, "+02:00" is
  const date = new Date(text.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00"));
  if (Number.isNaN(date.getTime())) throw new RangeError(`cannot read the timestamp ${text}`);
  return date.toISOString();
}

/** An int8 as a number; throws where a number cannot hold it exactly. */
export function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`the bigint ${text} does not fit a number`);
  return value;
}

/** pg's own type knows only the types it has names for. */
const defaultParser = defaults.getTypeParser as (oid: number, format?: "text" | "binary") => Parser;

const textArray = defaultParser(OID.textArray) as (text: string) => (string | null)[];

function arrayOf(parse: Parser): Parser {
  return (text) => textArray(text).map((element) => (element === null ? null : parse(element)));
}

const ownParsers = new Map<number, Parser>([
  [OID.int8, parseInt8],
  [OID.int8Array, arrayOf(parseInt8)],
  [OID.timestamptz, parseInstant],
  [OID.timestamptzArray, arrayOf(parseInstant)],
  // the defaults would make Date objects of these, in the zone of this machine
  [OID.date, String],
  [OID.timestamp, String],
  [OID.json, JSON.parse],
  [OID.jsonArray, arrayOf(JSON.parse)],
  [OID.jsonbArray, arrayOf(JSON.parse)],
  [OID.textArray, textArray],
  [OID.varcharArray, textArray],
  [OID.uuidArray, textArray],
]);

/** The `types` of a pg pool: our readings of the types above, pg's own of all others. Nothing global is changed. */
export const valueTypes = {
  getTypeParser(oid: number, format?: "text" | "binary"): Parser {
    const own = format === "binary" ? undefined : ownParsers.get(oid);
    return own ?? defaultParser(oid, format);
  },
};
