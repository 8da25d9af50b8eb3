import type { Event } from "@threadmill/core";
import type { Pool } from "pg";
import { type LogRow, readEvents } from "../../lanes/log-format.ts";
import type { Place } from "../../lanes/port.ts";

/** An event with its place in the log. */
export type LoggedEvent = Event & { readonly seq: number };

/** Which events are asked for. */
export interface EventsAsked {
  readonly newestFirst: boolean;
  /** only those beyond this place, in the asked order */
  readonly from: number | undefined;
  readonly most: number;
  /** only those about one of these */
  readonly customers: readonly string[] | undefined;
  readonly root: string | undefined;
  readonly fits: (event: Event) => boolean;
  /** Those that may be read, in their order. */
  readonly readable: (events: readonly LoggedEvent[]) => Promise<readonly LoggedEvent[]>;
}

/** What a reading of the log gave; `reached` is where to go on, null at the end. */
export interface EventsRead {
  readonly events: readonly LoggedEvent[];
  readonly reached: number | null;
}

type Row = LogRow & { readonly count: number };

/** Rows read at a time, and at most for one answer: beyond that the answer is short, and says where to go on. */
const chunk = 200;
const mostChunks = 25;

/** Reads events in the order of the log, or against it. */
export async function findEvents(pool: Pool, place: Place, asked: EventsAsked): Promise<EventsRead> {
  const { newestFirst, most } = asked;
  const events: LoggedEvent[] = [];
  let from = asked.from;
  for (let n = 0; n < mostChunks; n++) {
    const rows = await readRows(pool, place, asked, from);
    for (const event of await asked.readable(rows.flatMap((row) => fitting(row, asked)))) {
      if (events.length === most) return { events, reached: events.at(-1)?.seq ?? null };
      events.push(event);
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < chunk) return { events, reached: null };
    from = newestFirst ? last.seq : last.seq + last.count - 1;
  }
  return { events, reached: from ?? null };
}

function fitting(row: Row, { newestFirst, from, fits }: EventsAsked): LoggedEvent[] {
  const whole = readEvents(row);
  return (newestFirst ? whole.toReversed() : whole).filter(
    // a row holds several events, and the place may lie within it
    (event) => (from === undefined || (newestFirst ? event.seq < from : event.seq > from)) && fits(event),
  );
}

/**
 * The next rows of the log that may hold events beyond a place. Rows are found by the number of their first event, and
 * their numbers have no gaps: the row that holds the next event is the last one of the lane that begins by then.
 */
async function readRows(
  pool: Pool,
  { lane, organization }: Place,
  asked: EventsAsked,
  from: number | undefined,
): Promise<Row[]> {
  const values: unknown[] = [lane, organization, chunk];
  const where = ["lane = $1", "organization = $2"];
  // one is asked for by itself: then the index gives its rows in their order
  if (asked.customers?.length === 1) where.push(`customer = $${values.push(asked.customers[0])}`);
  else if (asked.customers !== undefined) where.push(`customer = any($${values.push(asked.customers)})`);
  if (asked.root !== undefined) where.push(`root = $${values.push(asked.root)}`);
  if (from !== undefined) {
    const at = `$${values.push(from)}::bigint`;
    const holding = `(select coalesce(max(seq), 0) from log where lane = $1 and seq <= ${at} + 1)`;
    where.push(asked.newestFirst ? `seq < ${at}` : `seq >= ${holding}`);
  }
  const order = asked.newestFirst ? "desc" : "asc";
  const { rows } = await pool.query<Row>(
    `select seq, at, root, count, events from log where ${where.join(" and ")} order by seq ${order} limit $3`,
    values,
  );
  return rows;
}
