import type { BuiltInRole, Role, RoleScope, User } from "../model/settings.ts";
import { type Permission, permissionFacts, permissions } from "./permissions.ts";

/** A role's rights, each with how far it reaches. */
export type Grants = ReadonlyMap<Permission, RoleScope>;

const granted = (scope: RoleScope, names: readonly Permission[]): [Permission, RoleScope][] =>
  names.map((name) => [name, permissionFacts(name).scoped ? scope : "everywhere"]);

const readers: readonly Permission[] = [
  "customers.read",
  "conversations.read",
  "events.read",
  "runs.read",
  "workflows.read",
];
const inside: readonly Permission[] = ["settings.read", "presence.write"];
const agents: readonly Permission[] = [
  ...readers,
  ...inside,
  "customers.write",
  "conversations.write",
  "messages.send",
  "messages.note",
  "runs.start",
];
const supervisors: readonly Permission[] = [
  ...agents,
  "customers.merge",
  "customers.export",
  "conversations.export",
  "runs.cancel",
  "folders.write",
  "replies.write",
  "stats.read",
];

/** The table of permission and role. "mailboxes" are those that a user may see: all, where none keeps to its members. */
export const builtInRoles: Readonly<Record<BuiltInRole, Grants>> = {
  owner: new Map(granted("everywhere", permissions)),
  admin: new Map(
    granted(
      "everywhere",
      permissions.filter((name) => name !== "owners.write"),
    ),
  ),
  supervisor: new Map(granted("mailboxes", supervisors)),
  agent: new Map(granted("mailboxes", agents)),
  light_agent: new Map(granted("mailboxes", [...readers, ...inside, "messages.note"])),
  assistant: new Map(granted("mailboxes", agents)),
  robot: new Map(
    granted("everywhere", [
      ...readers,
      "customers.write",
      "conversations.write",
      "messages.send",
      "messages.note",
      "presence.write",
    ]),
  ),
};

/** Whether a role is one of those that every organization has. */
export const isBuiltIn = (role: string): role is BuiltInRole => Object.hasOwn(builtInRoles, role);

/** What a role of the organization's own holds, and nothing that there is no longer. */
export const grantsOfRole = ({ rights, archived_at }: Role): Grants =>
  new Map(
    archived_at !== null
      ? []
      : permissions.flatMap((name) => {
          const scope = rights[name];
          return scope === undefined ? [] : granted(scope, [name]);
        }),
  );

/** What a user's role grants. An archived user has nothing, and an assistant never what is for people. */
export function grantsOf(user: Pick<User, "kind" | "role" | "archived_at">, roles: readonly Role[]): Grants {
  if (user.archived_at !== null) return new Map();
  const own = isBuiltIn(user.role) ? undefined : roles.find((role) => role.id === user.role);
  const all = isBuiltIn(user.role) ? builtInRoles[user.role] : own === undefined ? new Map() : grantsOfRole(own);
  return user.kind === "assistant" ? forAssistants(all) : all;
}

const forAssistants = (grants: Grants): Grants =>
  new Map([...grants].filter(([name]) => permissionFacts(name).people !== true));

const width: Readonly<Record<RoleScope, number>> = { own: 0, teams: 1, mailboxes: 2, everywhere: 3 };

/** The first right that somebody would be given beyond those of who gives it; null where there is none. */
export function beyond(giver: Grants, given: Grants): Permission | null {
  for (const [name, scope] of given) {
    const held = giver.get(name);
    if (held === undefined || width[held] < width[scope]) return name;
  }
  return null;
}
