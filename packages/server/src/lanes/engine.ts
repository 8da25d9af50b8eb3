import { availableParallelism } from "node:os";
import type { Actor, Outcome, Refusal, SettingsIndex } from "@threadmill/core";
import type { Pool, PoolClient } from "pg";
import { transaction } from "../db/transaction.ts";
import type { Metrics } from "../observe/metrics.ts";
import { loop, type Service } from "../process/running.ts";
import type { Clock } from "../process/clock.ts";
import type { WorkClass } from "./admission.ts";
import type { EffectHands } from "./births.ts";
import type { BatchContext, BatchResult } from "./batch.ts";
import { Convoys } from "./convoy.ts";
import { type CachedConfig, freshConfig } from "./configs.ts";
import { freshId } from "./fresh-id.ts";
import { gate } from "./gate.ts";
import type { HoldLimits, InLane, Workplace } from "./hold.ts";
import { LaneBusy, LaneNotHeld } from "./judge.ts";
import { Lane, type LaneContext } from "./lane.ts";
import { EngineFault, type LogMark, type Place, type Submitted } from "./port.ts";
import { dueLanes } from "./due.ts";
import { type ChangeSettings, changeSettings } from "./settings.ts";
import { Waiting } from "./waiting.ts";

export { EngineFault, type LogMark, type Place, type Submitted } from "./port.ts";

/** What the engine is built from. */
export interface EngineOptions {
  /** connections in pipeline mode, for batches and settings: two more than `parallel` at least. None of them waits for a lane's lock */
  readonly pool: Pool;
  /** a few connections in pipeline mode, on which the locks of lanes are waited for */
  readonly waiters: Pool;
  /** connections for long work behind the scenes that holds lanes now and then */
  readonly background: Pool;
  /** what the database server can do; default: all that the newest can */
  readonly limits?: HoldLimits;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: EngineLog;
  /**
   * Batches that run at a time; default: as many as processors, 2 at least. More only make each smaller: on two
   * processors 2 carried 4,600 runs/s where 4 carried 4,000 and 1 carried 3,000.
   */
  readonly parallel?: number;
  /** operations of the mill for an organization in one batch; default 20,000 */
  readonly slice?: number;
  /** how long callers wait through database trouble; default 20,000 ms */
  readonly patienceMs?: number;
  /** how much may wait for an answer in this process, in bytes; default 48 MB */
  readonly waitingBytes?: number;
  /** how often the summary of lanes with due work is asked for, in ms; default 500 */
  readonly pollMs?: number;
}

const defaultWaitingBytes = 48 * 1024 * 1024;
/** A lane is named as stuck when it has been waited for this long; a batch takes milliseconds. */
const stuckAfterSeconds = 1;
/** How long work behind the scenes waits for a lane: it has time, and tries again later. */
const backgroundPatienceMs = 5000;

