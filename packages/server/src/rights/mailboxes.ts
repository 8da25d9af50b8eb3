import { mailboxesOf, type SettingsIndex, teamsOf } from "@threadmill/core";
import type { Caller } from "../http/auth.ts";
import { callerMay } from "../http/rights.ts";
import type { Call } from "../http/route.ts";
import { reachOfCaller } from "./reach.ts";

/** The mailboxes that a caller may know of, by id; null: all. Who may change them knows them all. */
export function mailboxesKnown(
  settings: SettingsIndex,
  caller: Pick<Caller, "actor" | "scopes" | "user">,
): readonly string[] | null {
  if (callerMay(settings, caller, "settings.write")) return null;
  if (callerMay(settings, caller, "conversations.read")) return reachOfCaller(settings, caller).mailboxes;
  const { user } = caller;
  return user === null ? [] : mailboxesOf(user, teamsOf(user, settings.all.teams), settings.all.mailboxes);
}

/** The settings as a caller may know them: what belongs to a mailbox that is hidden from them has no name. */
export function settingsSeen({ caller }: Pick<Call, "caller">, settings: SettingsIndex): SettingsIndex {
  const known = mailboxesKnown(settings, caller);
  if (known === null) return settings;
  return {
    ...settings,
    mailbox(name) {
      const found = settings.mailbox(name);
      return found !== null && known.includes(found.id) ? found : null;
    },
    channel(name) {
      const found = settings.channel(name);
      return found !== null && known.includes(found.mailbox) ? found : null;
    },
  };
}
