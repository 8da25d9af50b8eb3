import {
  beyond,
  type Grants,
  grantsOf,
  isEverywhere,
  type Permission,
  refuse,
  type Refusal,
  type SettingsIndex,
} from "@threadmill/core";
import type { PoolClient } from "pg";
import type { Caller } from "../http/auth.ts";
import { settingsIn } from "../features/workflows/settings-in.ts";
import { reachOfCaller } from "./reach.ts";

/** What whoever calls may give to others, as it stands in the transaction that gives it: nobody grants what they lack. */
export interface Giver {
  readonly settings: SettingsIndex;
  readonly grants: Grants;
  /** Why some rights cannot be given, or be taken from who has them; null where they can. */
  refusal(given: Grants, path?: string): Refusal | null;
  /** The same for access to what is in a mailbox. */
  refusalOfMailbox(mailbox: string, path?: string): Refusal | null;
}

/** Reads what whoever calls may give. */
export const giverIn = async (tx: PoolClient, caller: Caller): Promise<Giver> =>
  giverOf((await settingsIn(tx, caller.place)) as SettingsIndex, caller);

/** The same with the settings at hand, for what gives somebody's rights without changing them: a link to sign in by. */
export function giverOf(settings: SettingsIndex, caller: Caller): Giver {
  const user = caller.user === null ? null : settings.user(caller.user);
  const all: Grants = user === null ? new Map<Permission, never>() : grantsOf(user, settings.all.roles);
  const { scopes } = caller;
  const grants: Grants = scopes === null ? all : new Map([...all].filter(([name]) => scopes.has(name)));
  const reach = reachOfCaller(settings, caller);
  return {
    settings,
    grants,
    refusal(given, path) {
      const lacking = beyond(grants, given);
      return lacking === null ? null : cannot(`the right ${lacking}`, path);
    },
    refusalOfMailbox: (mailbox, path) =>
      isEverywhere(reach) || (reach.of === "all" && reach.mailboxes?.includes(mailbox) === true)
        ? null
        : cannot("access to this mailbox", path),
  };
}

const cannot = (what: string, path?: string): Refusal =>
  refuse("forbidden", "not_yours_to_give", `Only who has ${what} can give it, or take it away`, path);
