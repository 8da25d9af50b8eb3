import { namesOf } from "../model/json.ts";

/** What there is to say of a right. */
interface PermissionFacts {
  /** what it lets one do, for people */
  readonly lets: string;
  /** whether it can be limited to some mailboxes, teams or one's own; otherwise it is for all of the organization */
  readonly scoped: boolean;
  /** never an AI assistant's, whatever its role says (DESIGN section 8) */
  readonly people?: true;
}

/** Every right there is; a command and a route name the one that they ask for. docs/permissions.md is made from this. */
export const permissionTable = {
  "customers.read": { lets: "see customers", scoped: true },
  "customers.write": { lets: "make and change customers", scoped: true },
  "customers.merge": { lets: "merge customers", scoped: true },
  "customers.erase": { lets: "erase what is personal of a customer, for good", scoped: false, people: true },
  "customers.import": { lets: "import customers", scoped: false, people: true },
  "customers.export": { lets: "export customers", scoped: true, people: true },
  "conversations.read": { lets: "see conversations and their messages", scoped: true },
  "conversations.write": { lets: "begin, assign, tag, close and merge conversations", scoped: true },
  "conversations.export": { lets: "export conversations with their messages", scoped: true, people: true },
  "folders.write": { lets: "change folders that all share", scoped: false },
  "replies.write": { lets: "change saved replies that all share", scoped: false },
  "messages.send": { lets: "write to customers", scoped: true },
  "messages.note": { lets: "leave notes for colleagues", scoped: true },
  "messages.receive": { lets: "hand in what came from outside, in a channel's place", scoped: false },
  "events.read": { lets: "read the log of what happened", scoped: true },
  "stats.read": { lets: "see the counts of the whole organization", scoped: false },
  "runs.read": { lets: "see runs of workflows, step by step", scoped: true },
  "runs.start": { lets: "run manual workflows", scoped: true },
  "runs.cancel": { lets: "cancel runs, and try again what was given up", scoped: true },
  "presence.write": { lets: "say who is present", scoped: false },
  "operations.read": { lets: "see what failed, waits for a person, or was recorded", scoped: false },
  "operations.write": { lets: "see to what failed", scoped: false, people: true },
  "properties.define": { lets: "define properties by setting them", scoped: false, people: true },
  "jobs.read": { lets: "see everybody's jobs", scoped: false },
  "jobs.write": { lets: "pause, cancel and resume everybody's jobs", scoped: false, people: true },
  "settings.read": { lets: "see the settings, except of mailboxes that one may not see", scoped: false },
  "settings.write": {
    lets: "change the organization, mailboxes, channels and definitions",
    scoped: false,
    people: true,
  },
  "users.write": { lets: "change who works here, in which teams and with which rights", scoped: false, people: true },
  "owners.write": { lets: "make owners, and take that away", scoped: false, people: true },
  "workflows.read": { lets: "see workflows", scoped: true },
  "workflows.write": { lets: "edit drafts of workflows", scoped: true, people: true },
  "workflows.publish": { lets: "publish workflows, switch them on and off, put them away", scoped: true, people: true },
  "tokens.write": { lets: "make and revoke tokens of the API", scoped: false, people: true },
} as const satisfies Record<string, PermissionFacts>;

export type Permission = keyof typeof permissionTable;
export const permissions = namesOf(permissionTable) as readonly Permission[];

/** All there is to say of a right. */
export const permissionFacts = (permission: Permission): PermissionFacts => permissionTable[permission];

/** Whether a word names a right. */
export const isPermission = (word: string): word is Permission => Object.hasOwn(permissionTable, word);
