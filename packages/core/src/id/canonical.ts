import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

/**
 * The one JSON text of a value: keys sorted by UTF-16 code unit, no spaces, properties that are undefined left out.
 * Throws TypeError for what JSON would lose without a word (NaN, undefined in a list, a Date, a Map), for two values
 * must not come out the same.
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case "string":
      return quoted(value);
    case "boolean":
      return value ? "true" : "false";
    case "number":
      if (!Number.isFinite(value)) throw new TypeError(`${value} is not JSON`);
      return String(value);
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? listJson(value) : objectJson(value);
    default:
      throw new TypeError(`${typeof value} is not JSON`);
  }
}

/** SHA-256 of the canonical JSON of a value, in hex: equal for equal content, whatever the order of its keys. */
export const contentHash = (value: unknown): string => bytesToHex(sha256(utf8ToBytes(canonicalJson(value))));

function listJson(list: readonly unknown[]): string {
  let text = "[";
  for (let n = 0; n < list.length; n++) text += (n === 0 ? "" : ",") + canonicalJson(list[n]);
  return `${text}]`;
}

function objectJson(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  // a prototype without one of its own is some realm's Object.prototype: values may come from another window or VM
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    throw new TypeError("only plain objects are JSON");
  let text = "";
  for (const key of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[key];
    if (member !== undefined) text += `${text === "" ? "" : ","}${quoted(key)}:${canonicalJson(member)}`;
  }
  return `{${text}}`;
}

/** Most texts need no escapes, and a look is cheaper than JSON.stringify. */
const quoted = (text: string): string => (/^[ !#-[\]-~]*$/.test(text) ? `"${text}"` : JSON.stringify(text));
