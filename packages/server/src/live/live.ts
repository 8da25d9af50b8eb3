import type { ServerResponse } from "node:http";
import type { Pool } from "pg";
import type { Caller } from "../http/auth.ts";
import { ProblemAnswer } from "../http/errors.ts";
import { problem } from "../http/problems.ts";
import type { Engine, EngineLog } from "../lanes/engine.ts";
import type { Place } from "../lanes/port.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Clock } from "../process/clock.ts";
import { loop, type Service } from "../process/running.ts";
import { callerName } from "./ended.ts";
import { type Feed, sse } from "./feed.ts";
import { Feeds } from "./feeds.ts";
import { type Ending, Stream } from "./stream.ts";
import { blind } from "./sight.ts";

/** What live updates need of the process around them. */
export interface LiveOptions {
  /** connections for work behind the scenes */
  readonly pool: Pool;
  readonly engine: Pick<Engine, "onLog" | "settings">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: EngineLog;
  readonly metrics: Metrics;
  /** Which of these callers, by name, may not be here any more: their token was revoked, their session has ended. */
  readonly ended: (callers: readonly Caller[]) => Promise<ReadonlySet<string>>;
  /** how long a page may take for what it was sent; default 30,000 ms */
  readonly patienceMs?: number;
}

/** A page that wants to be told. */
export interface Attaching {
  readonly place: Place;
  readonly caller: Caller;
  readonly response: ServerResponse;
  /** headers of every answer */
  readonly headers: Readonly<Record<string, string | number | string[] | undefined>>;
  /** the number that it was told everything up to; null: it is new, NaN: what it says is no number */
  readonly after: number | null;
}

/** What is told beside the log: who looks at what, how far a job is. It is not kept: who is not there misses it. */
export interface Word {
  readonly event: string;
  readonly data: object;
  /** who is to hear it */
  readonly for: (stream: Stream) => boolean;
}

/** The open pages of this process. */
export interface Live {
  /** Begins to tell a page. Throws problems; answers once the stream is open. */
  attach(page: Attaching): Promise<void>;
  /** Tells the pages of an organization in this process. */
  say(organization: string, word: Word): void;
  /** told whenever somebody's first page opens or last one closes */
  onUser(listener: (place: Place, user: string, here: boolean) => void): () => void;
  /** how many pages are open */
  readonly open: number;
  /** run it as a service */
  readonly service: Service;
  /** Ends every stream, and takes no more. */
  stop(): void;
}

const lookMs = 5000;
const beatMs = 15_000;
const checkMs = 2000;
/** One caller has so many streams at most: more are forgotten ones. */
const mostOfCaller = 100;
const mostInAll = 20_000;
/** News gathers for so long, and a little longer for each page: many pages are told more at a time. */
const gatherMs = 100;
const gatherMsAPage = 0.25;
const mostGatherMs = 500;

