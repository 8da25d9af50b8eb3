/** Text that PostgreSQL cannot store, and where: `path` is a JSON pointer, "" for the whole value. */
export interface BadText {
  readonly path: string;
  readonly code: "text_nul" | "text_lone_surrogate";
}

/** A text as PostgreSQL can keep it: half a character or U+0000 becomes the replacement character. Good text comes back as it is. */
export const storable = (text: string): string =>
  (text.includes("\0") ? text.replaceAll("\0", "\ufffd") : text).toWellFormed();

/** A JSON value with every text and key in it made storable; a good value comes back as it is. */
export function storableJson<T>(json: T): T {
  return findBadText(json) === null ? json : (clean(json) as T);
}

function clean(json: unknown): unknown {
  if (typeof json === "string") return storable(json);
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map(clean);
  return Object.fromEntries(Object.entries(json).map(([key, member]) => [storable(key), clean(member)]));
}

/** A container still to be looked into; the path is put together only when something is found. */
interface Place {
  readonly value: object;
  readonly parent: Place | null;
  readonly key: string | number;
}

/**
 * Finds a text in a JSON value that no text column or jsonb takes: one with U+0000, or with half of a surrogate pair.
 * Keys are looked at too; a bad key is reported at its object, so that the path itself is always clean. Any depth.
 */
export function findBadText(json: unknown): BadText | null {
  if (typeof json === "string") return bad(json, null, null);
  if (typeof json !== "object" || json === null) return null;
  const open: Place[] = [{ value: json, parent: null, key: "" }];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const found = Array.isArray(place.value) ? inList(place, place.value, open) : inObject(place, place.value, open);
    if (found) return found;
  }
  return null;
}

function inList(place: Place, list: readonly unknown[], open: Place[]): BadText | null {
  for (let n = 0; n < list.length; n++) {
    const found = inMember(place, n, list[n], open);
    if (found) return found;
  }
  return null;
}

function inObject(place: Place, value: object, open: Place[]): BadText | null {
  for (const key of Object.keys(value)) {
    const found = bad(key, place, null) ?? inMember(place, key, (value as Record<string, unknown>)[key], open);
    if (found) return found;
  }
  return null;
}

function inMember(place: Place, key: string | number, member: unknown, open: Place[]): BadText | null {
  if (typeof member === "string") return bad(member, place, key);
  if (typeof member === "object" && member !== null) open.push({ value: member, parent: place, key });
  return null;
}

function bad(text: string, place: Place | null, key: string | number | null): BadText | null {
  if (text.includes("\0")) return { path: pointer(place, key), code: "text_nul" };
  if (!text.isWellFormed()) return { path: pointer(place, key), code: "text_lone_surrogate" };
  return null;
}

function pointer(place: Place | null, key: string | number | null): string {
  let path = key === null ? "" : token(key);
  for (let at = place; at !== null && at.parent !== null; at = at.parent) path = token(at.key) + path;
  return path;
}

const token = (key: string | number): string => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`;
