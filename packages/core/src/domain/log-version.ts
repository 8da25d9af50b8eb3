import type { Change, LoggedTable } from "../model/event.ts";
import { membersOf } from "../model/json.ts";
import { changedMembers, memberFields, type Members } from "./members.ts";
import type { Row } from "./rows.ts";

/**
 * How the log's changes are written today, which each row of it names. 1: fields that hold values by name stood whole on
 * both sides; 2: only the members that changed. A default of a row's field that changes is another version: see below.
 */
export const logVersion = 2;

/**
 * What a field held by default up to a version, for those whose default is another from the next one on. A field that is
 * new, and whose default the migration gave to old rows too, needs no entry.
 */
export type FormerDefaults = { readonly [version: number]: { readonly [T in LoggedTable]?: Row } };
const formerDefaults: FormerDefaults = {};

/** A change as it would be written today, so that old rows of the log fold to what they made when they were written. */
export function upgradeChange<T extends Omit<Change, "id">>(
  change: T,
  version: number,
  former: FormerDefaults = formerDefaults,
): T {
  if (version >= logVersion) return change;
  const upgraded = version < 2 ? byMember(change) : change;
  if (upgraded.before !== null) return upgraded;
  let after: Row = upgraded.after;
  // the oldest last: what a row was made with is what its own version said
  for (let v = version; v < logVersion; v += 1) after = { ...former[v]?.[change.table], ...after };
  return { ...upgraded, after };
}

/** Of fields that stand whole on both sides, what differs. Both empty: they were blanked, and hold nothing since. */
function byMember<T extends Omit<Change, "id">>(change: T): T {
  const { before, after } = change;
  if (before === null) return change;
  let upgraded = change;
  for (const field of memberFields) {
    if (!Object.hasOwn(after, field)) continue;
    const [from, to] = [before[field] as Members, after[field] as Members];
    const blanked = membersOf(from).length === 0 && membersOf(to).length === 0;
    const differ = blanked ? { before: null, after: null } : changedMembers(from, to);
    upgraded = {
      ...upgraded,
      before: { ...upgraded.before, [field]: differ.before },
      after: { ...upgraded.after, [field]: differ.after },
    };
  }
  return upgraded;
}
