/** Words longer than this have no neighbour: nobody mistypes a whole text. */
const longestWord = 40;
/** So many known words are looked at: a document may hold thousands of mistakes, and each looks. */
const mostKnown = 100;

/**
 * The known word that a mistaken one most likely means: the one with the fewest letters added, left out, replaced or
 * swapped, a third of them at most; the first of several. Null where none is near, or not among the first hundred.
 */
export function nearest(word: string, known: Iterable<string>): string | null {
  if (word.length > longestWord) return null;
  let best: string | null = null;
  let least = Math.floor(word.length / 3) + 1;
  let looked = 0;
  for (const each of known) {
    if ((looked += 1) > mostKnown) break;
    if (Math.abs(each.length - word.length) >= least) continue;
    const distance = editsBetween(word.toLowerCase(), each.toLowerCase());
    if (distance < least) [best, least] = [each, distance];
  }
  return best;
}

/** The sentence that names the nearest known word, to follow another; empty where there is none. */
export function didYouMean(word: unknown, known: Iterable<string>): string {
  const found = typeof word === "string" ? nearest(word, known) : null;
  return found === null ? "" : `; did you mean "${found}"?`;
}

/** Edits from one word to another, two neighbours swapped counting as one. */
function editsBetween(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let edits = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) edits = Math.min(edits, before[j - 2]! + 1);
      next.push(edits);
    }
    before = row;
    row = next;
  }
  return row[b.length]!;
}
