import {
  type Actor,
  type Cause,
  type Change,
  type Event,
  type Json,
  type LoggedTable,
  logVersion,
  type Refs,
  upgradeChange,
} from "@threadmill/core";
import { meant, wholeId, writeCut, writeSigned } from "./short.ts";
import { Words } from "./words.ts";

/**
 * A change as a log row keeps it. Its id stands only where the event's refs do not already say it, its table only where the
 * event's type does not; `before` is absent where the change made the row. A text of `~` is the event's own: its instant;
 * in `customer`, `conversation` and `message` the ref of that name; in `channel` the channel that it came by.
 */
export interface StoredChange {
  readonly table?: LoggedTable;
  readonly id?: string;
  readonly before?: Change["before"];
  readonly after: Change["after"];
}

/**
 * An event as a log row keeps it. The row has the instant and the root; actor, depth and each part of the cause and
 * of the refs stand only where they differ from the event before, and ids that begin as the row's first event's does are
 * cut to their end. Bytes are what the log costs, from the words here to the disk: the six events of one message take
 * 1.7 KB instead of 4.3 KB.
 */
export interface StoredEvent {
  readonly id: string;
  readonly type: string;
  readonly actor?: Actor;
  readonly cause?: { readonly [K in keyof Cause]: Cause[K] | null };
  readonly depth?: number;
  readonly refs?: { readonly [K in keyof Refs]: Refs[K] | null };
  readonly changes?: readonly StoredChange[];
  readonly data?: Event["data"];
  /** of a row's first event: the version in which the changes of all are written, and that ids are cut and `~` is a sign */
  readonly short?: number;
  /** as `short`, in rows of before, in which nothing is cut and no text is a sign; absent where it is 1 */
  readonly v?: number;
}

type Context = Pick<Event, "actor" | "cause" | "depth" | "refs">;
const nothing: Context = { actor: { kind: "system", id: null }, cause: {}, depth: 0, refs: {} };

/** Whether two say the same, part by part. */
function sameParts(a: object, b: object): boolean {
  if (a === b) return true;
  for (const part in a) if ((a as Parts)[part] !== (b as Parts)[part]) return false;
  for (const part in b) if ((a as Parts)[part] !== (b as Parts)[part]) return false;
  return true;
}

/** Writes what a row keeps of consecutive events of one root and instant: a JSON list of `StoredEvent`. */
export function writeEvents(words: Words, events: readonly Event[]): void {
  const first = events[0]?.id ?? "";
  let last = nothing;
  words.plain("[");
  for (const event of events) {
    words.plain(last === nothing ? '{"id":' : ',{"id":');
    if (last === nothing) words.string(event.id);
    else writeCut(words, event.id, first);
    words.plain(',"type":');
    words.string(event.type);
    if (!sameParts(last.actor, event.actor)) {
      words.plain(',"actor":');
      words.json(event.actor);
    }
    writeParts(words, causeParts, last.cause, event.cause, first);
    if (last.depth !== event.depth) words.plain(`,"depth":${event.depth}`);
    writeParts(words, refParts, last.refs, event.refs, first);
    if (event.changes.length > 0) {
      let lead = ',"changes":[';
      for (const change of event.changes) {
        words.plain(lead);
        writeChange(words, change, event, first);
        lead = ",";
      }
      words.plain("]");
    }
    if (event.data !== undefined) {
      words.plain(',"data":');
      words.json(event.data);
    }
    words.plain(last === nothing ? `,"short":${logVersion}}` : "}");
    last = event;
  }
  words.plain("]");
}

/** The same as text. */
export function eventsText(events: readonly Event[]): string {
  const words = new Words(false);
  writeEvents(words, events);
  return words.toString();
}

/** A part of an event with the words before it, where it is the first that is written and where it is not. */
const partOf = (whole: string) => (name: string) => ({ name, first: `,"${whole}":{"${name}":`, next: `,"${name}":` });
const causeParts = ["event", "run", "step"].map(partOf("cause"));
const refParts = ["customer", "conversation", "message", "user"].map(partOf("refs"));

type Parts = { readonly [part: string]: string | null | undefined };

/** Writes the parts that are not as they were, if any: null for one that is there no more. A step is named as its author likes. */
function writeParts(words: Words, parts: typeof refParts, before: object, after: object, like: string): void {
  if (before === after) return;
  let any = false;
  for (const { name, first, next } of parts) {
    const part = (after as Parts)[name];
    if ((before as Parts)[name] === part) continue;
    words.plain(any ? next : first);
    any = true;
    if (part === undefined || part === null) words.plain("null");
    else if (name === "step") words.string(part);
    else writeCut(words, part, like);
  }
  if (any) words.plain("}");
}

function partsAfter<T extends object>(before: T, differs: Parts | undefined): T {
  if (differs === undefined) return before;
  const merged = Object.entries({ ...before, ...differs });
  return Object.fromEntries(merged.filter(([, value]) => value !== null && value !== undefined)) as T;
}

