import { type Event, idInstant, type Message, MessageSchema, type Note, NoteSchema, type Run } from "@threadmill/core";
import type { Pool } from "pg";
import { Type } from "typebox";
import type { Place } from "../../lanes/port.ts";
import { readRun } from "../../lanes/run-format.ts";
import { readableConversations, readableEvents } from "../../rights/readable.ts";
import { type Reach, runWithinReachText } from "../../rights/reach.ts";
import { shownColumns } from "../columns.ts";
import { findEvents } from "../events/log.ts";
import { runHeadColumns } from "../runs/columns.ts";
import type { Tables } from "../tables.ts";

/** How far each kind of entry has been shown: what comes next lies before. Null: nothing yet. */
export const TimelineSpot = Type.Object({
  event: Type.Union([Type.Integer(), Type.Null()]),
  message: Type.Union([Type.Integer(), Type.Null()]),
  note: Type.Union([Type.String(), Type.Null()]),
  run: Type.Union([Type.String(), Type.Null()]),
});
/** As `TimelineSpot`. */
export interface Spot {
  readonly event: number | null;
  readonly message: number | null;
  readonly note: string | null;
  readonly run: string | null;
}
/** What a timeline holds. */
export const timelineKinds = ["event", "message", "note", "run"] as const;
type Kind = (typeof timelineKinds)[number];

/** One entry: its instant, its kind, and the thing itself under the kind's name. */
export interface Entry {
  readonly kind: Kind;
  readonly at: string;
  readonly message?: Message;
  readonly note?: Note;
  readonly event?: Event;
  readonly run?: Run;
}

/** A stretch of one kind, newest first. */
interface Stretch {
  readonly kind: Kind;
  readonly entries: readonly { readonly entry: Entry; readonly spot: number | string }[];
  /** where the stretch ends though there may be more behind it; null: nothing is left */
  readonly open: number | string | null;
}

/** Whose timeline is read, by whom, and from where on. */
export interface TimelineAsked {
  readonly customers: readonly string[];
  /** what the caller may read of each kind; notes are the customer's */
  readonly reach: Readonly<Record<Exclude<Kind, "note">, Reach>>;
  readonly from: Spot;
  readonly most: number;
  readonly kinds: ReadonlySet<Kind>;
}

/** These tell of a row that is an entry itself. */
const ofOtherKinds: ReadonlySet<string> = new Set([
  "message.received",
  "message.sent",
  "message.noted",
  "customer.note_added",
]);

/**
 * Everything of a customer and of those merged into them, newest first: messages and notes from their rows, which outlive
 * the log, what else happened from the log, and runs. Each kind is read in an order of its own that an index gives, and they
 * are put together by their instants; so the page's end is a place in each of them.
 */
export async function readTimeline(
  pool: Pool,
  place: Place,
  asked: TimelineAsked,
): Promise<{ readonly entries: readonly Entry[]; readonly next: Spot | null }> {
  const ofConversations = asked.kinds.has("message") || asked.kinds.has("run");
  const conversations = ofConversations ? await conversationsOf(pool, place, asked) : [];
  const readers = { event: eventStretch, message: messageStretch, note: noteStretch, run: runStretch };
  const stretches = await Promise.all(
    timelineKinds
      .filter((kind) => asked.kinds.has(kind))
      .map((kind) => readers[kind](pool, place, asked, conversations)),
  );
  return together(stretches, asked);
}

/** Puts stretches together; ends where one of them is through of which more may be behind. */
function together(stretches: readonly Stretch[], { from, most }: TimelineAsked) {
  const entries: Entry[] = [];
  const spot: Record<Kind, number | string | null> = { ...from };
  const left = stretches.map((stretch) => ({ ...stretch, at: 0 }));
  const more = () => left.some(({ entries: all, at, open }) => at < all.length || open !== null);
  while (entries.length < most) {
    const through = left.find(({ entries: all, at, open }) => at === all.length && open !== null);
    if (through !== undefined) {
      spot[through.kind] = through.open;
      break;
    }
    let newest: (typeof left)[number] | undefined;
    for (const stretch of left) {
      const [own, best] = [stretch.entries[stretch.at], newest?.entries[newest.at]];
      if (own !== undefined && (best === undefined || own.entry.at > best.entry.at)) newest = stretch;
    }
    const next = newest?.entries[newest.at];
    if (newest === undefined || next === undefined) break;
    newest.at += 1;
    spot[newest.kind] = next.spot;
    entries.push(next.entry);
  }
  return { entries, next: more() ? (spot as unknown as Spot) : null };
}

