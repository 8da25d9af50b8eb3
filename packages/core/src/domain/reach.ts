import type { Id } from "../model/common.ts";

/** What a conversation says of who may see it. */
export interface Standpoint {
  readonly mailbox: Id;
  readonly team: Id | null;
  readonly assignee: Id | null;
}

/** Of the conversations in the mailboxes: all, those of one's teams and one's own, or one's own alone. */
export type ReachOf = "all" | "teams" | "own";

/** The conversations that a right holds for. Mailboxes are a wall: what is assigned within others is not reached. */
export interface Reach {
  /** null: all that there are and will be */
  readonly mailboxes: readonly Id[] | null;
  readonly of: ReachOf;
  /** whose own; null: nobody's */
  readonly user: Id | null;
  readonly teams: readonly Id[];
}

/** Every conversation there is. */
export const everywhere: Reach = { mailboxes: null, of: "all", user: null, teams: [] };
/** None. */
export const nowhere: Reach = { mailboxes: [], of: "all", user: null, teams: [] };

/** Whether nothing is kept from it, so that nothing has to be asked for row by row. */
export const isEverywhere = (reach: Reach): boolean => reach.mailboxes === null && reach.of === "all";

/** Whether a right holds for a conversation. */
export function reaches({ mailboxes, of, user, teams }: Reach, row: Standpoint): boolean {
  if (mailboxes !== null && !mailboxes.includes(row.mailbox)) return false;
  if (of === "all" || (user !== null && row.assignee === user)) return true;
  return of === "teams" && row.team !== null && teams.includes(row.team);
}
