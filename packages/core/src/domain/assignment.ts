import type { Id } from "../model/common.ts";

/** How a user is picked who is not named. */
export const ways = ["round_robin", "least_busy", "last_replied"] as const;
export type Way = (typeof ways)[number];

/** Somebody who could take a conversation. */
export interface Candidate {
  readonly user: Id;
  /** whether they are online */
  readonly available: boolean;
  /** how many open conversations they hold beside the one that is to be given */
  readonly open: number;
  /** how many they are to hold at most; null: as many as come */
  readonly capacity: number | null;
}

/** What is asked for, and what is remembered of before. */
export interface Choice {
  /** null: there is one candidate, who was named */
  readonly by: Way | null;
  /** nobody but who is available */
  readonly onlyAvailable: boolean;
  /** who got the last one in turn; they may be no candidate any more */
  readonly last: Id | null;
}

/** Whether a user holds fewer than they are to hold at most. */
const hasRoom = ({ open, capacity }: Candidate): boolean => capacity === null || open < capacity;

/**
 * Picks who gets a conversation: the one place that does (DESIGN section 1: assignee). Nobody gets more than they are to hold
 * at most. Those who are available go first; where none of them has room, and not only they are asked for, anybody with room
 * is as good. Null: nobody can take it. The answer depends on who the candidates are and not on their order.
 */
export function choose(candidates: readonly Candidate[], { by, onlyAvailable, last }: Choice): Id | null {
  const room = candidates.filter(hasRoom);
  const available = room.filter((each) => each.available);
  const able = available.length > 0 || onlyAvailable ? available : room;
  return by === "round_robin" ? nextInTurn(able, last) : leastBusy(able);
}

/** The first by id after who was last, round and round: whoever has one waits until all others who can have had one. */
function nextInTurn(able: readonly Candidate[], last: Id | null): Id | null {
  const users = able.map((each) => each.user).sort();
  return users.find((user) => last === null || user > last) ?? users[0] ?? null;
}

/** The one with the fewest open conversations, the first by id among equals. */
function leastBusy(able: readonly Candidate[]): Id | null {
  let best: Candidate | null = null;
  for (const each of able)
    if (best === null || each.open < best.open || (each.open === best.open && each.user < best.user)) best = each;
  return best?.user ?? null;
}
