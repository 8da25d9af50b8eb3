import { charactersOf, countCharacters, sliceCharacters } from "../text/characters.ts";
import { jsonText } from "../model/json.ts";
import type { Filter } from "./filters.ts";
import { member } from "./liquid-operand.ts";
import { checkLength, order, same, spend, toList, toNumber, toText, truthy, type Frame } from "./liquid-value.ts";

/** Filters over lists; a value that is no list counts as a list of one. */
export const listFilters = {
  join: {
    takes: [0, 1],
    run: (input, [between], frame) => {
      const items = toList(input, frame).map(toText);
      const glue = between === undefined ? " " : toText(between);
      checkLength(items.reduce((length, item) => length + item.length + glue.length, 0) - glue.length);
      return items.join(glue);
    },
  },
  first: { takes: [0, 0], run: (input) => (Array.isArray(input) ? input[0] : sliceCharacters(toText(input), 0, 1)) },
  last: { takes: [0, 0], run: (input) => (Array.isArray(input) ? input.at(-1) : sliceCharacters(toText(input), -1)) },
  size: {
    takes: [0, 0],
    run: (input) => (typeof input === "string" ? countCharacters(input) : Array.isArray(input) ? input.length : 0),
  },
  reverse: { takes: [0, 0], run: (input, _, frame) => toList(input, frame).toReversed() },
  compact: {
    takes: [0, 0],
    run: (input, _, frame) => toList(input, frame).filter((item) => item !== null && item !== undefined),
  },
  map: { takes: [1, 1], run: (input, [name], frame) => toList(input, frame).map((item) => deep(item, name)) },
  where: {
    takes: [1, 2],
    run: (input, [name, wanted], frame) =>
      toList(input, frame).filter((item) =>
        wanted === undefined ? truthy(deep(item, name)) : same(deep(item, name), wanted),
      ),
  },
  sort: {
    takes: [0, 1],
    run: (input, [name], frame) => {
      const items = toList(input, frame);
      spend(frame, items.length * 16);
      const key = name === undefined ? (item: unknown) => item : (item: unknown) => deep(item, name);
      return items
        .map((item) => [key(item), item] as const)
        .toSorted((a, b) => ascending(a[0], b[0]))
        .map(([, item]) => item);
    },
  },
  uniq: {
    takes: [0, 0],
    // by what they hold: whether two stand for one object in memory is nothing that a text may tell
    run: (input, _, frame) => [...new Map(toList(input, frame).map((item) => [identityOf(item), item])).values()],
  },
  slice: {
    takes: [1, 2],
    run: (input, [from, count]) => {
      const list = Array.isArray(input);
      const whole = list ? (input as unknown[]) : charactersOf(toText(input));
      const start = Math.trunc(toNumber(from));
      const begin = start < 0 ? whole.length + start : start;
      const length = count === undefined ? 1 : Math.trunc(toNumber(count));
      const some = begin < 0 || length < 0 ? [] : whole.slice(begin, begin + length);
      return list ? some : some.join("");
    },
  },
  split: {
    takes: [1, 1],
    run: (input, [by], frame: Frame) => {
      const between = toText(by);
      const parts = between === "" ? [...charactersOf(toText(input))] : toText(input).split(between);
      // A trailing separator ends the last item rather than beginning an empty one.
      while (parts.length > 0 && parts.at(-1) === "") parts.pop();
      spend(frame, parts.length);
      return parts;
    },
  },
} satisfies Record<string, Filter>;

const identityOf = (item: unknown): unknown =>
  typeof item === "object" && item !== null ? `${jsonText(item)}\0` : item;

function deep(item: unknown, path: unknown): unknown {
  return toText(path)
    .split(".")
    .reduce<unknown>((value, key) => member(value, key), item);
}

/** A total order: numbers, then texts, then all else in its place; missing last. */
function ascending(a: unknown, b: unknown): number {
  const rank = kind(a) - kind(b);
  return rank === 0 ? order(a, b) || 0 : rank;
}

function kind(value: unknown): number {
  if (value === null || value === undefined) return 3;
  return typeof value === "number" ? 0 : typeof value === "string" ? 1 : 2;
}
