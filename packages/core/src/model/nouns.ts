import { Type } from "typebox";
import { IdSchema, InstantSchema, orNull } from "./common.ts";
import { ConversationSchema } from "./conversation.ts";
import { CustomerSchema } from "./customer.ts";
import { EffectRowSchema } from "./effect.ts";
import { EventDataSchema } from "./event.ts";
import { identityNouns } from "./identity.ts";
import { JobFilePartSchema, JobFileSchema, JobRefusalSchema, JobSchema } from "./job.ts";
import { derived, personal, plain, secret } from "./marks.ts";
import { MessageSchema } from "./message.ts";
import { NoteSchema } from "./note.ts";
import { ParkedSchema } from "./parked.ts";
import { ReceiptSchema } from "./receipt.ts";
import { RunSchema } from "./run.ts";
import { SegmentSchema } from "./segment.ts";
import { settingsSchemas } from "./settings.ts";
import { watchFields } from "./watch.ts";

const customers = Type.Object({ ...CustomerSchema.properties, ...watchFields });
const conversations = Type.Object({ ...ConversationSchema.properties, ...watchFields });
const messages = Type.Object({ ...MessageSchema.properties, seq: plain(Type.Integer()) });
const finished = Type.Object({ ...RunSchema.properties, waits: derived(Type.Integer()) });
const runs = Type.Object({ ...finished.properties, hears: derived(orNull(IdSchema)) });

/** The world of the mill and what it leaves: the tables that erasing goes through. */
export const worldNouns = {
  customers,
  conversations,
  messages,
  notes: NoteSchema,
  addresses: Type.Object({ address: personal(Type.String()), customer: plain(IdSchema) }),
  runs,
  runs_history: finished,
  timers: Type.Object({ run: plain(IdSchema), wait: plain(Type.Integer()), due_at: plain(InstantSchema) }),
  effects: EffectRowSchema,
  loads: Type.Object({ user_id: plain(IdSchema), open: derived(Type.Integer()) }),
  presences: Type.Object({
    user_id: plain(IdSchema),
    status: plain(Type.String()),
    since: plain(InstantSchema),
    chosen: plain(orNull(Type.String())),
    seen: plain(orNull(Type.String())),
  }),
  turns: Type.Object({ team_id: plain(IdSchema), user_id: plain(IdSchema) }),
  receipts: ReceiptSchema,
  leftovers: Type.Object({
    // the keys that a root has read hold addresses
    body: Type.Object({
      root: plain(Type.String()),
      at: plain(InstantSchema),
      minted: plain(Type.Integer()),
      spent: plain(Type.Integer()),
      started: plain(Type.Optional(Type.Integer())),
      withheld: plain(Type.Optional(Type.Unknown())),
      reads: personal(Type.Array(Type.String())),
      queue: plain(Type.Array(IdSchema)),
    }),
    at: plain(InstantSchema),
  }),
  log: Type.Object({
    seq: plain(Type.Integer()),
    at: plain(InstantSchema),
    root: plain(Type.String()),
    customer: plain(orNull(IdSchema)),
    count: plain(Type.Integer()),
    // changes are blanked by the marks of the nouns that they change: see `blankChange`
    events: Type.Array(
      Type.Object({
        short: plain(Type.Integer()),
        v: plain(Type.Integer()),
        id: plain(IdSchema),
        type: plain(Type.String()),
        actor: plain(Type.Unknown()),
        cause: plain(Type.Unknown()),
        depth: plain(Type.Integer()),
        refs: plain(Type.Unknown()),
        changes: Type.Array(
          Type.Object({
            table: plain(Type.String()),
            id: plain(IdSchema),
            before: personal(orNull(Type.Unknown())),
            after: personal(Type.Unknown(), {}),
          }),
        ),
        data: EventDataSchema,
      }),
    ),
  }),
  // made again from the conversations, also when those are blanked
  conversation_tags: Type.Object({ tag: personal(Type.String()), conversation: plain(IdSchema) }),
  read_marks: Type.Object({ user_id: plain(IdSchema), conversation: plain(IdSchema), read_at: plain(InstantSchema) }),
  follows: Type.Object({ user_id: plain(IdSchema), conversation: plain(IdSchema), since: plain(InstantSchema) }),
  mentions: Type.Object({
    user_id: plain(IdSchema),
    message: plain(IdSchema),
    conversation: plain(IdSchema),
    at: plain(InstantSchema),
  }),
  drafts: Type.Object({
    user_id: plain(IdSchema),
    conversation: plain(IdSchema),
    kind: plain(Type.String()),
    version: plain(Type.Integer()),
    text: personal(Type.String()),
    extras: personal(orNull(Type.Unknown())),
    updated_at: plain(InstantSchema),
  }),
  parked: ParkedSchema,
  recorded_deliveries: Type.Object({
    key: plain(Type.String({ description: "never changes over retries" })),
    message: plain(IdSchema),
    channel: plain(IdSchema),
    recipient: personal(Type.String()),
    text: personal(Type.String()),
    media: personal(Type.Unknown(), []),
    extras: personal(
      orNull(Type.Unknown({ description: "subject, html, headers, attachments and thread, where there are any" })),
    ),
    recorded_at: plain(InstantSchema),
  }),
} as const;

