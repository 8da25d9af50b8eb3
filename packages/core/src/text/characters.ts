import { jsonText } from "../model/json.ts";

/** Half of a character that takes two UTF-16 units. Most texts hold none, and are then cut by units, which is cheap. */
const half = /[\ud800-\udfff]/;

/** The characters of a text, by code point, so that an emoji is one and never two halves. */
export const charactersOf = (text: string): readonly string[] => (half.test(text) ? Array.from(text) : text.split(""));

/** How many characters a text has, counted as `charactersOf` does. */
export function countCharacters(text: string): number {
  let count = text.length;
  if (half.test(text)) for (const character of text) count -= character.length - 1;
  return count;
}

/** As `String.slice`, counted in characters. */
export const sliceCharacters = (text: string, from: number, to?: number): string =>
  half.test(text) ? Array.from(text).slice(from, to).join("") : text.slice(from, to);

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
