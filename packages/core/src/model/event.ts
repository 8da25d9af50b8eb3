import { Type } from "typebox";
import { type Id, IdSchema, type Instant, type Json } from "./common.ts";
import { personal, plain } from "./marks.ts";

/** The nouns whose every change is logged. */
export const loggedTables = ["customers", "conversations", "messages", "notes"] as const;
export type LoggedTable = (typeof loggedTables)[number];

/**
 * One changed row. `before` is null when the row was created: `after` then holds every field that differs from its
 * default. Otherwise both hold just the fields that changed. Lists stand whole on both sides; of fields that hold values by
 * name, such as properties, only the members that changed do, and one that is absent was not, or is no more, there. Null in
 * place of the members: they were erased.
 */
export interface Change {
  readonly table: LoggedTable;
  readonly id: Id;
  readonly before: { readonly [field: string]: Json } | null;
  readonly after: { readonly [field: string]: Json };
}

/** Who asked. A run acts for its workflow with the rights of whoever published it. */
export interface Actor {
  readonly kind: "user" | "workflow" | "channel" | "system";
  /** the user, workflow or channel; null for the system */
  readonly id: Id | null;
  /** for a workflow: the user who published the version */
  readonly publisher?: Id | null;
  /** for a user who came by one: the token of the API */
  readonly token?: Id;
  /** for a user who signed in: the session */
  readonly session?: Id;
}

/** Why an event came to be: the event, run and step before it. */
export interface Cause {
  readonly event?: Id;
  readonly run?: Id;
  readonly step?: string;
}

/** What an event is about; found by these. */
export interface Refs {
  readonly customer?: Id;
  readonly conversation?: Id;
  readonly message?: Id;
  readonly user?: Id;
}

/** Facts of events that are no column. Names of properties and values before and after are anybody's words. */
export const EventDataSchema = Type.Object({
  names: personal(Type.Optional(Type.Array(Type.String()))),
  before: personal(Type.Optional(Type.Unknown())),
  after: personal(Type.Optional(Type.Unknown())),
  /** of presence: how it is known */
  by: plain(Type.Optional(Type.String())),
  customers: plain(Type.Optional(Type.Array(IdSchema))),
  /** of notes: the users whom they name */
  mentions: plain(Type.Optional(Type.Array(IdSchema))),
  conversations: plain(Type.Optional(Type.Integer())),
  source: plain(Type.Optional(IdSchema)),
  target: plain(Type.Optional(IdSchema)),
  /** of runs: which one, of which workflow, and why it ended or did not start */
  run: plain(Type.Optional(IdSchema)),
  workflow: plain(Type.Optional(IdSchema)),
  reason: personal(Type.Optional(Type.String())),
  /** of runs that were withheld: why, how many, and the first few of their workflows */
  code: plain(Type.Optional(Type.String())),
  message: plain(Type.Optional(Type.String())),
  count: plain(Type.Optional(Type.Integer())),
  workflows: plain(Type.Optional(Type.Array(IdSchema))),
  /** of settings: which kind, and which one */
  noun: plain(Type.Optional(Type.String())),
  id: plain(Type.Optional(Type.String())),
});
export type EventData = { readonly [K in keyof (typeof EventDataSchema)["properties"]]?: Json };

/** The immutable fact that a command left behind. */
export interface Event {
  readonly id: Id;
  readonly type: string;
  readonly at: Instant;
  readonly actor: Actor;
  /** the item that set all of it off: a command's id, or what stands for one (MILL law 5) */
  readonly root: string;
  readonly cause: Cause;
  readonly depth: number;
  readonly refs: Refs;
  readonly changes: readonly Change[];
  /** facts that are no column: the words of a refusal, the workflow that was started */
  readonly data?: { readonly [key: string]: Json };
}
