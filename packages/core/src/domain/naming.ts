import { type Refusal, refuse } from "../model/command.ts";
import type { Channel, Mailbox, Team, User } from "../model/settings.ts";
import type { SettingsIndex } from "./settings-index.ts";

/** Whether a look-up ended in a no. */
export const isRefusal = (value: unknown): value is Refusal =>
  typeof value === "object" && value !== null && "ok" in value && value.ok === false;

/** The user of an id or e-mail address; refused when there is none, or an archived one. */
export const findUser = (settings: SettingsIndex, name: string, path = "/user"): User | Refusal =>
  usable("user", settings.user(name), path);

/** The team of an id or short name. */
export const findTeam = (settings: SettingsIndex, name: string, path = "/team"): Team | Refusal =>
  usable("team", settings.team(name), path);

/** The mailbox of an id or short name. */
export const findMailbox = (settings: SettingsIndex, name: string, path = "/mailbox"): Mailbox | Refusal =>
  usable("mailbox", settings.mailbox(name), path);

/** The channel of an id or short name. */
export const findChannel = (settings: SettingsIndex, name: string, path = "/channel"): Channel | Refusal =>
  usable("channel", settings.channel(name), path);

/** The answer to a name that nothing has. */
export const missing = (noun: string, path: string): Refusal =>
  refuse("not_found", `${noun}_not_found`, `There is no such ${noun}`, path);

function usable<T extends { readonly archived_at: string | null }>(
  noun: string,
  found: T | null,
  path: string,
): T | Refusal {
  if (found === null) return missing(noun, path);
  return found.archived_at === null ? found : refuse("conflict", `${noun}_archived`, `The ${noun} is archived`, path);
}
