import type {
  Channel,
  Conversation,
  Customer,
  Event,
  Limits,
  Mailbox,
  Message,
  Note,
  Parked,
  PropertyDefinition,
  Run,
  Segment,
  Team,
  User,
} from "@threadmill/core";

/** What every table of an organization's world begins with. */
interface Placed {
  lane: number;
  organization: string;
}
interface Made {
  created_at: string;
}

/** A workflow's row. */
export interface WorkflowRow extends Placed, Made {
  id: string;
  slug: string;
  name: string;
  position: number;
  enabled: boolean;
  paused_reason: string | null;
  draft: unknown;
  published: string | null;
  updated_at: string;
  archived_at: string | null;
}

/** A published version's row. */
export interface VersionRow extends Placed {
  id: string;
  workflow: string;
  number: number;
  document: unknown;
  hash: string;
  publisher: string;
  published_at: string;
  /** its time triggers fire for what falls due from then on */
  due_from: string;
  /** the same for those that took over from an earlier version, by their place */
  trigger_due_from: Readonly<Record<string, string>>;
}

/** The columns that the HTTP side reads, by table; for Kysely. Rows that the mill writes are read here and not written. */
export interface Tables {
  organizations: Placed &
    Made & {
      name: string;
      zone: string;
      sandbox: boolean;
      automation: string;
      limits: Limits;
      workflow_user: string;
      config_version: number;
    };
  users: Placed & Made & User;
  teams: Placed & Made & Team;
  mailboxes: Placed & Made & Mailbox;
  channels: Placed &
    Made &
    Channel & { provider_settings: Record<string, unknown>; provider_secrets: Record<string, string> };
  calendars: Placed & Made & { id: string; slug: string; name: string; calendar: unknown; archived_at: string | null };
  properties: Placed & Made & PropertyDefinition;
  segments: Placed & Made & Segment;
  workflows: WorkflowRow;
  workflow_versions: VersionRow;
  directory_tokens: Placed &
    Made & {
      hash: string;
      id: string;
      user_id: string;
      name: string;
      hint: string;
      revoked_at: string | null;
      expires_at: string | null;
      last_used_at: string | null;
    };
  customers: Placed & Customer;
  duplicates: Placed & {
    a: string;
    b: string;
    reasons: readonly string[];
    found_at: string;
    dismissed_at: string | null;
    dismissed_by: string | null;
  };
  addresses: Placed & { address: string; customer: string };
  conversations: Placed & Conversation;
  notes: Placed & Note;
  messages: Placed & Message & { seq: number };
  runs: Placed & Run;
  runs_history: Placed & Run;
  log: Placed & {
    seq: number;
    at: string;
    root: string;
    customer: string | null;
    count: number;
    events: readonly Event[];
  };
  effects: Placed &
    Made & {
      id: string;
      kind: string;
      order_key: string;
      key: string;
      run: string | null;
      refs: object;
      status: string;
      due_at: string;
      attempt: number;
      last_error: unknown;
    };
  recorded_deliveries: Placed & {
    key: string;
    message: string;
    channel: string;
    recipient: string;
    text: string;
    media: unknown;
    extras: unknown;
    recorded_at: string;
  };
  parked: Placed & {
    id: string;
    item: unknown;
    error: unknown;
    at: string;
    resolved_at: string | null;
    resolved_by: string | null;
    resolution: Parked["resolution"];
  };
}
