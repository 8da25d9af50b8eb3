import type { Id } from "../model/common.ts";
import type { Actor } from "../model/event.ts";
import type {
  Calendar,
  Channel,
  Mailbox,
  Organization,
  PropertyDefinition,
  Role,
  Settings,
  Team,
  User,
} from "../model/settings.ts";
import type { Permission } from "./permissions.ts";
import { everywhere, type Reach } from "./reach.ts";
import { type Rights, rightsOf } from "./rights.ts";

/** Settings made ready for look-ups by id or by the short name that documents use. */
export interface SettingsIndex {
  readonly version: number;
  readonly organization: Organization;
  user(idOrEmail: string): User | null;
  role(idOrSlug: string): Role | null;
  team(idOrSlug: string): Team | null;
  mailbox(idOrSlug: string): Mailbox | null;
  channel(idOrSlug: string): Channel | null;
  calendar(idOrSlug: string): Calendar | null;
  property(noun: PropertyDefinition["noun"], name: string): PropertyDefinition | null;
  readonly all: Settings;
  /** Whether this actor may do this now; a workflow has the rights of whoever published it (DESIGN section 8). */
  permits(actor: Actor, permission: Permission): boolean;
  /** All that a user may do; nothing for who does not work here. Worked out once. */
  rights(user: Id): Rights;
  /** The conversations, and with them the customers, that a right of this actor holds for now; null without the right. */
  reach(actor: Actor, permission: Permission): Reach | null;
}

/** Look-ups by the rows that they are of: rows that a change of the settings left alone keep theirs. */
const lookups = new WeakMap<readonly object[], (name: string) => unknown>();

function byNames<T extends { readonly id: Id; readonly archived_at: string | null }>(
  rows: readonly T[],
  nameOf: (row: T) => string | null,
): (name: string) => T | null {
  const known = lookups.get(rows);
  if (known !== undefined) return known as (name: string) => T | null;
  const made = lookupOf(rows, nameOf);
  lookups.set(rows, made);
  return made;
}

function lookupOf<T extends { readonly id: Id; readonly archived_at: string | null }>(
  rows: readonly T[],
  nameOf: (row: T) => string | null,
): (name: string) => T | null {
  const found = new Map<string, T>();
  for (const row of rows) {
    found.set(row.id, row);
    const name = nameOf(row);
    // an archived thing is still known by its id, but its name is free for another
    if (name !== null && row.archived_at === null) found.set(name.toLowerCase(), row);
  }
  return (name) => found.get(name) ?? found.get(name.toLowerCase()) ?? null;
}

/** Builds the look-ups; done once per `config_version`, and anew only for rows that another list of rows replaces. */
export function indexSettings(all: Settings): SettingsIndex {
  const user = byNames(all.users, (row) => row.email);
  const properties = new Map(
    all.properties.filter((row) => row.archived_at === null).map((row) => [`${row.noun}/${row.name}`, row]),
  );
  const rightsOfUsers = new Map<Id, Rights>();
  const rights = (id: Id): Rights => {
    const known = rightsOfUsers.get(id);
    if (known !== undefined) return known;
    const found = user(id);
    const made: Rights = found === null ? new Map() : rightsOf(found, all);
    // whoever asks for what nobody has leaves nothing behind
    if (found !== null) rightsOfUsers.set(id, made);
    return made;
  };
  const reach = (actor: Actor, permission: Permission): Reach | null => {
    if (actor.kind === "system" || actor.kind === "channel") return everywhere;
    const id = actor.kind === "workflow" ? (actor.publisher ?? null) : actor.id;
    return id === null ? null : (rights(id).get(permission) ?? null);
  };
  return {
    version: all.version,
    organization: all.organization,
    all,
    user,
    team: byNames(all.teams, (row) => row.slug),
    mailbox: byNames(all.mailboxes, (row) => row.slug),
    channel: byNames(all.channels, (row) => row.slug),
    calendar: byNames(all.calendars, (row) => row.slug),
    property: (noun, name) => properties.get(`${noun}/${name}`) ?? null,
    role: byNames(all.roles, (row) => row.slug),
    rights,
    permits: (actor, permission) => reach(actor, permission) !== null,
    reach,
  };
}
