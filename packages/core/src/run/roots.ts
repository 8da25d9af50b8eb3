import { type TObject, Type } from "typebox";
import type { Target } from "../domain/define.ts";
import { key } from "../domain/keys.ts";
import type { Ledger } from "../domain/ledger.ts";
import type { SettingsIndex } from "../domain/settings-index.ts";
import { type Id, IdSchema, type Instant, InstantSchema, orNull } from "../model/common.ts";
import { ConversationSchema } from "../model/conversation.ts";
import { CustomerSchema } from "../model/customer.ts";
import { type Event, EventDataSchema, type Refs } from "../model/event.ts";
import { namesOf } from "../model/json.ts";
import { MessageSchema } from "../model/message.ts";
import { NoteSchema } from "../model/note.ts";
import { ActorSchema, type Run } from "../model/run.ts";
import { settingsSchemas } from "../model/settings.ts";
import type { RowChange, Scope } from "../template/scope.ts";
import { isOpen } from "../time/calendar.ts";
import { survivorOf } from "./survivor.ts";

/** What a scope is about: an event that may start a run, a run that takes a step, or a subject alone. */
export interface Origin {
  readonly refs: Refs;
  readonly at: Instant;
  readonly event: Event | null;
  readonly run: Run | null;
}

/** What stands in a document and reads: a trigger's condition, that of a time trigger, or a step. */
export type Reader = "event" | "time" | "step";

/** One thing that a condition or text can name. */
export interface Root {
  /** what people call it */
  readonly label: string;
  /** its fields, where they are known; null where it may hold anything, or has no fields */
  readonly schema: TObject | null;
  /** its fields for a step, where a run keeps others than a trigger's condition sees */
  readonly inSteps?: TObject;
  /** whether reading it may take a look into the database, which is why nothing is loaded that nobody reads */
  readonly lazy: boolean;
  /** who may read it */
  readonly readers: readonly Reader[];
  /** what a trigger must bring so that there is one; null where there always is */
  readonly from: Target | null;
  /** Loads it; null where there is none. Throws `Missing`. */
  readonly load: (origin: Origin, from: Sources, scope: Scope) => unknown;
}

interface Sources {
  readonly ledger: Ledger;
  readonly settings: SettingsIndex;
}

const everywhere: readonly Reader[] = ["event", "time", "step"];
/** A time trigger reads its subject and its customer alone: nothing else would tell it to look again (MILL law 14). */
const notByTime: readonly Reader[] = ["event", "step"];
const inEvents: readonly Reader[] = ["event"];
const inSteps: readonly Reader[] = ["step"];

/** What of a row can be asked for as it was and as it is now. */
const changeSchema = ({ properties }: TObject) =>
  Type.Object(
    Object.fromEntries(
      Object.entries(properties).map(([field, schema]) => [field, Type.Object({ before: schema, after: schema })]),
    ),
  );

/**
 * Everything that a condition or text can name, by name: who may read it, what is known of it, and how it is loaded,
 * which happens when it is first read. Evaluation, validation and the lists of the builder follow from this table.
 */