/** Makes the place where pages are told of changes. Nothing is told until its service runs. */
export function createLive(options: LiveOptions): Live {
  const { pool, engine, clock, log, metrics, patienceMs = 30_000 } = options;
  const streams = new Map<Stream, Feed>();
  /** how many streams each caller has, and each user */
  const counts = new Map<string, number>();
  const users = new Map<string, number>();
  const listeners = new Set<(place: Place, user: string, here: boolean) => void>();
  let stopped = false;
  let [lookedAt, beatAt, checkedAt] = [-Infinity, -Infinity, -Infinity];

  const end = (stream: Stream, reason: Ending): void => {
    if (reason === "too_slow") metrics.failure("live_too_slow");
    stream.end(reason);
    leave(stream);
  };
  const feeds = new Feeds({
    pool,
    settings: (place) => engine.settings(place),
    end: (reader, reason) => end(reader as Stream, reason),
  });

  const count = (map: Map<string, number>, name: string, by: 1 | -1): number => {
    const now = (map.get(name) ?? 0) + by;
    if (now === 0) map.delete(name);
    else map.set(name, now);
    return now;
  };
  const tellUsers = (stream: Stream, { place }: Feed, here: boolean): void => {
    const { user } = stream.caller;
    if (user === null || count(users, `${place.organization}/${user}`, here ? 1 : -1) !== (here ? 1 : 0)) return;
    for (const listener of listeners) listener(place, user, here);
  };
  const enter = (stream: Stream, feed: Feed): void => {
    streams.set(stream, feed);
    feed.readers.add(stream);
    count(counts, stream.caller.id, 1);
    tellUsers(stream, feed, true);
    metrics.liveStreams.set(streams.size);
  };
  const leave = (stream: Stream): void => {
    const feed = streams.get(stream);
    if (feed === undefined) return;
    streams.delete(stream);
    feed.readers.delete(stream);
    count(counts, stream.caller.id, -1);
    tellUsers(stream, feed, false);
    metrics.liveStreams.set(streams.size);
  };

  /** Ends the streams of those who may not be here any more. */
  const check = async (): Promise<void> => {
    const callers = new Map(Array.from(streams.keys(), ({ caller }) => [callerName(caller), caller]));
    if (callers.size === 0) return;
    const ended = await options.ended([...callers.values()]);
    for (const stream of streams.keys()) if (ended.has(callerName(stream.caller))) end(stream, "unauthorized");
  };

  const gather = (): number => Math.min(mostGatherMs, gatherMs + streams.size * gatherMsAPage);

  const service = loop({
    name: "live",
    clock,
    random: options.random,
    idleMs: gatherMs,
    maxIdleMs: gatherMs,
    backoff: { baseMs: 250, maxMs: 5000 },
    onError: (error) => log.error({ err: error }, "open pages could not be told of changes"),
    wake: () =>
      engine.onLog((marks) => {
        for (const mark of marks) feeds.heard(mark);
      }),
    async tick(signal) {
      const now = performance.now();
      if (now - lookedAt >= lookMs || feeds.unsure) {
        lookedAt = now;
        await feeds.look();
      }
      await feeds.pump(signal);
      for (const stream of streams.keys()) if (stream.stuck(patienceMs)) end(stream, "too_slow");
      if (now - beatAt >= beatMs) {
        beatAt = now;
        for (const stream of streams.keys()) stream.beat();
      }
      if (now - checkedAt >= checkMs) {
        checkedAt = now;
        await check();
      }
      await clock.sleep(gather() - gatherMs, signal);
      return 0;
    },
  });

  return {
    service,
    get open() {
      return streams.size;
    },
    onUser(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async attach({ place, caller, response, headers, after }) {
      const refuse = (code: "shutting_down" | "overloaded" | "too_many_requests", detail?: string): never => {
        throw new ProblemAnswer(problem(code, detail === undefined ? {} : { detail }));
      };
      if (stopped) refuse("shutting_down");
      if (streams.size >= mostInAll) refuse("overloaded");
      if ((counts.get(caller.id) ?? 0) >= mostOfCaller)
        refuse("too_many_requests", `More than ${mostOfCaller} streams of one caller`);
      const feed = await feeds.of(place);
      const stream = new Stream(response, caller, blind, (each) => feeds.serve(feed, each));
      enter(stream, feed);
      response.once("close", () => leave(stream));
      try {
        // asked for now that every change of the settings is heard: what was known before may be old
        const sight = stream.look(await engine.settings(place));
        if (sight === null) throw new ProblemAnswer(problem("unauthorized"));
        stream.sight = sight;
        const found = after === null ? null : await feeds.reach(feed, stream, after);
        if (stopped) refuse("shutting_down");
        stream.open(headers);
        if (found === null || after === null) stream.ready(feed.reached, false);
        else if (found !== "resumed") stream.reload(feed.reached, found);
        else {
          stream.ready(after, true);
          feeds.serve(feed, stream);
        }
      } catch (error) {
        leave(stream);
        throw error;
      }
    },
    say(organization, { event, data, for: meant }) {
      const feed = feeds.known(organization);
      if (feed === undefined) return;
      const message = Buffer.from(sse(event, JSON.stringify(data), null));
      for (const reader of feed.readers) if (meant(reader as Stream)) (reader as Stream).tell(message);
    },
    stop() {
      stopped = true;
      for (const stream of streams.keys()) end(stream, "shutting_down");
    },
  };
}
