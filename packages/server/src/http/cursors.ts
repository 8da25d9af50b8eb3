import type { SecretBox } from "../secrets/secret-box.ts";

/** Makes cursors of spots and spots of cursors. */
export interface Cursors {
  /** The cursor that stands for a spot of a list: for what its order compares of the last row that was shown. */
  write(spot: unknown, list: readonly string[]): string;
  /** The spot that a cursor stands for; null for one that was not written here for this very list. */
  read(cursor: string, list: readonly string[]): unknown;
}

/**
 * Cursors are sealed: nobody can make one up or read what the order of a list is made of, and one opens only for the list
 * it was written for. `list` says which that is: organization, address, filters.
 */
export function sealedCursors(box: SecretBox): Cursors {
  const own = box.of("cursors");
  return {
    write: (spot, list) => own.seal(JSON.stringify(spot), ["cursor", ...list]),
    read(cursor, list) {
      const opened = own.open(cursor, ["cursor", ...list]);
      return opened.ok ? (JSON.parse(opened.text) as unknown) : null;
    },
  };
}
