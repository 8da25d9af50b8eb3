import { Type } from "typebox";
import { type Id, IdSchema, type Instant, InstantSchema, oneOf, orNull } from "./common.ts";
import { plain } from "./marks.ts";
import type { BusinessCalendar } from "../time/calendar-shape.ts";

/** Limits of an organization; DESIGN section 8. */
export interface Limits {
  /** runs of one workflow for one conversation or customer a local day */
  readonly runs_per_subject_per_day: number;
  /** how deep workflows may start workflows */
  readonly chain_depth: number;
  /** automated messages to one recipient within an hour */
  readonly automated_messages_per_hour: number;
  /** operations (decisions and steps) that one root may cause before its runs are stopped */
  readonly allowance: number;
}

export const defaultLimits: Limits = {
  runs_per_subject_per_day: 100,
  chain_depth: 10,
  automated_messages_per_hour: 10,
  allowance: 1000,
};

export interface Organization {
  readonly id: Id;
  readonly name: string;
  readonly zone: string;
  /** nothing leaves a sandbox: every channel records instead of sending */
  readonly sandbox: boolean;
  /** `off` is the kill switch, `braked` the storm brake: no run starts, and each says why */
  readonly automation: "on" | "off" | "braked";
  readonly limits: Limits;
  readonly workflow_user: Id;
}

export const userKinds = ["person", "assistant", "robot"] as const;
/** The roles that every organization has; the others are of its own making. */
export const roles = ["owner", "admin", "supervisor", "agent", "light_agent", "assistant", "robot"] as const;
export type BuiltInRole = (typeof roles)[number];
export interface User {
  readonly id: Id;
  readonly kind: (typeof userKinds)[number];
  /** one that every organization has, or the id of one of its own */
  readonly role: string;
  readonly name: string;
  readonly email: string | null;
  /** how many open conversations they are given at most; null: as many as come */
  readonly capacity: number | null;
  /** the calendar by which they are online and offline; null: their open pages say it */
  readonly hours: Id | null;
  readonly archived_at: Instant | null;
}

/** How far a right reaches: all there is, what is in the mailboxes one may see, of that one's teams' and own, or one's own alone. */
export const roleScopes = ["everywhere", "mailboxes", "teams", "own"] as const;
export type RoleScope = (typeof roleScopes)[number];

/** A role of an organization's own: a set of permissions, each with its scope. */
export interface Role {
  readonly id: Id;
  readonly slug: string;
  readonly name: string;
  readonly rights: { readonly [permission: string]: RoleScope };
  readonly archived_at: Instant | null;
}

export interface Team {
  readonly id: Id;
  readonly slug: string;
  readonly name: string;
  readonly members: readonly Id[];
  /** the member who leads it */
  readonly lead: Id | null;
  readonly archived_at: Instant | null;
}

export const reopenPolicies = ["always", "within_days", "never"] as const;
/** Who may see what is in a mailbox, as far as their roles go by mailboxes. */
export const mailboxAccess = ["everyone", "members"] as const;
export interface Mailbox {
  readonly id: Id;
  readonly slug: string;
  readonly name: string;
  readonly access: (typeof mailboxAccess)[number];
  /** those who may see it where it keeps to its members, and the teams whose members may */
  readonly users: readonly Id[];
  readonly teams: readonly Id[];
  /** whether a new inbound message re-opens a closed conversation or starts another */
  readonly reopen: (typeof reopenPolicies)[number];
  readonly reopen_days: number;
  readonly archived_at: Instant | null;
}

export const channelKinds = ["sms", "email", "chat", "whatsapp", "messenger", "api"] as const;
export type ChannelKind = (typeof channelKinds)[number];
export const unknownOutcomePolicies = ["retry", "hold"] as const;
export interface Channel {
  readonly id: Id;
  readonly slug: string;
  readonly name: string;
  readonly kind: ChannelKind;
  readonly mailbox: Id;
  /** our own address on it */
  readonly address: string | null;
  readonly provider: string;
  /** what to do when the provider cannot tell whether a message went out */
  readonly on_unknown: (typeof unknownOutcomePolicies)[number];
  readonly archived_at: Instant | null;
}

export interface Calendar {
  readonly id: Id;
  readonly slug: string;
  readonly name: string;
  readonly calendar: BusinessCalendar;
  readonly archived_at: Instant | null;
}

export const propertyTypes = [
  "text",
  "long_text",
  "number",
  "boolean",
  "date",
  "instant",
  "choice",
  "choices",
  "list",
  "link",
] as const;
export type PropertyType = (typeof propertyTypes)[number];

/** What a property's values must be beyond their type; which rules a type knows is in `domain/property-definition.ts`. */
export interface PropertyRules {
  /** of numbers */
  readonly min?: number;
  readonly max?: number;
  /** of texts and links, in characters */
  readonly min_length?: number;
  readonly max_length?: number;
  /** a regular expression that a whole text fits */
  readonly pattern?: string;
  /** of lists and choices */
  readonly min_items?: number;
  readonly max_items?: number;
}

