import { setTimeout as pause } from "node:timers/promises";
import type { SettingsIndex } from "@threadmill/core";
import type { Pool } from "pg";
import type { LogMark, Place } from "../lanes/port.ts";
import { Feed, type Reader } from "./feed.ts";
import { headsOf, oldestOf, readBehind, readBetween, type ReadRow, readStandpoints } from "./reading.ts";
import { seesAll, type Standpoints } from "./sight.ts";
import type { ReloadReason } from "./stream.ts";

/** What feeds work with. */
export interface FeedsOptions {
  readonly pool: Pool;
  readonly settings: (place: Place) => Promise<SettingsIndex>;
  /** A reader cannot be told any more, or may not be. */
  readonly end: (reader: Reader, reason: "too_slow" | "unauthorized") => void;
}

/** A feed without readers is kept for so long: they often come back. */
const idleMs = 60_000;
/** Rows of one organization that are read at a time, and read again at most for who comes back. */
const sliceRows = 500;
const mostRowsBack = 3000;
/** Beyond so many numbers nobody is told what they missed: they read anew what they show. */
const mostBack = 50_000;
/** Many who come back at once, as after a restart, are read for together. */
const gatherBackMs = 20;

/** The feeds of this process: one reading of the log for each organization that has pages open here. */
export class Feeds {
  readonly #options: FeedsOptions;
  readonly #feeds = new Map<string, Feed>();
  readonly #making = new Map<string, Promise<Feed>>();
  /** the least number that somebody who came back waits to be read from, and the reading */
  readonly #filling = new Map<Feed, { from: number; readonly done: Promise<void> }>();
  readonly #emptySince = new Map<Feed, number>();
  /** a feed is so new that what happened while it was made may not have been heard */
  unsure = false;

  constructor(options: FeedsOptions) {
    this.#options = options;
  }

  known(organization: string): Feed | undefined {
    return this.#feeds.get(organization);
  }

  heard({ organization, seq }: LogMark): void {
    const feed = this.#feeds.get(organization);
    if (feed !== undefined && seq > feed.wanted) feed.wanted = seq;
  }

