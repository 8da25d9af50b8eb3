import type { User } from "../model/settings.ts";

/** Every right there is; a command names the one it asks for. */
export const permissions = [
  "customers.read",
  "customers.write",
  "customers.merge",
  "customers.erase",
  "customers.import",
  "customers.export",
  "conversations.read",
  "conversations.write",
  "folders.write",
  "replies.write",
  "conversations.export",
  "messages.send",
  "messages.receive",
  "events.read",
  "stats.read",
  "runs.read",
  "runs.start",
  "runs.cancel",
  "presence.write",
  "operations.write",
  "properties.define",
  "jobs.read",
  "jobs.write",
  "settings.read",
  "settings.write",
  "workflows.read",
  "workflows.write",
  "tokens.write",
] as const;
export type Permission = (typeof permissions)[number];

const readers: readonly Permission[] = [
  "customers.read",
  "conversations.read",
  "events.read",
  "stats.read",
  "runs.read",
  "workflows.read",
];
const agent: readonly Permission[] = [
  ...readers,
  "customers.write",
  "conversations.write",
  "messages.send",
  "runs.start",
  "presence.write",
  "settings.read",
];

/** What each role may do. An AI assistant cannot publish, erase or change settings. */
const rights: Record<User["role"], ReadonlySet<Permission>> = {
  admin: new Set(permissions),
  agent: new Set(agent),
  assistant: new Set(agent),
  robot: new Set<Permission>([...readers, "customers.write", "conversations.write", "messages.send", "presence.write"]),
};

/** The rights of a role. */
export function permissionsOf(role: User["role"]): ReadonlySet<Permission> {
  return rights[role];
}
