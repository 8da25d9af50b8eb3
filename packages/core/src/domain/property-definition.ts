import { RE2JS } from "re2js";
import type { Json } from "../model/common.ts";
import { namesOf } from "../model/json.ts";
import { type Refusal, refuse } from "../model/command.ts";
import type { PropertyDefinition, PropertyRules, PropertyType } from "../model/settings.ts";
import { brief, countCharacters } from "../text/characters.ts";
import { parseDate } from "../time/civil.ts";
import { isInstant } from "../time/instant.ts";

type Definition = Pick<PropertyDefinition, "type" | "options" | "rules">;

interface TypeFacts {
  /** what a value of it is, in words */
  readonly expected: string;
  readonly fits: (value: Json, definition: Definition) => boolean;
  readonly rules: readonly (keyof PropertyRules)[];
  /** whether there are options to choose from */
  readonly options?: true;
}

/** A text with a rule of its own is no essay: time grows with the pattern's program times the text's length. */
const longestMatched = 1_000;
const largestProgram = 2_000;

const isTexts = (value: Json): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string");
const isText = (value: Json): value is string => typeof value === "string";
const ofText = ["min_length", "max_length", "pattern"] as const;
const ofItems = ["min_items", "max_items"] as const;
const linkForm = /^https?:\/\/[^\s/?#]+(?:[/?#]\S*)?$/i;

const isLink = (value: Json): boolean => isText(value) && value.length <= 2048 && linkForm.test(value);

/** What there is to know of each type of property. */
const types: Record<PropertyType, TypeFacts> = {
  text: { expected: "a text", fits: isText, rules: ofText },
  long_text: { expected: "a text", fits: isText, rules: ofText },
  number: {
    expected: "a number",
    fits: (value) => typeof value === "number" && Number.isFinite(value),
    rules: ["min", "max"],
  },
  boolean: { expected: "true or false", fits: (value) => typeof value === "boolean", rules: [] },
  date: {
    expected: "a date as 2026-11-20, or an instant",
    fits: (value) => isText(value) && (parseDate(value) !== null || isInstant(value)),
    rules: [],
  },
  instant: {
    expected: "an instant as 2026-11-20T17:00:00.000Z",
    fits: (value) => isText(value) && isInstant(value),
    rules: [],
  },
  choice: {
    expected: "one of its options",
    fits: (value, { options }) => isText(value) && options.includes(value),
    rules: [],
    options: true,
  },
  choices: {
    expected: "a list of some of its options, each once",
    fits: (value, { options }) =>
      isTexts(value) && new Set(value).size === value.length && value.every((item) => options.includes(item)),
    rules: ofItems,
    options: true,
  },
  list: { expected: "a list of texts", fits: isTexts, rules: ofItems },
  link: {
    expected: "an address that begins with http:// or https://, of 2,048 characters at most",
    fits: isLink,
    rules: ["pattern"],
  },
};

/** Why a definition cannot be as it is, or null. */
export function definitionProblem(definition: Definition): Refusal | null {
  const { type, options: choices, rules } = definition;
  const facts = types[type];
  if (facts.options === undefined && choices.length > 0)
    return refuse("invalid", "options_unexpected", "Only a property of type choice or choices has options", "/options");
  if (facts.options === true && choices.length === 0)
    return refuse("invalid", "options_missing", "A choice needs options", "/options");
  if (new Set(choices).size !== choices.length)
    return refuse("invalid", "option_twice", "An option is named twice", "/options");
  const foreign = namesOf(rules).find((name) => !facts.rules.includes(name as keyof PropertyRules));
  if (foreign !== undefined)
    return refuse(
      "invalid",
      "rule_unexpected",
      `A property of type ${type} has no rule "${foreign}"`,
      `/rules/${foreign}`,
    );
  for (const [least, most] of [
    ["min", "max"],
    ["min_length", "max_length"],
    ["min_items", "max_items"],
  ] as const) {
    if ((rules[least] ?? -Infinity) > (rules[most] ?? Infinity))
      return refuse("invalid", "rule_impossible", `"${least}" is more than "${most}"`, `/rules/${least}`);
  }
  return rules.pattern === undefined ? null : patternProblem(rules.pattern);
}

function patternProblem(pattern: string): Refusal | null {
  const invalid = (why: string) => refuse("invalid", "pattern_invalid", why, "/rules/pattern");
  // asked before compiling, which copies what is repeated
  let copies = 1;
  for (const [, least, most] of pattern.matchAll(/\{(\d+)(?:,(\d*))?\}/g))
    copies *= Math.max(1, Number(least), Number(most ?? 0));
  if (pattern.length * copies > 20_000) return invalid("The pattern repeats too much");
  try {
    return compiled(pattern).programSize() > largestProgram ? invalid("The pattern is too large") : null;
  } catch (error) {
    return invalid(`The pattern is not valid: ${(error as Error).message}`);
  }
}

const patterns = new Map<string, RE2JS>();
const patternsAtMost = 1_000;

/** Compiled at first use and remembered, as the same few are asked again and again. */
function compiled(pattern: string): RE2JS {
  let expression = patterns.get(pattern);
  if (expression === undefined) {
    if (patterns.size >= patternsAtMost) patterns.clear();
    patterns.set(pattern, (expression = RE2JS.compile(pattern)));
  }
  return expression;
}

/** Why a value is none of a property, or null. */
export function valueProblem(name: string, definition: Definition, value: Json, path: string): Refusal | null {
  const { expected, fits } = types[definition.type];
  if (!fits(value, definition))
    return refuse("invalid", "property_type", `The property ${name} takes ${expected}`, path);
  const broken = ruleBroken(definition.rules, value);
  return broken === null ? null : refuse("invalid", "property_value", `The property ${name} takes ${broken}`, path);
}

/** What the rules want of a value that is not so; null where it is. */
function ruleBroken({ min, max, min_length, max_length, pattern, min_items, max_items }: PropertyRules, value: Json) {
  if (typeof value === "number") {
    if (value < (min ?? -Infinity)) return `${min} at least`;
    return value > (max ?? Infinity) ? `${max} at most` : null;
  }
  if (Array.isArray(value)) {
    if (value.length < (min_items ?? 0)) return `${min_items} items at least`;
    return value.length > (max_items ?? Infinity) ? `${max_items} items at most` : null;
  }
  if (typeof value !== "string") return null;
  const length = min_length === undefined && max_length === undefined ? 0 : countCharacters(value);
  if (length < (min_length ?? 0)) return `${min_length} characters at least`;
  if (length > (max_length ?? Infinity)) return `${max_length} characters at most`;
  if (pattern === undefined) return null;
  if (value.length > longestMatched) return `${longestMatched} characters at most, as it has a pattern`;
  return compiled(pattern).matches(value) ? null : `a text of the form ${brief(pattern)}`;
}

const longestLine = 200;

/** The type of a property that holds such a value, for one that nobody defined; null where no type says it. */
export function typeOfValue(value: Json): PropertyType | null {
  if (typeof value === "number") return "number";
  if (typeof value === "boolean") return "boolean";
  if (isTexts(value)) return "list";
  if (typeof value !== "string") return null;
  if (parseDate(value) !== null) return "date";
  if (isLink(value)) return "link";
  if (value.length > longestLine || value.includes("\n")) return "long_text";
  return isInstant(value) ? "instant" : "text";
}
