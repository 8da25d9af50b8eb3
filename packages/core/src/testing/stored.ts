import type { Key } from "../domain/keys.ts";
import { rowDefaults } from "../domain/rows.ts";
import type { LoggedTable } from "../model/event.ts";

const encoder = new TextEncoder();

/**
 * For tests: a value as PostgreSQL's jsonb gives it back after JSON text went in. The members of an object come by the
 * length of their names in bytes, then by these bytes; what is undefined is gone; no two values are one object. Throws for
 * text that it refuses. A test of the server holds this against the real database.
 */
export const asStored = (value: unknown): unknown => inOrder(value, new Set(), "");

/**
 * For tests: a row as it comes back. Its columns come in an order of their own too, and each of them is there, empty or
 * not: nothing may follow from either.
 */
export function storedRow(name: Key, row: object): object {
  const table = name.slice(0, name.indexOf("/"));
  const empty = table in rowDefaults ? rowDefaults[table as LoggedTable] : {};
  const columns = Object.fromEntries(Object.keys(empty).map((column) => [column, null]));
  return inOrder({ ...columns, ...row }, new Set(), name) as object;
}

/** Objects that came out of the store, and of which row: there they need not be put in order again. */
const stored = new WeakMap<object, Key>();

function inOrder(value: unknown, seen: Set<object>, home: Key): unknown {
  if (typeof value === "string" && (!value.isWellFormed() || value.includes("\0")))
    throw new Error(`the database takes no such text: ${JSON.stringify(value)}`);
  if (typeof value === "number") return Number.isFinite(value) ? value + 0 : null;
  if (typeof value !== "object" || value === null) return value ?? null;
  if (stored.get(value) === home && !seen.has(value)) {
    seen.add(value);
    return value;
  }
  const fresh = Array.isArray(value)
    ? value.map((inner) => inOrder(inner, seen, home))
    : Object.fromEntries(membersInOrder(value).map(([name, inner]) => [name, inOrder(inner, seen, home)]));
  if (home !== "") stored.set(fresh, home);
  return fresh;
}

function membersInOrder(value: object): [string, unknown][] {
  const members = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return members.sort(([a], [b]) => (rank(a) < rank(b) ? -1 : 1));
}

const ranks = new Map<string, string>();

/** A text that sorts as jsonb sorts the name: how many bytes it takes, then these, one a character. */
function rank(name: string): string {
  let text = ranks.get(name);
  if (text === undefined) {
    const bytes = encoder.encode(name);
    ranks.set(name, (text = String.fromCharCode(bytes.length, ...bytes)));
  }
  return text;
}
