import { RE2JS } from "re2js";
import { brief, countCharacters } from "../text/characters.ts";
import { OperandFault } from "./fault.ts";
import { fold, numberOf, textOf } from "./operand.ts";
import { negation, type Operator } from "./operator.ts";

interface Part {
  readonly text: string;
  readonly exact: boolean;
}
interface Pattern {
  readonly source: string;
  readonly expression: RE2JS;
  /** the words that it looks for, where it is nothing but words; made ready as `contains` has them */
  readonly words: readonly string[] | null;
  readonly exact: boolean;
  /** instructions of its program */
  readonly size: number;
}

const longestPattern = 1_000;
const mostCopied = 100_000;
const mostWork = 50_000_000;

const contains = part("contains", (whole, text) => whole.includes(text));

const matches: Operator<Pattern> = {
  label: "matches",
  phrase: "{field} matches {value}",
  fields: ["text", "list"],
  value: "pattern",
  over: "items",
  exact: true,
  prepare: preparePattern,
  // an instruction and a character take eight nanoseconds at worst, a step about a hundred
  cost: ({ words, size }: Pattern) => words?.length ?? size * 4,
  test: (left, right) => find(right, textOf(left)),
  hint: ({ source }) => {
    const words = alternatives(source);
    return words === null ? null : { kind: "keyword", keys: words.map(fold) };
  },
};

/** Operators that look into a text. Numbers and booleans are read as the text they print. */
export const textOperators = {
  contains,
  not_contains: negation(contains, { label: "does not contain", phrase: "{field} does not contain {value}" }),
  starts_with: part("starts with", (whole, text) => whole.startsWith(text)),
  ends_with: part("ends with", (whole, text) => whole.endsWith(text)),
  matches,
  not_matches: negation(matches, { label: "does not match", phrase: "{field} does not match {value}" }),
  longer_than: long("is longer than", (length, count) => length > count),
  shorter_than: long("is shorter than", (length, count) => length < count),
};

function part(label: string, find: (whole: string, text: string) => boolean): Operator<Part> {
  return {
    label,
    phrase: `{field} ${label} {value}`,
    fields: ["text", "list"],
    value: "text",
    over: "items",
    exact: true,
    prepare(value, exact) {
      const text = textOf(value);
      return text === "" ? null : { exact, text: exact ? text : fold(text) };
    },
    test: (left, { text, exact }) => find(exact ? textOf(left) : fold(textOf(left)), text),
    hint: ({ text }) => ({ kind: "keyword", keys: [fold(text)] }),
  };
}

function long(label: string, test: (length: number, count: number) => boolean): Operator<number> {
  return {
    label,
    phrase: `{field} ${label} {value} characters`,
    fields: ["text"],
    value: "number",
    over: "items",
    prepare(value) {
      const count = numberOf(value);
      if (!(count >= 0)) throw new OperandFault(`${brief(value)} is no number of characters`);
      return count;
    },
    test: (left, count) => test(countCharacters(textOf(left)), count),
  };
}

/**
 * RE2 has no look-around and no back references: time grows with the pattern's program times the text's length, and both
 * are limited. Measured with re2js: up to 8 ns for each instruction and character, so a test ends within half a second.
 */
function preparePattern(value: unknown, exact: boolean): Pattern | null {
  const source = textOf(value);
  if (source === "") return null;
  if (source.length > longestPattern)
    throw new OperandFault(`a pattern has at most ${longestPattern} characters`, "regex_invalid");
  let copies = 1;
  for (const [, least, most] of source.matchAll(/\{(\d+)(?:,(\d*))?\}/g))
    copies += Math.max(Number(least), Number(most ?? 0));
  // Asked before compiling, which copies what is repeated.
  if (source.length * copies > mostCopied) throw new OperandFault("the pattern repeats too much", "regex_invalid");
  try {
    const expression = RE2JS.compile(source, exact ? 0 : RE2JS.CASE_INSENSITIVE);
    const words = alternatives(source)?.map((word) => (exact ? word : fold(word))) ?? null;
    return { source, expression, words, exact, size: expression.programSize() };
  } catch (error) {
    throw new OperandFault(`the pattern is not valid: ${(error as Error).message}`, "regex_invalid");
  }
}

function find({ expression, size, words, exact }: Pattern, text: string): boolean {
  if (words !== null) {
    const whole = exact ? text : fold(text);
    return words.some((word) => whole.includes(word));
  }
  if (size * text.length > mostWork) throw new OperandFault("the text is too long for this pattern", "regex_runaway");
  return expression.test(text);
}

/** The words of a pattern that is plain words parted by "|"; null for any other. ASCII only: there `fold` and RE2 agree on capitals. */
function alternatives(source: string): string[] | null {
  return /^[\w @#%&'",:;<>=!~/-]+(?:\|[\w @#%&'",:;<>=!~/-]+)*$/.test(source) ? source.split("|") : null;
}
