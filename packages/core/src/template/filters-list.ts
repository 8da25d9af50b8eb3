import { charactersOf, countCharacters, sliceCharacters } from "../text/characters.ts";
import type { Filter } from "./filter.ts";
import { limits } from "./limits.ts";
import { member } from "./liquid-operand.ts";
import { checkLength, json, order, same, spend, toList, toNumber, toText, truthy, type Frame } from "./liquid-value.ts";
import { TemplateFault } from "./problem.ts";

/** Filters over lists; a value that is no list counts as a list of one. */
export const listFilters = {
  join: {
    takes: [0, 1],
    run: (input, [between], frame) => {
      const items = toList(input, frame).map((item) => toText(item, frame));
      const glue = between === undefined ? " " : toText(between, frame);
      checkLength(items.reduce((length, item) => length + item.length + glue.length, 0) - glue.length);
      return items.join(glue);
    },
  },
  first: {
    takes: [0, 0],
    run: (input, _, frame) => (Array.isArray(input) ? input[0] : sliceCharacters(toText(input, frame), 0, 1)),
  },
  last: {
    takes: [0, 0],
    run: (input, _, frame) => (Array.isArray(input) ? input.at(-1) : sliceCharacters(toText(input, frame), -1)),
  },
  size: {
    takes: [0, 0],
    run: (input) => (typeof input === "string" ? countCharacters(input) : Array.isArray(input) ? input.length : 0),
  },
  reverse: { takes: [0, 0], run: (input, _, frame) => toList(input, frame).toReversed() },
  compact: {
    takes: [0, 0],
    run: (input, _, frame) => toList(input, frame).filter((item) => item !== null && item !== undefined),
  },
  map: {
    takes: [1, 1],
    run: (input, [name], frame) => {
      const items = toList(input, frame);
      return items.map(reader(name, items.length, frame));
    },
  },
  where: {
    takes: [1, 2],
    run: (input, [name, wanted], frame) => {
      const items = toList(input, frame);
      const read = reader(name, items.length, frame);
      return items.filter((item) => (wanted === undefined ? truthy(read(item)) : same(read(item), wanted, frame)));
    },
  },
  sort: {
    takes: [0, 1],
    run: (input, [name], frame) => {
      const items = toList(input, frame);
      spend(frame, items.length * 16);
      const read = name === undefined ? (item: unknown) => item : reader(name, items.length, frame);
      return items
        .map((item) => [read(item), item] as const)
        .toSorted((a, b) => ascending(a[0], b[0], frame))
        .map(([, item]) => item);
    },
  },
  uniq: {
    takes: [0, 0],
    run: (input, _, frame) => {
      const items = toList(input, frame);
      // by what they hold: whether two stand for one object in memory is nothing that a text may tell
      return [...new Map(items.map((item) => [identityOf(item, frame), item])).values()];
    },
  },
  slice: {
    takes: [1, 2],
    run: (input, [from, count], frame) => {
      const whole = Array.isArray(input) ? (input as unknown[]) : toText(input, frame);
      const size = typeof whole === "string" ? countCharacters(whole) : whole.length;
      const start = Math.trunc(toNumber(from));
      const begin = start < 0 ? size + start : start;
      const length = count === undefined ? 1 : Math.trunc(toNumber(count));
      const [low, high] = begin < 0 || length < 0 ? [0, 0] : [begin, begin + length];
      if (typeof whole === "string") return sliceCharacters(whole, low, high);
      const some = whole.slice(low, high);
      spend(frame, some.length);
      return some;
    },
  },
  split: {
    takes: [1, 1],
    run: (input, [by], frame: Frame) => {
      const text = toText(input, frame);
      const between = toText(by, frame);
      const parts = between === "" ? [...charactersOf(text)] : text.split(between);
      // A trailing separator ends the last item rather than beginning an empty one.
      while (parts.length > 0 && parts.at(-1) === "") parts.pop();
      spend(frame, parts.length);
      return parts;
    },
  },
} satisfies Record<string, Filter>;

function identityOf(item: unknown, frame: Frame): unknown {
  if (typeof item === "object" && item !== null) return `${json(item, frame)}\0`;
  if (typeof item === "string") spend(frame, item.length >> 6);
  return item;
}

/** Reads a path such as "lines.first.sku" in each of some items; all of that is paid for at once. */
function reader(path: unknown, items: number, frame: Frame): (item: unknown) => unknown {
  const keys = toText(path, frame).split(".", limits.pathSteps + 1);
  if (keys.length > limits.pathSteps)
    throw new TemplateFault("template_runaway", `a path has at most ${limits.pathSteps} steps`);
  spend(frame, items * keys.length);
  return (item) => keys.reduce<unknown>((value, key) => member(value, key, frame), item);
}

/** A total order: numbers, then texts, then all else in its place; missing last. */
function ascending(a: unknown, b: unknown, frame: Frame): number {
  const rank = kind(a) - kind(b);
  return rank === 0 ? order(a, b, frame) || 0 : rank;
}

function kind(value: unknown): number {
  if (value === null || value === undefined) return 3;
  return typeof value === "number" ? 0 : typeof value === "string" ? 1 : 2;
}