/** The lines that the engine logs. */
export interface EngineLog {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A request to change something. */
export interface Submission {
  readonly place: Place;
  readonly type: string;
  readonly input: unknown;
  readonly actor: Actor;
  /** the only permissions that may be used, of those that the actor has; missing: all */
  readonly scopes?: readonly string[];
  /** the client's idempotency key, already scoped */
  readonly key?: string;
  /** of the request that the key came with; the key with another is refused */
  readonly fingerprint?: string;
  readonly work?: WorkClass;
}

/** A lane that another transaction holds although it is wanted here. */
export interface StuckLane {
  readonly lane: number;
  /** for how long it has been waited for */
  readonly seconds: number;
}

/** The lanes of this process: admits commands, carries what falls due, and changes settings between batches. */
export interface Engine {
  submit(request: Submission): Promise<Submitted>;
  /** Settles an effect: the run goes on, the world learns the outcome. Answers once committed. */
  settle(
    place: Place,
    settled: { readonly effect: string; readonly attempt: number; readonly outcome: Outcome },
  ): Promise<void>;
  changeSettings<T>(place: Place, actor: Actor, fn: ChangeSettings<T>): Promise<{ ok: true; result: T } | Refusal>;
  settings(place: Place): Promise<SettingsIndex>;
  /** Runs long work's slice in a transaction that holds a lane; throws `EngineFault` where the lane cannot be had within seconds. */
  inLane: InLane;
  /** whether this process can take commands. A lane that is held elsewhere does not make it unready: all others go on */
  health(): { readonly ready: boolean; readonly reason?: string };
  /** lanes whose lock has been waited for for more than a second: what needs them stands still */
  stuckLanes(): readonly StuckLane[];
  /** polls for what falls due; run it as a service */
  readonly poller: Service;
  /** From now on these hold the effects that batches here write, as far as they have room; answers how to end it. */
  holdAtBirth(hands: EffectHands): () => void;
  /** told when effects may be due: after a commit here that left some, or by a hint from another process */
  onEffects(listener: () => void): () => void;
  /** told after each commit here that left effects which nobody holds, and of nothing else */
  onCommit(listener: () => void): () => void;
  /**
   * Tells of each commit how far the log reaches, in this process and, a moment later, of others'. Only hints: what must
   * not be missed is read from the log.
   */
  onLog(listener: (marks: readonly LogMark[], from: "here" | "elsewhere") => void): () => void;
  /** another process tells of its commits */
  heard(marks: readonly LogMark[]): void;
  /** another process has left work: looks at what is due, and wakes whoever performs effects */
  wake(): void;
  /** Answers when nothing waits and nothing is carried in this process. */
  quiet(): Promise<void>;
  /** Finishes what was admitted, answers the callers and takes no more. */
  stop(): Promise<void>;
  /** Ends what `stop` waits for: whoever still waits hears that the server is going. To be called when its time is up. */
  cutOff(): void;
}

/** Builds the engine. Nothing runs until a command comes or the poller is started. */
export function createEngine(options: EngineOptions): Engine {
  const { pool, metrics, log } = options;
  const configs = new Map<string, CachedConfig>();
  const lanes = new Map<number, Lane>();
  const listeners = new Set<() => void>();
  const commitListeners = new Set<() => void>();
  const logListeners = new Set<(marks: readonly LogMark[], from: "here" | "elsewhere") => void>();
  const tell = (marks: readonly LogMark[], from: "here" | "elsewhere"): void => {
    if (marks.length > 0) for (const listener of logListeners) listener(marks, from);
  };
  const hands = new Set<EffectHands>();
  let stopping = false;
  let cutOff = false;
  let lastFault: string | null = null;
  const patienceMs = options.patienceMs ?? 20_000;
  const waiting = new Waiting(options.waitingBytes ?? defaultWaitingBytes);
  const size = ({ options: { max } }: Pool): number => max;
  /** settings changes do not wait behind batches for the right to run, nor batches behind them */
  const settingsPlace: Workplace = { pool, gate: gate(2) };
  const background: Workplace = { pool: options.background, gate: gate(Math.max(1, size(options.background) - 1)) };

  const batches: Workplace = { pool, gate: gate(options.parallel ?? Math.max(2, availableParallelism())) };
  const limits = options.limits ?? { transactionTimeout: true };
  const batchContext: BatchContext = {
    configs,
    slice: options.slice ?? 20_000,
    onBroken: (broken) => log.error(broken, "a published workflow does not compile any more; it does not run"),
  };

  const context: LaneContext = {
    batch: batchContext,
    batches,
    convoys: new Convoys(batches, limits, batchContext),
    room: {
      pool: options.waiters,
      gate: gate(size(options.waiters)),
      limits,
    },
    patienceMs,
    hands: () => hands.values().next().value ?? null,
    stopping: () => stopping,
    onBatch(lane, result, seconds) {
      lastFault = null;
      observe(metrics, result, seconds);
      for (const output of result.outputs) {
        for (const { item, error } of output.poisoned) {
          metrics.failure("poisoned");
          log.error(
            { lane, kind: item?.kind ?? "leftover", error },
            "an item could not be carried; it is kept for a person",
          );
        }
      }
      if (logListeners.size > 0) tell(marksOf(lane, result), "here");
      if (result.effectsLeft) for (const listener of [...listeners, ...commitListeners]) listener();
    },
    onFault(lane, error, what) {
      lastFault = what;
      metrics.failure(`batch_${what}`);
      log.error({ err: error, lane, what }, "a batch failed");
    },
  };

  const laneOf = (number: number): Lane => {
    let lane = lanes.get(number);
    if (lane === undefined) lanes.set(number, (lane = new Lane(number, context)));
    return lane;
  };

  const submit = ({
    place,
    type,
    input,
    actor,
    scopes,
    key,
    fingerprint,
    work = "interactive",
  }: Submission): Promise<Submitted> => {
    if (stopping) return Promise.reject(new EngineFault("shutting_down", "The server is shutting down"));
    const lane = laneOf(place.lane);
    return new Promise<Submitted>((resolve, reject) => {
      if (work === "interactive" && waitedMs(lane) > patienceMs / 2)
        throw new EngineFault("overloaded", "Those who came before wait too long already");
      const leave = waiting.admit(place.lane, work, input);
      const admitted = {
        place,
        id: freshId(),
        command: { type, actor, input: input as Record<string, never>, ...(scopes !== undefined && { scopes }) },
        work,
        since: performance.now(),
        resolve(answer: Submitted) {
          leave();
          resolve(answer);
          metrics.decided(type, answer.answer.ok ? "accepted" : "refused");
        },
        reject(error: Error) {
          leave();
          reject(error);
        },
        ...(key !== undefined && { key }),
        ...(fingerprint !== undefined && { fingerprint }),
      };
      lane.queue[work].push(admitted);
      void lane.kick();
    });
  };

  /** Waits for a lane as long as callers wait, and says so as callers are told. */
  const hold = async <T>(
    place: Workplace,
    lane: number,
    withinMs: number,
    fn: (tx: PoolClient) => Promise<T>,
  ): Promise<T> => {
    try {
      const work = async (tx: PoolClient) => ({ result: await fn(tx), sent: [] });
      return await laneOf(lane).door.hold(place, { until: performance.now() + withinMs, wanted: () => !cutOff }, work);
    } catch (error) {
      if (error instanceof LaneBusy) throw new EngineFault("unavailable", error.message, { cause: error });
      throw error instanceof LaneNotHeld ? error.cause : error;
    }
  };

  const stuckLanes = (): StuckLane[] =>
    [...lanes.values()]
      .map((lane) => ({ lane: lane.number, seconds: lane.door.waitingMs / 1000 }))
      .filter((each) => each.seconds > stuckAfterSeconds)
      .sort((a, b) => b.seconds - a.seconds);

  const quiet = async (): Promise<void> => {
    for (;;) {
      const busy = [...lanes.values()].filter((lane) => !lane.quiet);
      if (busy.length === 0) return;
      await Promise.all(busy.map((lane) => lane.kick()));
    }
  };

  const poller = loop({
    name: "lanes",
    clock: options.clock,
    random: Math.random,
    idleMs: options.pollMs ?? 500,
    maxIdleMs: options.pollMs ?? 500,
    backoff: { baseMs: 500, maxMs: 5000 },
    onError: (error) => context.onFault(-1, error, "poll"),
    async tick() {
      const due = await dueLanes(pool, metrics);
      // the database answers: what failed a while ago and was not tried since says nothing about now
      if (due.length === 0) lastFault = null;
      if (stopping) return 0;
      for (const number of due) {
        const lane = laneOf(number);
        lane.queue.due = true;
        void lane.kick();
      }
      metrics.waitingBytes.set(waiting.bytes);
      metrics.commandsWaiting.set(
        { class: "interactive" },
        sum(lanes, (lane) => lane.queue.interactive.length),
      );
      metrics.commandsWaiting.set(
        { class: "bulk" },
        sum(lanes, (lane) => lane.queue.bulk.length),
      );
      return 0;
    },
  });

  return {
    submit,
    settle(place, settled) {
      const lane = laneOf(place.lane);
      return new Promise((resolve, reject) => {
        lane.queue.settlements.push({
          place,
          since: performance.now(),
          item: { kind: "settled", ...settled },
          done: (error) => (error === undefined ? resolve() : reject(error)),
        });
        void lane.kick();
      });
    },
    async changeSettings(place, actor, fn) {
      if (stopping) throw new EngineFault("shutting_down", "The server is shutting down");
      const inLane: InLane = async (lane, change) => {
        let since = 0;
        const changed = await hold(settingsPlace, lane, patienceMs, (tx) => {
          since = performance.now();
          return change(tx);
        });
        metrics.settingsSeconds.observe((performance.now() - since) / 1000);
        return changed;
      };
      const answer = await changeSettings(inLane, place, actor, fn);
      // whoever reads next asks for the version first, and takes over what changed
      if (!answer.ok) return answer;
      if (answer.seq !== null) tell([{ ...place, seq: answer.seq }], "here");
      return { ok: true, result: answer.result };
    },
    inLane: (lane, fn) => hold(background, lane, backgroundPatienceMs, fn),
    stuckLanes,
    settings: (place) => currentSettings(pool, configs, place, batchContext),
    health() {
      if (stopping) return { ready: false, reason: "shutting down" };
      return lastFault === null ? { ready: true } : { ready: false, reason: `the last batch failed: ${lastFault}` };
    },
    poller,
    wake() {
      poller.wake();
      for (const listener of listeners) listener();
    },
    onLog(listener) {
      logListeners.add(listener);
      return () => logListeners.delete(listener);
    },
    heard: (marks) => tell(marks, "elsewhere"),
    onCommit(listener) {
      commitListeners.add(listener);
      return () => commitListeners.delete(listener);
    },
    holdAtBirth(given) {
      hands.add(given);
      return () => hands.delete(given);
    },
    onEffects(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    quiet,
    async stop() {
      stopping = true;
      // what is due stays in the database, for others or the next start
      for (const lane of lanes.values()) lane.queue.due = false;
      await quiet();
    },
    cutOff() {
      stopping = true;
      cutOff = true;
      for (const lane of lanes.values()) lane.sendAllAway();
    },
  };
}

/** What a batch added to the log, by organization. */
const marksOf = (lane: number, { logged, lastSeq }: BatchResult): LogMark[] =>
  Array.from(logged, (organization) => ({ lane, organization, seq: lastSeq }));

/** For how long the first of the interactive commands has waited. */
function waitedMs(lane: Lane): number {
  const oldest = lane.queue.oldest("interactive");
  return oldest === null ? 0 : performance.now() - oldest;
}

const sum = (lanes: ReadonlyMap<number, Lane>, of: (lane: Lane) => number): number => {
  let total = 0;
  for (const lane of lanes.values()) total += of(lane);
  return total;
};

function observe(metrics: Metrics, result: BatchResult, seconds: number): void {
  metrics.batchItems.observe(result.items);
  metrics.batchSeconds.observe(seconds);
  for (const output of result.outputs) {
    for (const { answer } of output.replies) if (!answer.ok) metrics.failure(answer.code);
  }
  for (const [status, count] of result.runs) metrics.runs(status, count);
}

/** The settings of now: the cached ones when their version is still the database's. */
async function currentSettings(
  pool: Pool,
  configs: Map<string, CachedConfig>,
  { lane, organization }: Place,
  context: BatchContext,
): Promise<SettingsIndex> {
  const { rows } = await pool.query<{ config_version: number }>({
    name: "settings_version",
    text: "select config_version from organizations where lane = $1 and organization = $2",
    values: [lane, organization],
  });
  const cached = configs.get(organization);
  if (cached !== undefined && cached.version === rows[0]?.config_version) return cached.settings;
  const read = (client: PoolClient) =>
    freshConfig(client, configs, { lane, organization }, rows[0]?.config_version, (broken) =>
      context.onBroken({ ...broken, organization }),
    );
  const loaded = await transaction(pool, read, { begin: "begin isolation level repeatable read read only" });
  if (loaded === null) throw new EngineFault("internal", `There is no organization ${organization} in lane ${lane}`);
  return loaded.settings;
}
