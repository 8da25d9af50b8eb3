import type { SettingsIndex } from "../domain/settings-index.ts";
import { error, type Problem } from "./problem.ts";

/** The settings that a document may name by id or short name. */
export type SettingsReference = "user" | "team" | "mailbox" | "channel" | "calendar";

const nouns: ReadonlyMap<string, SettingsReference> = new Map([
  ["user", "user"],
  ["users", "user"],
  ["assignee", "user"],
  ["author", "user"],
  ["team", "team"],
  ["teams", "team"],
  ["mailbox", "mailbox"],
  ["mailboxes", "mailbox"],
  ["channel", "channel"],
  ["channels", "channel"],
  ["calendar", "calendar"],
  ["calendars", "calendar"],
]);

/** The noun that an input's field names by its own name; null where it names none. */
export const settingsNounOf = (field: string): SettingsReference | null => nouns.get(field) ?? null;

/** The problem of a name that stands for nothing, or for something archived. */
export function referenceProblem(
  settings: SettingsIndex,
  noun: SettingsReference,
  name: string,
  path: string,
): Problem[] {
  const found = settings[noun](name);
  if (found === null) return [error("reference_dangling", path, `There is no ${noun} "${name}"`)];
  if (found.archived_at !== null) return [error("reference_archived", path, `The ${noun} "${found.name}" is archived`)];
  return [];
}

/** The problem of a calendar's name; `business_hours` also stands for the only calendar there is. */
export function calendarProblem(settings: SettingsIndex, name: string, path: string): Problem[] {
  const live = settings.all.calendars.filter((row) => row.archived_at === null);
  if (name === "business_hours" && settings.calendar(name) === null) {
    if (live.length === 1) return [];
    const why = live.length === 0 ? "the organization has no calendar" : "the organization has several: name one";
    return [error("reference_dangling", path, `"business_hours" means nothing here, ${why}`)];
  }
  return referenceProblem(settings, "calendar", name, path);
}