export interface PropertyDefinition {
  readonly id: Id;
  readonly noun: "customer" | "conversation";
  /** as documents and texts name it; it never changes */
  readonly name: string;
  /** as people see it; null: its name */
  readonly label: string | null;
  readonly description: string | null;
  /** the heading under which people find it */
  readonly group: string | null;
  /** its place among those of its group; groups come in the order of their first */
  readonly position: number;
  readonly type: PropertyType;
  readonly options: readonly string[];
  readonly rules: PropertyRules;
  readonly archived_at: Instant | null;
}

/** All settings of one organization at one `config_version`, as rows. */
export interface Settings {
  readonly version: number;
  readonly organization: Organization;
  readonly users: readonly User[];
  readonly roles: readonly Role[];
  readonly teams: readonly Team[];
  readonly mailboxes: readonly Mailbox[];
  readonly channels: readonly Channel[];
  readonly calendars: readonly Calendar[];
  readonly properties: readonly PropertyDefinition[];
}

const slug = Type.String({ pattern: "^[a-z0-9][a-z0-9_-]{0,62}$", description: "short name used in documents" });
const name = Type.String({ minLength: 1, maxLength: 200 });
const archived_at = orNull(InstantSchema);
const count = Type.Integer({ minimum: 0, maximum: 100_000 });

/** The settings' shapes in the API: one table, from which routes, forms and checks follow. */
export const settingsSchemas = {
  users: Type.Object({
    id: plain(IdSchema),
    kind: plain(oneOf(userKinds)),
    role: plain(
      Type.String({ maxLength: 64, description: `one of ${roles.join(", ")}, or the id of a role of your own` }),
    ),
    name: plain(name),
    email: plain(orNull(Type.String({ maxLength: 320 }))),
    capacity: plain(
      orNull(Type.Integer({ minimum: 0, maximum: 100_000, description: "open conversations given to them at most" })),
    ),
    hours: plain(
      orNull(
        Type.Unsafe<string>({
          ...IdSchema,
          description: "the calendar by which they are online and offline; null: their open pages say it",
        }),
      ),
    ),
    archived_at: plain(archived_at),
  }),
  roles: Type.Object({
    id: plain(IdSchema),
    slug: plain(slug),
    name: plain(name),
    rights: plain(
      Type.Record(Type.String({ maxLength: 64 }), oneOf(roleScopes), {
        maxProperties: 200,
        description: "by permission, how far it reaches",
      }),
    ),
    archived_at: plain(archived_at),
  }),
  teams: Type.Object({
    id: plain(IdSchema),
    slug: plain(slug),
    name: plain(name),
    members: plain(Type.Array(IdSchema, { maxItems: 1000 })),
    lead: plain(orNull(Type.Unsafe<string>({ ...IdSchema, description: "the member who leads it" }))),
    archived_at: plain(archived_at),
  }),
  mailboxes: Type.Object({
    id: plain(IdSchema),
    slug: plain(slug),
    name: plain(name),
    access: plain(oneOf(mailboxAccess, "`members`: only they see what is in it, unless their role reaches everywhere")),
    users: plain(Type.Array(IdSchema, { maxItems: 1000, description: "members" })),
    teams: plain(Type.Array(IdSchema, { maxItems: 1000, description: "teams whose members are members" })),
    reopen: plain(oneOf(reopenPolicies)),
    reopen_days: plain(Type.Integer({ minimum: 0, maximum: 3650 })),
    archived_at: plain(archived_at),
  }),
  channels: Type.Object({
    id: plain(IdSchema),
    slug: plain(slug),
    name: plain(name),
    kind: plain(oneOf(channelKinds)),
    mailbox: plain(IdSchema),
    address: plain(orNull(Type.String({ maxLength: 200 }))),
    provider: plain(Type.String({ maxLength: 50 })),
    on_unknown: plain(oneOf(unknownOutcomePolicies)),
    archived_at: plain(archived_at),
  }),
  calendars: Type.Object({
    id: plain(IdSchema),
    slug: plain(slug),
    name: plain(name),
    calendar: plain(Type.Unknown()),
    archived_at: plain(archived_at),
  }),
  properties: Type.Object({
    id: plain(IdSchema),
    noun: plain(oneOf(["customer", "conversation"] as const)),
    name: plain(name),
    label: plain(orNull(Type.String({ minLength: 1, maxLength: 200 }))),
    description: plain(orNull(Type.String({ maxLength: 1000 }))),
    group: plain(orNull(Type.String({ minLength: 1, maxLength: 100, description: "the heading it stands under" }))),
    position: plain(Type.Integer({ minimum: 0, maximum: 100_000, description: "its place within the group" })),
    type: plain(oneOf(propertyTypes)),
    options: plain(Type.Array(Type.String({ maxLength: 200 }), { maxItems: 500 })),
    rules: plain(
      Type.Object(
        {
          min: Type.Optional(Type.Number()),
          max: Type.Optional(Type.Number()),
          min_length: Type.Optional(count),
          max_length: Type.Optional(count),
          pattern: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "fits the whole text" })),
          min_items: Type.Optional(count),
          max_items: Type.Optional(count),
        },
        { additionalProperties: false },
      ),
    ),
    archived_at: plain(archived_at),
  }),
} as const;
export type SettingsNoun = keyof typeof settingsSchemas;