const nouns = {
  customers: "customer",
  conversations: "conversation",
  messages: "message",
  notes: "note",
} as const satisfies Record<LoggedTable, string>;
/** What an event's refs say of a table's row, where they name one. */
const refOf = (table: LoggedTable, refs: Refs): string | undefined =>
  (refs as { readonly [noun: string]: string | undefined })[nouns[table]];

/** The table that an event changes by its type, where it changes one of that noun. */
const tableOf = (type: string): string => `${type.slice(0, type.indexOf("."))}s`;
/** Whether it does. */
const isOfTable = (type: string, table: LoggedTable): boolean =>
  type.charCodeAt(table.length - 1) === dot && type.startsWith(nouns[table]);
const dot = 0x2e;

function writeChange(words: Words, { table, id, before, after }: Change, event: Event, first: string): void {
  let lead = "{";
  if (!isOfTable(event.type, table)) {
    words.plain(`{"table":"${table}"`);
    lead = ",";
  }
  if (refOf(table, event.refs) !== id) {
    words.plain(`${lead}"id":`);
    writeCut(words, id, first);
    lead = ",";
  }
  if (before !== null) {
    words.plain(`${lead}"before":`);
    writeFields(words, before, event);
    lead = ",";
  }
  words.plain(`${lead}"after":`);
  writeFields(words, after, event);
  words.plain("}");
}

function writeFields(words: Words, fields: Fields, event: Event): void {
  let lead = "{";
  for (const field in fields) {
    const value: Json | undefined = fields[field];
    if (value === undefined) continue;
    words.plain(lead);
    words.string(field);
    words.plain(":");
    if (typeof value === "string") writeSigned(words, value, usual(field, event));
    else words.json(value);
    lead = ",";
  }
  words.plain(lead === "{" ? "{}" : "}");
}

function readChange(stored: StoredChange, event: Own & Pick<Event, "type">, first: string): Change {
  const { before, after } = stored;
  const table = stored.table ?? (tableOf(event.type) as LoggedTable);
  return {
    table,
    id: stored.id === undefined ? (refOf(table, event.refs) as string) : wholeId(stored.id, first),
    before:
      before === undefined || before === null
        ? null
        : eachText(before, (text, field) => meant(text, usual(field, event))),
    after: eachText(after, (text, field) => meant(text, usual(field, event))),
  };
}

/** Changes the ids among the parts of a cause or of refs: all but a step. */
function eachId<T extends object>(parts: T, change: (id: string) => string): T {
  const changed: { [name: string]: unknown } = {};
  for (const name in parts) {
    const value: unknown = parts[name];
    changed[name] = typeof value === "string" && name !== "step" ? change(value) : value;
  }
  return changed as T;
}

type Own = Pick<Event, "at" | "refs" | "actor">;

/** What a field most often holds in an event. */
function usual(field: string, { at, refs, actor }: Own): string {
  if (field === "customer" || field === "conversation" || field === "message") return refs[field] ?? at;
  return field === "channel" && actor.kind === "channel" ? (actor.id ?? at) : at;
}

type Fields = Change["after"];

/** Changes the fields that hold a text; a copy is made only where one changes. */
function eachText(fields: Fields, change: (text: string, field: string) => string): Fields {
  let changed: { [field: string]: Json } | null = null;
  for (const field in fields) {
    const value = fields[field];
    if (typeof value !== "string") continue;
    const text = change(value, field);
    if (text !== value) (changed ??= { ...fields })[field] = text;
  }
  return changed ?? fields;
}

/** A row of the log as it is read. */
export interface LogRow {
  readonly seq: number;
  readonly at: string;
  readonly root: string;
  readonly events: readonly StoredEvent[];
}

/** The events of a log row, whole again, each with its number, and as they would be written today. */
export function readEvents(row: LogRow): (Event & { readonly seq: number })[] {
  let last = nothing;
  const [first] = row.events;
  const version = first?.short ?? first?.v ?? 1;
  const short = first?.short !== undefined;
  const idOf = (id: string): string => (short ? wholeId(id, first.id) : id);
  return row.events.map((stored, index) => {
    last = {
      actor: stored.actor ?? last.actor,
      cause: partsAfter(last.cause, stored.cause && eachId(stored.cause, idOf)),
      depth: stored.depth ?? last.depth,
      refs: partsAfter(last.refs, stored.refs && eachId(stored.refs, idOf)),
    };
    const { type, data } = stored;
    const event = { seq: row.seq + index, id: idOf(stored.id), type, at: row.at, root: row.root, ...last };
    const changes = (stored.changes ?? []).map((change) => {
      if (short) return upgradeChange(readChange(change, event, first.id), version);
      const { table, before = null, after } = change as StoredChange & Pick<Change, "table">;
      return upgradeChange({ table, id: change.id ?? (refOf(table, event.refs) as string), before, after }, version);
    });
    return { ...event, changes, ...(data !== undefined && { data }) };
  });
}
