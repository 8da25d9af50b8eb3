// Data comes back from the database with its members in another order than it went in, so nothing may follow from the
// order in which they happen to stand: whoever goes through members, prints or compares them does it with what is here
// (MILL law 1). A test looks for other ways through the sources.

/** The names of an object's members, in the one order of the core: by their UTF-16 code units. */
export const namesOf = (value: object): string[] => Object.keys(value).sort();

/** The members of an object, in the order of `namesOf`. */
export const membersOf = <T>(value: { readonly [name: string]: T }): [string, T][] =>
  namesOf(value).map((name) => [name, value[name] as T]);

/** How many members an object has. */
export const countOf = (value: object): number => Object.keys(value).length;

/** The JSON text of a value, its members in order; otherwise as JSON.stringify has it, and "null" for what is no JSON. */
export function jsonText(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  const members = membersOf(value as { readonly [name: string]: unknown });
  const texts = members.filter(([, inner]) => inner !== undefined).map(([name, inner]) => memberText(name, inner));
  return `{${texts.join(",")}}`;
}

const memberText = (name: string, value: unknown): string => `${JSON.stringify(name)}:${jsonText(value)}`;

/** Whether two values are the same JSON, whatever the order of members. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && sameJson(memberOf(a, name), memberOf(b, name)))
  );
}

const memberOf = (value: object, name: string): unknown => (value as { readonly [name: string]: unknown })[name];
