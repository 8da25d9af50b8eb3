// How rows that are read rarely say less: the log's events and the steps of finished runs.
import type { Words } from "./words.ts";

/** Ids of one root begin with their instant and the version. */
const beginning = 15;
const idLength = 36;
const sign = "~";
const signCode = 0x7e;

/** Writes as JSON the end of an id that begins as another does; any other text as it is. */
export function writeCut(words: Words, id: string, like: string): void {
  words.string(id, id.length === idLength && beginsAlike(id, like) ? beginning : 0);
}

/** As `id.startsWith(like.slice(0, beginning))`, which makes a text. */
function beginsAlike(id: string, like: string): boolean {
  const length = Math.min(beginning, like.length);
  for (let n = 0; n < length; n += 1) if (id.charCodeAt(n) !== like.charCodeAt(n)) return false;
  return true;
}

/** An id that `writeCut` cut, whole again. */
export const wholeId = (id: string, like: string): string =>
  id.length === idLength - beginning ? like.slice(0, beginning) + id : id;

/** Writes a text as JSON: as a sign where it is what its place usually holds; what begins with the sign by itself gets another. */
export function writeSigned(words: Words, text: string, usual: string | null): void {
  if (text === usual) words.plain(`"${sign}"`);
  else words.string(text.charCodeAt(0) === signCode ? sign + text : text);
}

/** What `writeSigned` wrote, given what its place usually holds. */
export function meant(text: string, usual: string | null): string {
  if (text === sign) return usual as string;
  return text.startsWith(sign) ? text.slice(sign.length) : text;
}
