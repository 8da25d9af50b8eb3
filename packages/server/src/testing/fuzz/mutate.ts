import fc from "fast-check";
import { hostileText, hostileValue } from "./hostile.ts";

/** One change of a JSON value; numbers choose the place and are taken modulo what there is. */
interface Mutation {
  readonly kind: "replace" | "remove" | "add" | "repeat" | "rename";
  readonly at: readonly number[];
  readonly name: string;
  readonly value: unknown;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom("replace", "replace", "replace", "remove", "add", "repeat", "rename"),
  at: fc.array(fc.nat(50), { minLength: 1, maxLength: 5 }),
  name: hostileText.filter((text) => text.length < 400),
  value: hostileValue,
});

/** A value with one to three of its parts spoilt: what is right around them brings the wrong deep into the program. */
export const spoilt = (values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc
    .tuple(values, fc.array(mutation, { minLength: 1, maxLength: 3 }))
    .map(([value, mutations]) => mutations.reduce((given, one) => mutated(given, one, 0), value));

function mutated(value: unknown, how: Mutation, level: number): unknown {
  const step = how.at[level];
  if (typeof value !== "object" || value === null) return how.kind === "remove" ? null : how.value;
  const entries = Object.entries(value);
  const here = step === undefined || level === how.at.length - 1 || entries.length === 0;
  const at = (step ?? 0) % Math.max(1, entries.length);
  const [key, inner] = entries[at] ?? ["", null];
  const changed = here ? changedHere(entries, at, how) : entries.with(at, [key, mutated(inner, how, level + 1)]);
  // defined, not assigned: a name such as __proto__ is to go out as any other
  return Array.isArray(value) ? changed.map(([, item]) => item) : Object.fromEntries(changed);
}

type Entries = [string, unknown][];

function changedHere(entries: Entries, at: number, { kind, name, value }: Mutation): Entries {
  const entry = entries[at];
  if (kind === "add" || entry === undefined) return [...entries, [name, value]];
  switch (kind) {
    case "remove":
      return entries.toSpliced(at, 1);
    case "repeat":
      return [...entries, [`${entry[0]}2`, entry[1]]];
    case "rename":
      return entries.with(at, [name, entry[1]]);
    case "replace":
      return entries.with(at, [entry[0], value]);
  }
}
