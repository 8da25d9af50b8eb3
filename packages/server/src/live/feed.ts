import type { Id, SettingsIndex } from "@threadmill/core";
import type { Place } from "../lanes/port.ts";
import { changeOf } from "./change.ts";
import type { ReadRow } from "./reading.ts";
import type { Sight, Standpoints } from "./sight.ts";
import { seesRow, tellingOf } from "./sight.ts";

/** A page that is told of changes. */
export interface Reader {
  /** the number up to which it was told everything */
  at: number;
  sight: Sight;
  /** whether what it was sent last is still on its way: it is sent nothing more until then */
  readonly full: boolean;
  /** false while it is still to be found out where it goes on: it is sent nothing until then */
  readonly begun: boolean;
  send(chunk: Buffer): void;
  /** What it may see with these settings; null where it may not be here any more. */
  look(settings: SettingsIndex): Sight | null;
  /** It may see something else from here on. */
  resight(sight: Sight, reached: number): void;
}

interface Told {
  readonly row: ReadRow;
  /** null where every reader of that time saw all */
  readonly standpoints: Standpoints | null;
  readonly readAt: number;
  readonly bytes: number;
}

/** How much of the log is kept in memory for those who are a little behind, of one organization. */
const mostBytes = 4 * 1024 * 1024;
const keptMs = 60_000;
/** What is in memory weighs about so many times the texts that it was read from. */
const bytesAnEvent = 1500;

/**
 * The newest of an organization's log, read once for all its pages in this process. It holds everything behind `from` up to
 * `reached`; whoever stands within is told the rest from memory, and those who stand alike and see alike are sent the
 * same bytes.
 */
export class Feed {
  readonly place: Place;
  readonly readers = new Set<Reader>();
  /** the log was read to here */
  reached: number;
  /** what lies behind this number is in memory */
  from: number;
  /** others told that the log reaches so far */
  wanted: number;
  #told: Told[] = [];
  #bytes = 0;
  #chunks = new Map<string, Buffer | null>();

  constructor(place: Place, reached: number) {
    this.place = place;
    this.reached = reached;
    this.from = reached;
    this.wanted = reached;
  }

  /** whether it is known of all that is in memory who may see it */
  get judged(): boolean {
    return this.#told.every(({ standpoints }) => standpoints !== null);
  }

  get behind(): boolean {
    return this.wanted > this.reached;
  }

  /** Takes what was read behind `reached`; the log has nothing else of this organization up to `reached` now. */
  append(rows: readonly ReadRow[], standpoints: Standpoints | null, reached: number, now: number): void {
    for (const row of rows) {
      const bytes = row.events.length * bytesAnEvent;
      this.#told.push({ row, standpoints, readAt: now, bytes });
      this.#bytes += bytes;
    }
    this.reached = Math.max(this.reached, reached);
    this.#chunks.clear();
  }

  /** Takes what lies before what is in memory, for those who come back; false where there is a gap by now. */
  prepend(rows: readonly ReadRow[], standpoints: Standpoints | null, from: number, upTo: number, now: number): boolean {
    if (upTo !== this.from) return false;
    const told = rows.map((row) => ({ row, standpoints, readAt: now, bytes: row.events.length * bytesAnEvent }));
    this.#told = [...told, ...this.#told];
    for (const { bytes } of told) this.#bytes += bytes;
    this.from = from;
    this.#chunks.clear();
    return true;
  }

  /** Lets go of all that is in memory: it holds what was erased since, or what was filtered for other readers. */
  forget(): void {
    this.#told = [];
    this.#bytes = 0;
    this.from = this.reached;
    this.#chunks.clear();
  }

  /** Sends a reader what it was not told yet, if there is room; false where that is not in memory any more. */
  serve(reader: Reader): boolean {
    if (!reader.begun) return true;
    if (reader.at < this.from) return false;
    if (reader.full || reader.at >= this.reached) return true;
    const chunk = this.#chunkFor(reader.sight, reader.at);
    reader.at = this.reached;
    if (chunk !== null) reader.send(chunk);
    return true;
  }

  /** What those of a sight are to be sent who were told everything up to a number; null where none of it is for them. */
  #chunkFor(sight: Sight, at: number): Buffer | null {
    const name = `${at} ${sight.key}`;
    const known = this.#chunks.get(name);
    if (known !== undefined) return known;
    const made = chunkOf(this.#told, sight, at, this.reached);
    this.#chunks.set(name, made);
    return made;
  }

  /** Lets go of what is too old or too much; to be called when everybody was served. */
  trim(now: number): void {
    let gone = 0;
    for (const { readAt, bytes } of this.#told) {
      if (this.#bytes <= mostBytes && now - readAt <= keptMs) break;
      this.#bytes -= bytes;
      gone += 1;
    }
    if (gone === 0) return;
    this.from = (this.#told[gone - 1] as Told).row.end;
    this.#told = this.#told.slice(gone);
  }
}

/** One message of the stream. `id` is what a page says when it comes back: only the last of what belongs together has it. */
export const sse = (event: string, data: string, id: number | null): string =>
  `${id === null ? "" : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`;

function chunkOf(told: readonly Told[], sight: Sight, at: number, reached: number): Buffer | null {
  const changes: string[] = [];
  const gone = new Map<Id, string>();
  for (const { row, standpoints } of told) {
    if (row.end <= at) continue;
    for (const event of row.events) {
      if (event.seq <= at) continue;
      const telling = tellingOf(sight, event, standpoints);
      if (telling === "nothing") continue;
      const { conversation = "" } = event.refs;
      if (telling === "gone") gone.set(conversation, JSON.stringify({ noun: "conversation", id: conversation }));
      else {
        gone.delete(conversation);
        const seen = event.changes.filter((change) => seesRow(sight, event, change, standpoints));
        changes.push(JSON.stringify(changeOf({ ...event, changes: seen })));
      }
    }
  }
  if (changes.length === 0 && gone.size === 0) return null;
  const lost =
    gone.size === 0 ? "" : sse("gone", `[${[...gone.values()].join(",")}]`, changes.length > 0 ? null : reached);
  return Buffer.from(lost + (changes.length === 0 ? "" : sse("changes", `[${changes.join(",")}]`, reached)));
}
