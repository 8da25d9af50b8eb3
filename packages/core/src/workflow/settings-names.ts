import type { SettingsIndex } from "../domain/settings-index.ts";

/** Settings that note every name they are asked for. */
export interface NotedSettings {
  readonly settings: SettingsIndex;
  /** what was looked up, found or not: `team/billing`, `calendar/office`, `property/customer.plan`, in small letters */
  readonly names: ReadonlySet<string>;
}

/**
 * Lends settings so that it is known afterwards what was read by name. Whatever was compiled or checked with them stays
 * as it is until one of these names comes to mean something else.
 */
export function noteNames(settings: SettingsIndex): NotedSettings {
  const names = new Set<string>();
  const noting =
    <T>(noun: string, find: (name: string) => T) =>
    (name: string): T => {
      names.add(settingsName(noun, name));
      return find(name);
    };
  return {
    names,
    settings: {
      ...settings,
      user: noting("user", (name) => settings.user(name)),
      team: noting("team", (name) => settings.team(name)),
      mailbox: noting("mailbox", (name) => settings.mailbox(name)),
      channel: noting("channel", (name) => settings.channel(name)),
      calendar: noting("calendar", (name) => settings.calendar(name)),
      property(noun, name) {
        names.add(settingsName("property", `${noun}.${name}`));
        return settings.property(noun, name);
      },
    },
  };
}

/** A name as it is noted: look-ups do not mind capitals. */
export const settingsName = (noun: string, name: string): string => `${noun}/${name.toLowerCase()}`;

/** A row of the settings by the names that documents may use for it. */
export function namesOfRow(noun: string, row: object): string[] {
  const { id, slug, email, noun: of, name } = row as Readonly<Record<string, unknown>>;
  const words = [id, slug, email].filter((word) => typeof word === "string");
  if (noun === "property") words.push(`${String(of)}.${String(name)}`);
  // the only calendar there is has this name too, and so may any that comes or goes
  if (noun === "calendar") words.push("business_hours");
  return words.map((word) => settingsName(noun, word));
}
