import type { Json } from "../model/common.ts";
import { ConversationSchema } from "../model/conversation.ts";
import { CustomerSchema } from "../model/customer.ts";
import { type Change, EventDataSchema, type Event, type LoggedTable } from "../model/event.ts";
import { blank, blankOf, fieldsMarked } from "../model/marks.ts";
import { MessageSchema } from "../model/message.ts";
import { NoteSchema } from "../model/note.ts";
import { hasMembers } from "./members.ts";
import type { Row } from "./rows.ts";

/** The schemas whose fields the log's changes name. */
const schemas = {
  customers: CustomerSchema,
  conversations: ConversationSchema,
  messages: MessageSchema,
  notes: NoteSchema,
} as const;

/** Every personal field of a logged row, and what it holds once erased: read off the marks. */
export const blankFields: Readonly<Record<LoggedTable, Row>> = {
  customers: fieldsMarked(CustomerSchema, "personal", blankOf),
  conversations: fieldsMarked(ConversationSchema, "personal", blankOf),
  messages: fieldsMarked(MessageSchema, "personal", blankOf),
  notes: fieldsMarked(NoteSchema, "personal", blankOf),
};

type Fields = Change["after"];

function blankIn(table: LoggedTable, fields: Fields): Fields {
  const known = blankFields[table];
  const { properties } = schemas[table];
  const kept = Object.entries(fields).filter(([name]) => Object.hasOwn(properties, name));
  return Object.fromEntries(
    kept.map(([name, value]) => [name, Object.hasOwn(known, name) ? known[name] : value]),
  ) as Fields;
}

/** Of a field's members a change does not even tell the names. */
function withoutMembers(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, hasMembers(name) ? null : value]));
}

/** A change without what is personal: which fields it touched stays, what they held does not. */
export function blankChange<T extends Omit<Change, "id">>(change: T): T {
  const { table, before, after } = change;
  const blanked = (fields: Fields): Fields => withoutMembers(blankIn(table, fields));
  return { ...change, before: before === null ? null : blanked(before), after: blanked(after) };
}

/** What a row is to carry, without what is personal: those fields are to hold their blanks. */
export function blankPatch<T extends object>(table: LoggedTable, patch: T): T {
  return blankIn(table, patch as Fields) as T;
}

/** An event's facts without what is personal; undefined where nothing is left. */
export function blankData(data: Event["data"]): Event["data"] {
  if (data === undefined) return undefined;
  const kept = blank(EventDataSchema, data) as { readonly [name: string]: Json };
  return Object.keys(kept).length === 0 ? undefined : kept;
}
