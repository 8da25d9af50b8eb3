import { randomUUID } from "node:crypto";
import type { Json } from "@threadmill/core";
import { Client, type Pool } from "pg";
import { breakConnection } from "../db/pool.ts";
import { type Clock } from "../process/clock.ts";
import { loop, type Service } from "../process/running.ts";
import type { EngineLog } from "./engine.ts";
import type { LogMark } from "./port.ts";

const channel = "threadmill_work";
/** One hint for all that happened meanwhile: a NOTIFY takes a lock of the whole database until its commit. */
const coalesceMs = 25;

const connectMs = 10_000;
/** A server that is gone answers no goodbye. */
const goodbyeMs = 500;

/** Tells the other processes what happened here, and hears it from them. */
export interface Hints extends Service {
  /** there may be work for others: sent soon, once for all that happens meanwhile, never inside a batch */
  say(): void;
  /** the log reaches further: sent as well, each organization once */
  tell(marks: readonly LogMark[]): void;
  /** A word that is for the other processes and kept nowhere, such as who types; sent as well. */
  pass(topic: string, word: Json): void;
}

export interface HintOptions {
  readonly pool: Pool;
  /** a connection that no pooler stands before; LISTEN does not work through one */
  readonly url: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: EngineLog;
  /** another process has left work */
  readonly onHint: () => void;
  /** another process has added to the log */
  readonly onMarks?: (marks: readonly LogMark[]) => void;
  /** another process has passed a word */
  readonly onWord?: (topic: string, word: Json) => void;
}

/**
 * Hints between processes over LISTEN and NOTIFY. They only shorten a sleep: whoever hears none finds the work by polling
 * half a second later, so a lost connection or a pooler in the way costs time and nothing else.
 */
export function createHints(options: HintOptions): Hints {
  const self = randomUUID();
  let pending: NodeJS.Timeout | null = null;
  let work = false;
  const marks = new Map<string, LogMark>();
  let words: Word[] = [];

  const send = (): void => {
    pending = null;
    const payloads = [...payloadsOf(self, work, [...marks.values()]), ...payloadsOfWords(self, words)];
    work = false;
    marks.clear();
    words = [];
    // a hint that is lost costs half a second
    options.pool.query("select pg_notify($1, p) from unnest($2::text[]) p", [channel, payloads]).catch(() => {});
  };
  const soon = (): void => {
    pending ??= setTimeout(send, coalesceMs);
    pending.unref();
  };

  const listen = async (signal: AbortSignal): Promise<void> => {
    const client = new Client({
      connectionString: options.url,
      application_name: "threadmill hints",
      keepAlive: true,
      connectionTimeoutMillis: connectMs,
    });
    // an address that takes the call and never answers must not be waited for when the process is going
    const giveUp = (): void => breakConnection(client);
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      await client.connect();
      signal.removeEventListener("abort", giveUp);
      client.on("notification", ({ payload }) => {
        const said = readPayload(payload);
        if (said === null || said.from === self) return;
        if (said.work) options.onHint();
        if (said.marks.length > 0) options.onMarks?.(said.marks);
        for (const [topic, word] of said.words) options.onWord?.(topic, word);
      });
      await client.query(`listen ${channel}`);
      await new Promise<void>((resolve, reject) => {
        client.on("error", reject);
        client.on("end", resolve);
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    } finally {
      signal.removeEventListener("abort", giveUp);
      const goodbye = setTimeout(giveUp, goodbyeMs);
      await client.end().catch(() => {});
      clearTimeout(goodbye);
    }
  };

  const service = loop({
    name: "hints",
    clock: options.clock,
    random: options.random,
    idleMs: 1000,
    maxIdleMs: 30_000,
    backoff: { baseMs: 1000, maxMs: 30_000 },
    onError: (error) => options.log.warn({ err: error }, "hints between processes are off; polling goes on"),
    async tick(signal) {
      await listen(signal);
      return 0;
    },
  });
  return {
    ...service,
    say() {
      work = true;
      soon();
    },
    tell(told) {
      for (const mark of told) marks.set(mark.organization, mark);
      soon();
    },
    pass(topic, word) {
      if (words.length >= wordsAtMost) return;
      words.push([topic, word]);
      soon();
    },
  };
}

type Word = readonly [topic: string, word: Json];

interface Said {
  readonly from: string;
  readonly work: boolean;
  readonly marks: readonly LogMark[];
  readonly words: readonly Word[];
}

/** PostgreSQL takes payloads below 8,000 bytes; a mark takes some 60. */
const marksAtMost = 100;

/** How many words are passed in one go: what is more is lost, as any hint may be. */
const wordsAtMost = 1000;
const bytesAtMost = 7000;

/** Words in as few payloads as they fit in; one that fits in none is lost. */
function payloadsOfWords(from: string, words: readonly Word[]): string[] {
  const payloads: Word[][] = [];
  let left = 0;
  for (const word of words) {
    const bytes = Buffer.byteLength(JSON.stringify(word)) + 1;
    if (bytes > bytesAtMost) continue;
    if (bytes > left) {
      payloads.push([]);
      left = bytesAtMost;
    }
    payloads.at(-1)?.push(word);
    left -= bytes;
  }
  return payloads.map((some) => JSON.stringify({ from, work: false, marks: [], words: some }));
}

function payloadsOf(from: string, work: boolean, marks: readonly LogMark[]): string[] {
  const payloads: string[] = [];
  for (let at = 0; at === 0 || at < marks.length; at += marksAtMost) {
    const some = marks.slice(at, at + marksAtMost).map(({ lane, organization, seq }) => [lane, organization, seq]);
    payloads.push(JSON.stringify({ from, work: work && at === 0, marks: some }));
  }
  return payloads;
}

/** What another process said; null for what is not understood, such as a word of another version. */
function readPayload(payload: string | undefined): Said | null {
  try {
    const {
      from,
      work,
      marks,
      words = [],
    } = JSON.parse(payload ?? "") as {
      from: string;
      work: boolean;
      marks: [number, string, number][];
      words?: Word[];
    };
    return { from, work, marks: marks.map(([lane, organization, seq]) => ({ lane, organization, seq })), words };
  } catch {
    return null;
  }
}