  /** The feed of an organization; it begins with what happens from now on. */
  async of(place: Place): Promise<Feed> {
    const { organization, lane } = place;
    const known = this.#feeds.get(organization) ?? this.#making.get(organization);
    if (known !== undefined) return known;
    const making = headsOf(this.#options.pool, [lane])
      .then((heads) => {
        const feed = new Feed(place, heads.get(lane) ?? 0);
        this.#feeds.set(organization, feed);
        this.unsure = true;
        return feed;
      })
      .finally(() => this.#making.delete(organization));
    this.#making.set(organization, making);
    return making;
  }

  /**
   * Makes a feed reach back to a number that somebody was told everything up to, as far as that can be; the number may lie
   * ahead, where another process was quicker.
   */
  async reach(feed: Feed, reader: Reader, after: number): Promise<"resumed" | ReloadReason> {
    if (!Number.isSafeInteger(after) || after < 0) return "unknown_place";
    if (after > feed.reached) {
      const head = (await headsOf(this.#options.pool, [feed.place.lane])).get(feed.place.lane) ?? 0;
      if (after > head) return "unknown_place";
      feed.wanted = Math.max(feed.wanted, head);
    }
    if (feed.reached - after > mostBack) return "too_far_behind";
    // what was read for those who see all does not say what others may see of it
    if (after < feed.reached && !seesAll(reader.sight) && !feed.judged) feed.forget();
    for (let tries = 0; after < feed.from && tries < 3; tries += 1) await this.#fill(feed, after);
    return after < feed.from ? "too_far_behind" : "resumed";
  }

  /** Reads further back, for all who ask for it within a moment. */
  #fill(feed: Feed, after: number): Promise<void> {
    const known = this.#filling.get(feed);
    if (known !== undefined) {
      known.from = Math.min(known.from, after);
      return known.done;
    }
    const asked = { from: after, done: Promise.resolve() };
    asked.done = pause(gatherBackMs)
      .then(() => {
        // whoever asks from here on asks anew
        this.#filling.delete(feed);
        return this.#readBack(feed, asked.from);
      })
      .finally(() => this.#filling.delete(feed));
    this.#filling.set(feed, asked);
    return asked.done;
  }

  async #readBack(feed: Feed, after: number): Promise<void> {
    const { pool } = this.#options;
    const upTo = feed.from;
    if (after >= upTo || after < (await oldestOf(pool, feed.place.lane)) - 1) return;
    const rows = await readBetween(pool, feed.place, { after, upTo, most: mostRowsBack });
    if (rows === null) return;
    const standpoints = await readStandpoints(pool, feed.place, eventsOf(rows));
    // a row is kept whole: what is read further back later ends before it
    const from = Math.min(after, (rows[0]?.events[0]?.seq ?? Infinity) - 1);
    feed.prepend(rows, standpoints, from, upTo, performance.now());
  }

  /** Asks how far the lanes reach: what nobody told of is found so. Lets go of feeds that nobody reads. */
  async look(): Promise<void> {
    this.unsure = false;
    const now = performance.now();
    for (const feed of this.#feeds.values()) {
      if (feed.readers.size > 0) this.#emptySince.delete(feed);
      else if (now - (this.#emptySince.get(feed) ?? now) > idleMs) {
        this.#emptySince.delete(feed);
        this.#feeds.delete(feed.place.organization);
      } else if (!this.#emptySince.has(feed)) this.#emptySince.set(feed, now);
    }
    const lanes = [...new Set([...this.#feeds.values()].map(({ place }) => place.lane))];
    if (lanes.length === 0) return;
    const heads = await headsOf(this.#options.pool, lanes);
    for (const feed of this.#feeds.values()) feed.wanted = Math.max(feed.wanted, heads.get(feed.place.lane) ?? 0);
  }

  /** Reads what is new, in one statement for all, and tells it. */
  async pump(signal: AbortSignal): Promise<void> {
    for (;;) {
      const behind = [...this.#feeds.values()].filter((feed) => feed.behind);
      if (behind.length === 0 || signal.aborted) return;
      // what is heard from here on is asked for next time
      const targets = behind.map(({ wanted }) => wanted);
      const rows = await readBehind(
        this.#options.pool,
        behind.map(({ place, reached }) => ({ ...place, reached })),
        sliceRows,
      );
      const own = Map.groupBy(rows, (row) => row.organization);
      await Promise.all(
        behind.map((feed, n) => this.#take(feed, own.get(feed.place.organization) ?? [], targets[n] as number)),
      );
    }
  }

  async #take(feed: Feed, rows: readonly ReadRow[], target: number): Promise<void> {
    const events = eventsOf(rows);
    if (events.some(({ type }) => type === "settings.changed")) await this.#lookAgain(feed);
    let standpoints: Standpoints | null = null;
    // who comes meanwhile may see less than those who were there
    while (rows.length > 0 && standpoints === null && [...feed.readers].some(({ sight }) => !seesAll(sight)))
      standpoints = await readStandpoints(this.#options.pool, feed.place, events);
    // nothing that was read before may bring back what is erased now
    if (events.some(({ type }) => type === "customer.erased")) feed.forget();
    const last = rows.at(-1)?.end ?? 0;
    feed.append(rows, standpoints, rows.length < sliceRows ? Math.max(target, last) : last, performance.now());
    for (const reader of feed.readers) this.serve(feed, reader);
    feed.trim(performance.now());
  }

  /** Tells a reader what is new; cuts it off where that is not in memory any more, because it was too slow. */
  serve(feed: Feed, reader: Reader): void {
    if (!feed.serve(reader)) this.#options.end(reader, "too_slow");
  }

  /** Rights may have changed: what each may see from here on, and who may not be here any more. */
  async #lookAgain(feed: Feed): Promise<void> {
    const settings = await this.#options.settings(feed.place);
    for (const reader of feed.readers) {
      const sight = reader.look(settings);
      if (sight === null) this.#options.end(reader, "unauthorized");
      else reader.resight(sight, feed.reached);
    }
  }
}

const eventsOf = (rows: readonly ReadRow[]) => rows.flatMap((row) => row.events);
