// How rows that are read rarely say less: the log's events and the steps of finished runs.

/** Ids of one root begin with their instant and the version. */
const beginning = 15;
const idLength = 36;
const sign = "~";

/** The end of an id that begins as another does; any other text as it is. */
export const cutId = (id: string, like: string): string =>
  id.length === idLength && id.startsWith(like.slice(0, beginning)) ? id.slice(beginning) : id;

/** An id that `cutId` cut, whole again. */
export const wholeId = (id: string, like: string): string =>
  id.length === idLength - beginning ? like.slice(0, beginning) + id : id;

/** A text as a sign where it is what its place usually holds; what begins with the sign by itself gets another. */
export function signed(text: string, usual: string | null): string {
  if (text === usual) return sign;
  return text.startsWith(sign) ? sign + text : text;
}

/** What `signed` wrote, given what its place usually holds. */
export function meant(text: string, usual: string | null): string {
  if (text === sign) return usual as string;
  return text.startsWith(sign) ? text.slice(sign.length) : text;
}