/** The customers' conversations that may be read. */
async function conversationsOf(
  pool: Pool,
  place: Place,
  { customers, reach }: TimelineAsked,
): Promise<readonly string[]> {
  const { rows } = await pool.query<{ id: string }>(
    "select id from conversations where lane = $1 and organization = $2 and customer = any($3)",
    [place.lane, place.organization, customers],
  );
  return [
    ...(await readableConversations(
      pool,
      place,
      reach.message,
      rows.map(({ id }) => id),
    )),
  ];
}

type Reader = (pool: Pool, place: Place, asked: TimelineAsked, conversations: readonly string[]) => Promise<Stretch>;

const eventStretch: Reader = async (pool, place, { customers, reach, from, most }) => {
  const { events, reached } = await findEvents(pool, place, {
    newestFirst: true,
    from: from.event ?? undefined,
    most,
    customers,
    root: undefined,
    fits: (event) => !ofOtherKinds.has(event.type),
    readable: (found) => readableEvents(pool, place, reach.event, found),
  });
  const entries = events.map((event) => ({
    entry: { kind: "event" as const, at: event.at, event },
    spot: event.seq,
  }));
  return { kind: "event", entries, open: reached };
};

/** A kind whose rows were read: as many as were wanted means that there may be more. */
function stretchOf<R>(
  kind: Kind,
  rows: readonly R[],
  most: number,
  of: (row: R) => { readonly entry: Entry; readonly spot: number | string },
): Stretch {
  const entries = rows.map(of);
  return { kind, entries, open: rows.length < most ? null : (entries.at(-1)?.spot ?? null) };
}

/** A number that no message reaches. */
const beyond = "9223372036854775807::bigint";

const messageColumns = shownColumns<Tables["messages"]>(MessageSchema)
  .map((name) => `m.${name}`)
  .join(", ");

const messageStretch: Reader = async (pool, place, { from, most }, conversations) => {
  const { rows } = await pool.query<Message & { readonly seq: number }>(
    // the newest so many stand in the so many conversations whose last one is newest: of others nothing but that is read
    `with last as (
  select c.id, l.seq from unnest($3::uuid[]) as c(id) cross join lateral (
    select seq from messages where lane = $1 and organization = $2 and conversation = c.id and seq < coalesce($4, ${beyond})
    order by seq desc limit 1) l
  order by l.seq desc limit $5)
select m.* from last cross join lateral (
  select ${messageColumns}, m.seq from messages m
  where m.lane = $1 and m.organization = $2 and m.conversation = last.id and m.seq < coalesce($4, ${beyond})
  order by m.seq desc limit $5) m
order by m.seq desc limit $5`,
    [place.lane, place.organization, conversations, from.message, most],
  );
  return stretchOf("message", rows, most, ({ seq, ...message }) => ({
    entry: { kind: "message", at: message.created_at, message },
    spot: seq,
  }));
};

const noteColumns = shownColumns<Tables["notes"]>(NoteSchema).join(", ");

/** Notes on customers, newest first; those that were taken away are not shown. */
export async function notesOf(
  pool: Pool,
  { lane, organization }: Place,
  customers: readonly string[],
  { before, most }: { readonly before: string | null; readonly most: number },
): Promise<readonly Note[]> {
  const { rows } = await pool.query<Note>(
    `select ${noteColumns} from notes where lane = $1 and organization = $2 and customer = any($3) and removed_at is null
  and ($4::uuid is null or id < $4) order by id desc limit $5`,
    [lane, organization, customers, before, most],
  );
  return rows;
}

const noteStretch: Reader = async (pool, place, { customers, from, most }) =>
  stretchOf("note", await notesOf(pool, place, customers, { before: from.note, most }), most, (note) => ({
    entry: { kind: "note", at: note.created_at, note },
    spot: note.id,
  }));

const runStretch: Reader = async (pool, place, { customers, reach, from, most }, conversations) => {
  const values: unknown[] = [place.lane, place.organization, [...customers, ...conversations], from.run, most];
  const within = runWithinReachText(reach.run, values);
  const part = (table: string) => `(select ${runHeadColumns} from ${table} run
  where run.lane = $1 and run.organization = $2 and run.subject = s.id and ($4::uuid is null or run.id < $4)${within}
  order by run.id desc limit $5)`;
  const { rows } = await pool.query<Run>(
    `select r.* from unnest($3::uuid[]) as s(id) cross join lateral (
  ${part("runs")} union all ${part("runs_history")} order by id desc limit $5) r
order by r.id desc limit $5`,
    values,
  );
  return stretchOf("run", rows, most, (row) => ({
    // the instant in the id, which is their order
    entry: { kind: "run", at: idInstant(row.id), run: readRun(row) },
    spot: row.id,
  }));
};
