/**
 * The columns of the world's tables as the mill's rows carry them, with their PostgreSQL types. The statements that load
 * and write follow from this table; a test holds it against the migrated schema.
 */
export interface WorldTable {
  readonly name: string;
  /** what tells a row apart within its organization */
  readonly id: string;
  readonly columns: Readonly<Record<string, string>>;
}

const watch = { wake_at: "timestamptz", fired: "jsonb", guards: "jsonb" } as const;
const stamps = { created_at: "timestamptz", updated_at: "timestamptz" } as const;

const run = {
  id: "uuid",
  workflow: "uuid",
  version: "uuid",
  subject_kind: "text",
  subject: "uuid",
  customer: "uuid",
  conversation: "uuid",
  message: "uuid",
  status: "text",
  reason: "jsonb",
  root: "text",
  trigger: "jsonb",
  actor: "jsonb",
  depth: "integer",
  cursor: "text",
  waits: "integer",
  waiting: "jsonb",
  inputs: "jsonb",
  outputs: "jsonb",
  steps: "jsonb",
  started_at: "timestamptz",
  finished_at: "timestamptz",
} as const;

export const worldTables = {
  customers: {
    name: "customers",
    id: "id",
    columns: {
      id: "uuid",
      phone: "text",
      email: "text",
      external_id: "text",
      handles: "text[]",
      first_name: "text",
      last_name: "text",
      picture_url: "text",
      locale: "text",
      timezone: "text",
      zip_code: "text",
      subscribed: "boolean",
      unsubscribed_at: "timestamptz",
      assignee: "uuid",
      teams: "uuid[]",
      tags: "text[]",
      properties: "jsonb",
      state: "text",
      open_conversations: "integer",
      unreplied_conversations: "integer",
      merged_into: "uuid",
      erased_at: "timestamptz",
      ...stamps,
      ...watch,
    },
  },
  conversations: {
    name: "conversations",
    id: "id",
    columns: {
      id: "uuid",
      customer: "uuid",
      mailbox: "uuid",
      channel: "uuid",
      address: "text",
      subject: "text",
      status: "text",
      assignee: "uuid",
      team: "uuid",
      topic: "text",
      tags: "text[]",
      properties: "jsonb",
      snoozed_until: "timestamptz",
      closed_at: "timestamptz",
      waiting_since: "timestamptz",
      last_message_at: "timestamptz",
      last_inbound_at: "timestamptz",
      last_reply_at: "timestamptz",
      inbound_count: "integer",
      outbound_count: "integer",
      merged_into: "uuid",
      ...stamps,
      ...watch,
    },
  },
  messages: {
    name: "messages",
    id: "id",
    columns: {
      id: "uuid",
      conversation: "uuid",
      customer: "uuid",
      channel: "uuid",
      direction: "text",
      author: "uuid",
      text: "text",
      media: "jsonb",
      tags: "text[]",
      automated: "boolean",
      provider_id: "text",
      delivery: "text",
      delivery_error: "text",
      seq: "bigint",
      ...stamps,
    },
  },
  addresses: { name: "addresses", id: "address", columns: { address: "text", customer: "uuid" } },
  runs: { name: "runs", id: "id", columns: run },
  // json, not jsonb: written once and read rarely
  runs_history: {
    name: "runs_history",
    id: "id",
    columns: {
      ...run,
      reason: "json",
      trigger: "json",
      actor: "json",
      waiting: "json",
      inputs: "json",
      outputs: "json",
      steps: "json",
    },
  },
  timers: { name: "timers", id: "run", columns: { run: "uuid", wait: "integer", due_at: "timestamptz" } },
  effects: {
    name: "effects",
    id: "id",
    columns: {
      id: "uuid",
      kind: "text",
      order_key: "text",
      key: "text",
      payload: "jsonb",
      run: "uuid",
      refs: "jsonb",
      status: "text",
      due_at: "timestamptz",
      attempt: "integer",
      lease_until: "timestamptz",
      last_error: "jsonb",
      ordinal: "bigint",
      created_at: "timestamptz",
    },
  },
  loads: { name: "loads", id: "user_id", columns: { user_id: "uuid", open: "integer" } },
  presences: { name: "presences", id: "user_id", columns: { user_id: "uuid", status: "text", since: "timestamptz" } },
} as const satisfies Record<string, WorldTable>;

export type WorldTableName = keyof typeof worldTables;
