import {
  type Event,
  type Id,
  IdSchema,
  InstantSchema,
  type Json,
  type LoggedTable,
  memberFields,
  oneOf,
} from "@threadmill/core";
import { Type } from "typebox";

const nounOf = { customers: "customer", conversations: "conversation", messages: "message", notes: "note" } as const;
type Noun = (typeof nounOf)[LoggedTable];

/** One row that changed, as a page patches what it holds. */
export interface RowPatch {
  readonly noun: Noun;
  readonly id: Id;
  /** it was made: fields that are not named are at their default */
  readonly made?: true;
  /** the fields that changed, as they are now; of fields that hold values by name only the members that changed */
  readonly fields: { readonly [field: string]: Json };
  /** members that are no more, by field; null: all of them */
  readonly removed?: { readonly [field: string]: readonly string[] | null };
}

/** One event of the log as an open page is told of it. */
export interface LiveChange {
  readonly seq: number;
  readonly id: Id;
  readonly type: string;
  readonly at: string;
  readonly actor: { readonly kind: string; readonly id: Id | null };
  /** what set it off: the command's id, as its own answer names it */
  readonly root: string;
  readonly refs: Event["refs"];
  readonly changes: readonly RowPatch[];
  /** facts that are no field: which setting, workflow or run it is about, or who is present now */
  readonly data?: { readonly [name: string]: Json };
}

const RowPatchSchema = Type.Object(
  {
    noun: oneOf(["customer", "conversation", "message", "note"] as const),
    id: IdSchema,
    made: Type.Optional(
      Type.Literal(true, { description: "it is new: fields that are not named are at their default" }),
    ),
    fields: Type.Record(Type.String(), Type.Unknown(), {
      description: "the fields that changed, as they are now; of `properties` and `other_channels` only what changed",
    }),
    removed: Type.Optional(
      Type.Record(Type.String(), Type.Union([Type.Array(Type.String()), Type.Null()]), {
        description: "members of `properties` and `other_channels` that are no more, by field; null: all of them",
      }),
    ),
  },
  { title: "RowPatch" },
);

export const LiveChangeSchema = Type.Object(
  {
    seq: Type.Integer({ description: "its place in the log, as in `GET /events`" }),
    id: IdSchema,
    type: Type.String({ description: "such as `conversation.closed`" }),
    at: InstantSchema,
    actor: Type.Object({ kind: Type.String(), id: Type.Union([Type.String(), Type.Null()]) }),
    root: Type.String({ description: "the id of the command that set it off, as its answer names it" }),
    refs: Type.Object({
      customer: Type.Optional(IdSchema),
      conversation: Type.Optional(IdSchema),
      message: Type.Optional(IdSchema),
      user: Type.Optional(IdSchema),
    }),
    changes: Type.Array(RowPatchSchema),
    data: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: "what is no field: the noun and id of a changed setting, a run, a user's presence",
      }),
    ),
  },
  { title: "LiveChange" },
);

/** Facts that any reader of the event may know. What stands in texts and settings is read where it stands. */
const toldData = ["names", "customers", "source", "target", "run", "workflow", "noun", "id", "count"] as const;

/** What an open page is told of an event. */
export function changeOf(event: Event & { readonly seq: number }): LiveChange {
  const { seq, id, type, at, actor, root, refs } = event;
  const data = dataOf(event);
  return {
    seq,
    id,
    type,
    at,
    actor: { kind: actor.kind, id: actor.id },
    root,
    refs,
    changes: event.changes.map(patchOf),
    ...(data !== null && { data }),
  };
}

function dataOf({ type, data }: Event): LiveChange["data"] | null {
  if (data === undefined) return null;
  const told = Object.fromEntries(toldData.flatMap((name) => (name in data ? [[name, data[name] as Json]] : [])));
  if (type === "user.presence_changed") Object.assign(told, { presence: data["after"] });
  return Object.keys(told).length === 0 ? null : told;
}

type Change = Event["changes"][number];
type Members = { readonly [name: string]: Json };

function patchOf({ table, id, before, after }: Change): RowPatch {
  const noun = nounOf[table];
  if (before === null) return { noun, id, made: true, fields: after };
  const fields: { [field: string]: Json } = {};
  const removed: { [field: string]: readonly string[] | null } = {};
  for (const [field, value] of Object.entries(after)) {
    const was = before[field];
    if (!memberFields.includes(field)) fields[field] = value;
    else if (value === null) removed[field] = null;
    else {
      const names = Object.keys((was ?? {}) as Members).filter((name) => !Object.hasOwn(value as Members, name));
      if (names.length > 0) removed[field] = names;
      if (Object.keys(value as Members).length > 0) fields[field] = value;
    }
  }
  return { noun, id, fields, ...(Object.keys(removed).length > 0 && { removed }) };
}