const made = { created_at: plain(InstantSchema) };
/** the `config_version` with which a row last changed */
const marked = { changed_in: derived(Type.Integer()) };
const archived = { archived_at: plain(orNull(InstantSchema)) };

/** Settings and the directory: nothing of a customer stands there, but secrets do. */
export const settingsNouns = {
  organizations: Type.Object({
    name: plain(Type.String()),
    zone: plain(Type.String()),
    sandbox: plain(Type.Boolean()),
    automation: plain(Type.String()),
    limits: plain(Type.Unknown()),
    workflow_user: plain(IdSchema),
    config_version: derived(Type.Integer()),
    ...made,
  }),
  presence_leases: Type.Object({
    user_id: plain(IdSchema),
    process: plain(IdSchema),
    until: plain(InstantSchema),
  }),
  users: Type.Object({ ...settingsSchemas.users.properties, ...made, ...marked }),
  roles: Type.Object({ ...settingsSchemas.roles.properties, ...made, ...marked }),
  teams: Type.Object({ ...settingsSchemas.teams.properties, ...made, ...marked }),
  mailboxes: Type.Object({ ...settingsSchemas.mailboxes.properties, ...made, ...marked }),
  channels: Type.Object({
    ...settingsSchemas.channels.properties,
    provider_settings: plain(Type.Unknown()),
    provider_secret: secret(orNull(Type.String())),
    provider_secrets: secret(Type.Unknown()),
    ...made,
    ...marked,
  }),
  calendars: Type.Object({ ...settingsSchemas.calendars.properties, ...made, ...marked }),
  properties: Type.Object({ ...settingsSchemas.properties.properties, ...made, ...marked }),
  segments: Type.Object({ ...SegmentSchema.properties, ...made, ...marked }),
  workflows: Type.Object({
    id: plain(IdSchema),
    slug: plain(Type.String()),
    name: plain(Type.String()),
    position: plain(Type.Integer()),
    enabled: plain(Type.Boolean()),
    paused_reason: plain(orNull(Type.String())),
    draft: plain(Type.Unknown()),
    published: plain(orNull(IdSchema)),
    updated_at: derived(InstantSchema),
    named: derived(orNull(IdSchema)),
    ...archived,
    ...made,
    ...marked,
  }),
  workflow_names: Type.Object({ name: derived(Type.String()), workflow: derived(IdSchema) }),
  workflow_versions: Type.Object({
    id: plain(IdSchema),
    workflow: plain(IdSchema),
    number: plain(Type.Integer()),
    document: plain(Type.Unknown()),
    hash: derived(Type.String()),
    publisher: plain(IdSchema),
    published_at: plain(InstantSchema),
    due_from: plain(InstantSchema),
    trigger_due_from: plain(Type.Unknown()),
  }),
  folders: Type.Object({
    id: plain(IdSchema),
    owner: plain(orNull(IdSchema)),
    name: plain(Type.String()),
    icon: plain(orNull(Type.String())),
    position: plain(Type.Integer()),
    filter: plain(Type.Unknown()),
    only_mine: plain(orNull(Type.String())),
    sort: plain(Type.String()),
    updated_at: derived(InstantSchema),
    ...made,
  }),
  saved_replies: Type.Object({
    id: plain(IdSchema),
    owner: plain(orNull(IdSchema)),
    folder: plain(orNull(Type.String())),
    name: plain(Type.String()),
    text: plain(Type.String()),
    uses: derived(Type.Integer()),
    used_at: derived(orNull(InstantSchema)),
    updated_at: derived(InstantSchema),
    ...made,
  }),
  idempotency_keys: Type.Object({
    key: plain(Type.String()),
    fingerprint: plain(Type.String()),
    answer: plain(Type.String({ description: "sealed" })),
    at: plain(InstantSchema),
  }),
  followers: Type.Object({
    name: plain(Type.String()),
    seq: derived(Type.Integer()),
    since: plain(orNull(InstantSchema)),
  }),
  daily_counts: Type.Object({
    day: plain(Type.String()),
    messages: derived(Type.Integer()),
    runs: derived(Type.Integer()),
  }),
  listings: Type.Object({
    id: plain(IdSchema),
    mailbox: derived(IdSchema),
    status: derived(Type.String()),
    assignee: derived(orNull(IdSchema)),
    team: derived(orNull(IdSchema)),
    waiting_since: derived(orNull(InstantSchema)),
    last_inbound_at: derived(orNull(InstantSchema)),
    moved_at: derived(InstantSchema),
  }),
  listing_counts: Type.Object({
    mailbox: plain(IdSchema),
    status: plain(Type.String()),
    assignee: plain(IdSchema),
    team: plain(IdSchema),
    waiting: plain(Type.Boolean()),
    count: derived(Type.Integer()),
  }),
  daily_counts_closed: Type.Object({ day: derived(Type.String()) }),
  directory_jobs: JobSchema,
  job_refusals: JobRefusalSchema,
  job_files: JobFileSchema,
  job_file_parts: JobFilePartSchema,
  duplicates: Type.Object({
    a: plain(IdSchema),
    b: plain(IdSchema),
    reasons: derived(Type.Array(Type.String())),
    found_at: plain(InstantSchema),
    dismissed_at: plain(orNull(InstantSchema)),
    dismissed_by: plain(orNull(IdSchema)),
  }),
  directory_organizations: Type.Object({ id: plain(IdSchema), name: plain(Type.String()), ...made }),
  directory_tokens: Type.Object({
    hash: plain(Type.String()),
    id: plain(IdSchema),
    user_id: plain(IdSchema),
    name: plain(Type.String()),
    hint: plain(Type.String()),
    revoked_at: plain(orNull(InstantSchema)),
    expires_at: plain(orNull(InstantSchema)),
    last_used_at: plain(orNull(InstantSchema)),
    scopes: plain(orNull(Type.Array(Type.String()))),
    ...made,
  }),
  ...identityNouns,
  directory_channels: Type.Object({ channel: plain(IdSchema) }),
  lanes: Type.Object({ seq_floor: plain(Type.Integer()) }),
} as const;

/**
 * Every noun by its table, with a mark on each field. Erasing, redaction and undo read these; a test fails for a field
 * without a mark, and one of the server's for a column that stands here under no table.
 */
export const nouns = { ...worldNouns, ...settingsNouns } as const;
