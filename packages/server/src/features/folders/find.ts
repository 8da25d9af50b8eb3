import { type Filter, type Json, readFilter, refuse, type SettingsIndex } from "@threadmill/core";
import type { Pool } from "pg";
import type { Refused } from "../../http/route.ts";
import type { Place } from "../../lanes/port.ts";
import { builtInFolders, type Folder } from "./built-in.ts";
import { readFolder } from "./store.ts";

/** The teams of a user that work. */
export const teamsOf = (settings: SettingsIndex, user: string | null): readonly string[] =>
  settings.all.teams
    .filter((team) => team.archived_at === null && user !== null && team.members.includes(user))
    .map((team) => team.id);

/** The folder of that name or id, as one user has it; null where there is none. */
export async function findFolder(
  pool: Pool,
  place: Place,
  name: string,
  settings: SettingsIndex,
  user: string | null,
): Promise<Folder | null> {
  const builtIn = builtInFolders(teamsOf(settings, user)).find((folder) => folder.id === name);
  if (builtIn !== undefined) return builtIn;
  return isUuid(name) ? readFolder(pool, place, name, user) : null;
}

const isUuid = (text: string): boolean => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);

/** Reads a condition as a filter over conversations for one who looks; a refusal lists all that is wrong with it. */
export function conversationFilter(
  json: Json,
  settings: SettingsIndex,
  { user, at, path }: { readonly user: string | null; readonly at: string; readonly path: string },
): Filter | Refused {
  const found = readFilter(json, { subject: "conversation", settings, at, user, path });
  if (found.ok) return found.filter;
  const problems = found.problems.map(({ code, path: place, message }) => ({ code, path: place, message }));
  return { ...refuse("invalid", "filter_invalid", "The filter has mistakes", path), problems };
}
