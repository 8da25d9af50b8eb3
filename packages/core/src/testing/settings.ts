import { indexSettings, type SettingsIndex } from "../domain/settings-index.ts";
import type { Actor } from "../model/event.ts";
import {
  type Channel,
  defaultLimits,
  propertyTypes,
  type Mailbox,
  type PropertyDefinition,
  type Settings,
  type Team,
  type User,
} from "../model/settings.ts";

/** A fixed id for tests: a UUIDv7 of the year 2020 that ends in the number. */
export const testId = (n: number): string => `016f5e66-e800-7000-8000-${n.toString(16).padStart(12, "0")}`;

/** The ids of the sample organization, by name. */
export const ids = {
  organization: testId(1),
  users: { ada: testId(10), ben: testId(11), cleo: testId(12), dan: testId(13), aria: testId(14), robot: testId(15) },
  teams: { billing: testId(20), support: testId(21), nobody: testId(22), former: testId(23) },
  mailboxes: { support: testId(30), sales: testId(31), desk: testId(32), former: testId(33) },
  channels: {
    sms: testId(40),
    email: testId(41),
    chat: testId(42),
    whatsapp: testId(43),
    messenger: testId(44),
    api: testId(45),
    former: testId(46),
  },
} as const;

const archived = "2026-01-01T00:00:00.000Z";

const user = (
  name: keyof typeof ids.users,
  kind: User["kind"],
  role: User["role"],
  archived_at: string | null = null,
): User => ({
  id: ids.users[name],
  kind,
  role,
  name: name[0]!.toUpperCase() + name.slice(1),
  email: kind === "robot" ? null : `${name}@acme.test`,
  capacity: null,
  hours: null,
  archived_at,
});

const team = (slug: keyof typeof ids.teams, members: readonly string[], archived_at: string | null = null): Team => ({
  id: ids.teams[slug],
  slug,
  name: slug,
  members,
  lead: null,
  archived_at,
});

const mailbox = (
  slug: keyof typeof ids.mailboxes,
  reopen: Mailbox["reopen"],
  archived_at: string | null = null,
): Mailbox => ({
  id: ids.mailboxes[slug],
  slug,
  name: slug,
  access: "everyone",
  users: [],
  teams: [],
  reopen,
  reopen_days: 7,
  archived_at,
});

const channel = (
  slug: keyof typeof ids.channels,
  kind: Channel["kind"],
  inside: keyof typeof ids.mailboxes,
  archived_at: string | null = null,
): Channel => ({
  id: ids.channels[slug],
  slug,
  name: slug,
  kind,
  mailbox: ids.mailboxes[inside],
  address: kind === "sms" ? "+14155550100" : null,
  provider: "test",
  on_unknown: "hold",
  archived_at,
});

/** A definition of a property; what is not given is empty, but for the options of those that have some. */
export const property = (
  row: Partial<PropertyDefinition> & Pick<PropertyDefinition, "id" | "noun" | "name" | "type">,
): PropertyDefinition => ({
  label: null,
  description: null,
  group: null,
  position: 0,
  options: row.type === "choice" || row.type === "choices" ? ["free", "pro"] : [],
  rules: {},
  archived_at: null,
  ...row,
});

/** One definition of each type for each noun; the property is named as its type. */
const properties: readonly PropertyDefinition[] = (["customer", "conversation"] as const).flatMap((noun, at) =>
  propertyTypes.map((type, index) => property({ id: testId(100 + at * 10 + index), noun, name: type, type })),
);

/**
 * A small organization. Mailbox `support` re-opens always, `sales` within seven days, `desk` never; each noun has a
 * property of each type; `dan`, and what is called `former`, is archived.
 */
export const sampleSettings: Settings = {
  version: 1,
  organization: {
    id: ids.organization,
    name: "Acme",
    zone: "America/New_York",
    sandbox: false,
    automation: "on",
    limits: defaultLimits,
    workflow_user: ids.users.robot,
  },
  users: [
    user("ada", "person", "admin"),
    user("ben", "person", "agent"),
    user("cleo", "person", "agent"),
    user("dan", "person", "agent", archived),
    user("aria", "assistant", "assistant"),
    user("robot", "robot", "robot"),
  ],
  roles: [],
  teams: [
    team("billing", [ids.users.cleo, ids.users.ben, ids.users.dan]),
    team("support", [ids.users.ada, ids.users.ben, ids.users.cleo, ids.users.aria]),
    team("nobody", [ids.users.dan]),
    team("former", [], archived),
  ],
  mailboxes: [
    mailbox("support", "always"),
    mailbox("sales", "within_days"),
    mailbox("desk", "never"),
    mailbox("former", "always", archived),
  ],
  channels: [
    channel("sms", "sms", "support"),
    channel("email", "email", "sales"),
    channel("chat", "chat", "desk"),
    channel("whatsapp", "whatsapp", "support"),
    channel("messenger", "messenger", "support"),
    channel("api", "api", "support"),
    channel("former", "sms", "support", archived),
  ],
  calendars: [],
  properties,
};

/** The sample organization, or one that differs in some settings, made ready for look-ups. */
export const sampleIndex = (patch: Partial<Settings> = {}): SettingsIndex =>
  indexSettings({ ...sampleSettings, ...patch });

/** Who may ask, in the sample organization. */
export const actors = {
  admin: { kind: "user", id: ids.users.ada },
  agent: { kind: "user", id: ids.users.ben },
  assistant: { kind: "user", id: ids.users.aria },
  archived: { kind: "user", id: ids.users.dan },
  channel: { kind: "channel", id: ids.channels.sms },
  system: { kind: "system", id: null },
  /** a workflow that an admin published */
  workflow: { kind: "workflow", id: testId(200), publisher: ids.users.ada },
} as const satisfies Record<string, Actor>;
