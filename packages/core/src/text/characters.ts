import { jsonText } from "../model/json.ts";

/** Half of a character that takes two UTF-16 units. Most texts hold none, and are then cut by units, which is cheap. */
const half = /[\ud800-\udfff]/;

/** The characters of a text, by code point, so that an emoji is one and never two halves. */
export const charactersOf = (text: string): readonly string[] => (half.test(text) ? Array.from(text) : text.split(""));

/** How many characters a text has, counted as `charactersOf` does. */
export function countCharacters(text: string): number {
  if (!half.test(text)) return text.length;
  let count = 0;
  for (let at = 0; at < text.length; at += widthAt(text, at)) count += 1;
  return count;
}

/** As `String.slice`, counted in characters. Goes over the text in place: a list of its characters takes ten times as long. */
export function sliceCharacters(text: string, from: number, to = Number.POSITIVE_INFINITY): string {
  if (!half.test(text)) return text.slice(from, to);
  const size = from < 0 || to < 0 ? countCharacters(text) : 0;
  const begin = from < 0 ? Math.max(0, size + from) : from;
  const count = (to < 0 ? size + to : to) - begin;
  const start = unitsAfter(text, 0, begin);
  return text.slice(start, unitsAfter(text, start, count));
}

/** Where so many characters from a place on end. */
function unitsAfter(text: string, place: number, count: number): number {
  let at = place;
  for (let n = 0; n < count && at < text.length; n += 1) at += widthAt(text, at);
  return at;
}

/** Units of the character that begins at a place. */
function widthAt(text: string, at: number): 1 | 2 {
  const code = text.charCodeAt(at);
  if (code < 0xd800 || code >= 0xdc00) return 1;
  const next = text.charCodeAt(at + 1);
  return next >= 0xdc00 && next < 0xe000 ? 2 : 1;
}

/** The beginning of a text, at most so many UTF-16 units long; a character of two units stays whole or goes. */
export function cut(text: string, units: number): string {
  if (text.length <= units) return text;
  const last = text.charCodeAt(units - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? units - 1 : units);
}

/** A value as a message may show it: as JSON, on one line, at most 60 long. */
export function brief(value: unknown): string {
  const text = value === undefined ? "nothing" : jsonText(value);
  return text.length > 60 ? `${cut(text, 57)}...` : text;
}
