import type { User } from "../../model/settings.ts";

export const presenceStatuses = ["online", "away", "offline"] as const;
export type PresenceStatus = (typeof presenceStatuses)[number];

/** What is known of whether a user is there: what they said themselves counts for more than what was seen of them. */
export interface Known {
  /** what was said by hand, until it is taken back; null: what is seen counts */
  readonly chosen: PresenceStatus | null;
  /** what their pages, or their working hours, show; null: nothing was seen yet */
  readonly seen: PresenceStatus | null;
}

/** Whether a user is there. AI assistants have no pages and keep no hours: they are there unless it is said otherwise. */
export const statusOf = (kind: User["kind"] | undefined, { chosen, seen }: Known): PresenceStatus =>
  chosen ?? (kind === "assistant" ? "online" : (seen ?? "offline"));

/** Whether a user can be given something now; `status` is null where nothing is known of them. */
export const isAvailable = (kind: User["kind"] | undefined, status: PresenceStatus | null): boolean =>
  (status ?? statusOf(kind, { chosen: null, seen: null })) === "online";
