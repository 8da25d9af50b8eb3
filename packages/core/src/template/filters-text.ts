import { charactersOf, countCharacters, sliceCharacters } from "../text/characters.ts";
import type { Filter } from "./filter.ts";
import { checkLength, type Frame, json, spend, toNumber, toText } from "./liquid-value.ts";

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
};

/** Filters over text; any other value is printed first. Results that could outgrow the limit are measured before they are made. */
export const textFilters = {
  upcase: plain((text) => text.toUpperCase()),
  downcase: plain((text) => text.toLowerCase()),
  capitalize: plain((text) => {
    const first = sliceCharacters(text, 0, 1);
    return first.toUpperCase() + text.slice(first.length).toLowerCase();
  }),
  strip: plain((text) => text.trim()),
  lstrip: plain((text) => text.trimStart()),
  rstrip: plain((text) => text.trimEnd()),
  strip_newlines: plain((text) => text.replaceAll(/\r?\n/g, "")),
  newline_to_br: plain((text) => text.replaceAll(/\r?\n/g, "<br />\n")),
  escape: plain((text) => text.replaceAll(/[&<>"']/g, (letter) => entities[letter]!)),
  url_encode: plain((text) => encodeURIComponent(text).replaceAll("%20", "+")),
  json: { takes: [0, 0], run: (input, _, frame) => measured(json(input, frame)) },
  append: { takes: [1, 1], run: (input, [end], frame) => both(toText(input, frame), toText(end, frame)) },
  prepend: { takes: [1, 1], run: (input, [start], frame) => both(toText(start, frame), toText(input, frame)) },
  remove: {
    takes: [1, 1],
    run: (input, [part], frame) => replace(toText(input, frame), toText(part, frame), "", frame),
  },
  replace: {
    takes: [1, 2],
    run: (input, [part, by], frame) => replace(toText(input, frame), toText(part, frame), toText(by, frame), frame),
  },
  replace_first: {
    takes: [1, 2],
    run: (input, [part, by], frame) =>
      measured(toText(input, frame).replace(toText(part, frame), () => toText(by, frame))),
  },
  truncate: {
    takes: [0, 2],
    run: (input, [length, end], frame) =>
      truncate(toText(input, frame), length === undefined ? 50 : Math.trunc(toNumber(length)), ending(end, frame)),
  },
  truncatewords: {
    takes: [0, 2],
    run: (input, [count, end], frame) => {
      const words = toText(input, frame).split(/\s+/).filter(Boolean);
      spend(frame, words.length);
      const most = Math.max(1, count === undefined ? 15 : Math.trunc(toNumber(count)));
      return words.length > most ? both(words.slice(0, most).join(" "), ending(end, frame)) : words.join(" ");
    },
  },
} satisfies Record<string, Filter>;

function plain(change: (text: string) => string): Filter {
  return { takes: [0, 0], run: (input, _, frame) => measured(change(toText(input, frame))) };
}

function measured(text: string): string {
  checkLength(text.length);
  return text;
}

function both(start: string, end: string): string {
  checkLength(start.length + end.length);
  return start + end;
}

function replace(text: string, part: string, by: string, frame: Frame): string {
  const pieces = part === "" ? charactersOf(text) : text.split(part);
  spend(frame, pieces.length);
  checkLength(text.length + (pieces.length - 1) * (by.length - part.length));
  return pieces.join(by);
}

function ending(end: unknown, frame: Frame): string {
  return end === undefined ? "..." : toText(end, frame);
}

/** `length` counts the ending too, and everything in characters. */
function truncate(text: string, length: number, end: string): string {
  if (countCharacters(text) <= length) return text;
  return both(sliceCharacters(text, 0, Math.max(0, length - countCharacters(end))), end);
}
