import type { Json } from "@threadmill/core";
import type { Only, Sort } from "../listings/query.ts";

/** A list of conversations that somebody named. */
export interface Folder {
  readonly id: string;
  /** whose it is; null: everybody's */
  readonly owner: string | null;
  readonly name: string;
  readonly icon: string | null;
  readonly position: number;
  /** a condition, as workflows have them */
  readonly filter: Json;
  /** what the one who looks has to do with its conversations */
  readonly only: Only | null;
  readonly sort: Sort;
}

const status = (...words: string[]): Json => ({ field: "conversation.status", op: "in", value: words });
const all = (...conditions: Json[]): Json => ({ all: conditions });
const unanswered = status("open", "pending");

/** The folders that every organization has. Each is a filter like any that a user saves; `teams` are those of who looks. */
export function builtInFolders(teams: readonly string[]): readonly Folder[] {
  const own = { field: "conversation.assignee", op: "is", value: { ref: "user.id" } };
  const ofTeams: Json =
    teams.length === 0 ? { not: { all: [] } } : { field: "conversation.team", op: "in", value: teams };
  const folders: readonly Pick<Folder, "id" | "name" | "icon" | "filter" | "sort" | "only">[] = [
    {
      id: "unassigned",
      name: "Unassigned",
      icon: "inbox",
      filter: all(unanswered, { field: "conversation.assignee", op: "is_not_set" }),
      sort: "last_message",
      only: null,
    },
    { id: "mine", name: "Mine", icon: "user", filter: all(unanswered, own), sort: "last_message", only: null },
    { id: "team", name: "Team", icon: "users", filter: all(unanswered, ofTeams), sort: "last_message", only: null },
    { id: "mentions", name: "Mentions", icon: "at", filter: all(), sort: "last_message", only: "mentioned" },
    {
      id: "waiting",
      name: "Waiting",
      icon: "clock",
      filter: all(unanswered, { field: "conversation.waiting_since", op: "is_set" }),
      sort: "waiting",
      only: null,
    },
    { id: "snoozed", name: "Snoozed", icon: "moon", filter: status("snoozed"), sort: "last_message", only: null },
    { id: "spam", name: "Spam", icon: "ban", filter: status("spam"), sort: "last_message", only: null },
    { id: "closed", name: "Closed", icon: "check", filter: status("closed"), sort: "last_message", only: null },
    { id: "all", name: "All", icon: "stack", filter: all(), sort: "last_message", only: null },
  ];
  return folders.map((folder, position) => ({ ...folder, owner: null, position }));
}
