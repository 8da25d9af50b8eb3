import type { Id } from "../model/common.ts";
import type { RoleScope, Settings, User } from "../model/settings.ts";
import type { Permission } from "./permissions.ts";
import { everywhere, type Reach } from "./reach.ts";
import { grantsOf } from "./roles.ts";

/** A user's rights as they are now, each with the conversations that it holds for. */
export type Rights = ReadonlyMap<Permission, Reach>;

type Rows = Pick<Settings, "mailboxes" | "teams" | "roles">;

/** The teams that a user is in. */
export const teamsOf = (user: Id, teams: Settings["teams"]): readonly Id[] =>
  teams.filter((team) => team.archived_at === null && team.members.includes(user)).map((team) => team.id);

/** The mailboxes that a user may see: those that do not keep to their members, or have the user or one of the teams among them. */
export const mailboxesOf = (user: Id, teams: readonly Id[], mailboxes: Settings["mailboxes"]): readonly Id[] =>
  mailboxes
    .filter(
      ({ access, users, teams: named }) =>
        access === "everyone" || users.includes(user) || named.some((team) => teams.includes(team)),
    )
    .map((mailbox) => mailbox.id);

/** Works out what a user may do. Once for a user and version of the settings: see `indexSettings`. */
export function rightsOf(user: User, { mailboxes, teams, roles }: Rows): Rights {
  const own = teamsOf(user.id, teams);
  const seen = mailboxesOf(user.id, own, mailboxes);
  // where nothing is kept from the user nothing has to be asked row by row
  const within = seen.length === mailboxes.length ? null : seen;
  const bounded = { mailboxes: within, user: user.id, teams: own };
  const reach: Readonly<Record<RoleScope, Reach>> = {
    everywhere,
    mailboxes: within === null ? everywhere : { ...bounded, of: "all" },
    teams: { ...bounded, of: "teams" },
    own: { ...bounded, of: "own" },
  };
  return new Map([...grantsOf(user, roles)].map(([permission, scope]) => [permission, reach[scope]]));
}