const table = {
  organization: {
    label: "Organization",
    schema: Type.Object({ id: IdSchema, name: Type.String(), zone: Type.String() }),
    lazy: false,
    readers: everywhere,
    from: null,
    load: (_origin, { settings: { organization } }) => ({
      id: organization.id,
      name: organization.name,
      zone: organization.zone,
    }),
  },
  customer: {
    label: "Customer",
    schema: CustomerSchema,
    lazy: true,
    readers: everywhere,
    from: "customer",
    load: ({ refs }, { ledger }) => (refs.customer === undefined ? null : survivorOf(refs.customer, ledger)),
  },
  conversation: {
    label: "Conversation",
    schema: ConversationSchema,
    lazy: true,
    readers: everywhere,
    from: "conversation",
    load: ({ refs }, { ledger }) =>
      refs.conversation === undefined ? null : ledger.get(key.conversation(refs.conversation)),
  },
  message: {
    label: "Message",
    schema: MessageSchema,
    lazy: true,
    readers: notByTime,
    from: "message",
    load: ({ refs }, { ledger }) => (refs.message === undefined ? null : ledger.get(key.message(refs.message))),
  },
  note: {
    label: "Note on the customer",
    schema: NoteSchema,
    lazy: true,
    readers: inEvents,
    from: "note",
    load: ({ event }, { ledger }) => {
      const id = event?.changes.find(({ table: of }) => of === "notes")?.id;
      return id === undefined ? null : ledger.get(key.note(id));
    },
  },
  user: {
    label: "User",
    schema: settingsSchemas.users,
    lazy: false,
    readers: notByTime,
    from: null,
    load: ({ refs }, { settings }) => (refs.user === undefined ? null : settings.user(refs.user)),
  },
  assignee: {
    label: "Assignee",
    schema: settingsSchemas.users,
    lazy: true,
    readers: notByTime,
    from: "customer",
    load: (_origin, { settings }, scope) => {
      const id = ofConversation(scope, "assignee") ?? (scope.root("customer") as Held | null)?.["assignee"] ?? null;
      return id === null ? null : settings.user(id);
    },
  },
  team: {
    label: "Team",
    schema: settingsSchemas.teams,
    lazy: true,
    readers: notByTime,
    from: "conversation",
    load: (_origin, { settings }, scope) => settingOf(scope, "team", settings),
  },
  channel: {
    label: "Channel",
    schema: settingsSchemas.channels,
    lazy: true,
    readers: notByTime,
    from: "conversation",
    load: (_origin, { settings }, scope) => settingOf(scope, "channel", settings),
  },
  mailbox: {
    label: "Mailbox",
    schema: settingsSchemas.mailboxes,
    lazy: true,
    readers: notByTime,
    from: "conversation",
    load: (_origin, { settings }, scope) => settingOf(scope, "mailbox", settings),
  },
  event: {
    label: "Event",
    schema: Type.Object({
      id: IdSchema,
      type: Type.String(),
      actor: ActorSchema,
      data: EventDataSchema,
    }),
    inSteps: Type.Object({
      id: orNull(IdSchema),
      type: Type.String(),
      event: orNull(IdSchema),
      index: orNull(Type.Integer()),
    }),
    lazy: false,
    readers: notByTime,
    from: null,
    load: ({ event, run }) =>
      event === null
        ? run && { ...run.trigger, id: run.trigger.event }
        : { id: event.id, type: event.type, actor: event.actor, data: event.data ?? null },
  },
  changes: {
    label: "Changes",
    schema: Type.Object({
      customer: changeSchema(CustomerSchema),
      conversation: changeSchema(ConversationSchema),
      message: changeSchema(MessageSchema),
    }),
    lazy: false,
    readers: inEvents,
    from: null,
    load: ({ event, refs }) => event && changesOf(event.changes, refs),
  },
  calendar: {
    label: "Calendar",
    schema: null,
    lazy: false,
    readers: notByTime,
    from: null,
    load: ({ at }, { settings }, { meter }) => {
      const calendars = settings.all.calendars.filter((row) => row.archived_at === null);
      meter.take(calendars.length * stepsOfCalendar);
      return Object.fromEntries(
        calendars.map(({ id, slug, name, calendar }) => [
          slug,
          { id, name, zone: calendar.zone, open: isOpen(calendar, at) },
        ]),
      );
    },
  },
  now: { label: "Now", schema: null, lazy: false, readers: notByTime, from: null, load: ({ at }) => at },
  inputs: {
    label: "Inputs",
    schema: null,
    lazy: false,
    readers: inSteps,
    from: null,
    load: ({ run }) => run && run.inputs,
  },
  steps: {
    label: "Steps",
    schema: null,
    lazy: false,
    readers: inSteps,
    from: null,
    load: ({ run }) => run && Object.fromEntries(run.steps.map((result) => [result.step, result.output])),
  },
  run: {
    label: "Run",
    schema: Type.Object({ id: IdSchema, workflow: IdSchema, started_at: InstantSchema }),
    lazy: false,
    readers: inSteps,
    from: null,
    load: ({ run }) => run && { id: run.id, workflow: run.workflow, started_at: run.started_at },
  },
} as const satisfies Readonly<Record<string, Root>>;

/** What can be read of a calendar. */
export const calendarFields = ["id", "name", "zone", "open"] as const;

/** Whether a calendar is open is looked up day by day. */
const stepsOfCalendar = 64;

export type RootName = keyof typeof table;
/** The names of all roots, in the order in which a builder lists them. */
export const rootNames = Object.keys(table) as readonly RootName[];

const byName: ReadonlyMap<string | number, Root> = new Map(Object.entries(table));

/** The root of that name; undefined where there is none. */
export const rootNamed = (name: string | number): Root | undefined => byName.get(name);

type Held = Readonly<Record<string, Id | null>>;

const ofConversation = (scope: Scope, field: string): Id | null =>
  (scope.root("conversation") as Held | null | undefined)?.[field] ?? null;

/** What the settings hold of the thing that a field of the conversation names. */
function settingOf(scope: Scope, noun: "team" | "channel" | "mailbox", settings: SettingsIndex): unknown {
  const id = ofConversation(scope, noun);
  return id === null ? null : settings[noun](id);
}

const rows = { customer: "customers", conversation: "conversations", message: "messages" } as const;

/** What the event changed of its own rows: `changes.conversation.status.before`. */
function changesOf(changes: readonly RowChange[], refs: Refs): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(rows).map(([root, table]) => {
      const own = changes.filter((change) => change.table === table && change.id === refs[root as keyof typeof rows]);
      const fields = own.flatMap(({ before, after }) =>
        namesOf(after).map((field) => [field, { before: before?.[field] ?? null, after: after[field] }] as const),
      );
      return [root, Object.fromEntries(fields)];
    }),
  );
}
