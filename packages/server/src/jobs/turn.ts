import type { Json } from "@threadmill/core";
import type { Kysely } from "kysely";
import type { Pool } from "pg";
import { sliceDays } from "../db/maintenance.ts";
import { transaction } from "../db/transaction.ts";
import type { Tables } from "../features/tables.ts";
import type { Engine, EngineLog } from "../lanes/engine.ts";
import type { Clock } from "../process/clock.ts";
import { backoffMs } from "../process/running.ts";
import { FileGone, filesInDatabase } from "./files.ts";
import { type JobContext, JobFailed, type JobKind, type JobPlan } from "./kind.ts";
import type { JobNews } from "./news.ts";
import type { JobRow, JobState } from "./row.ts";
import { beginSlice, endJob, endSlice, leaseSeconds, noteFault, releaseJob, renewJob } from "./store.ts";
import { SliceLeft, submitItems } from "./submit-items.ts";

/** What carrying jobs needs of the process around it. */
export interface JobHands {
  readonly pool: Pool;
  readonly db: Kysely<Tables>;
  readonly engine: Pick<Engine, "submit" | "settings">;
  readonly kinds: ReadonlyMap<string, JobKind>;
  readonly news: JobNews;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: EngineLog;
  /** for how long a job is carried before others get their turn; default 5,000 ms */
  readonly turnMs?: number;
  /** of how many things a slice is to do the commands; default 250: some batches of a lane, so that pauses between slices hardly count */
  readonly sliceItems?: number;
}

const usualTurnMs = 5000;
const usualSliceItems = 250;
const usualRefusalsKept = 10_000;
/** after so many faults in a row, over some ten minutes, a job is given up until somebody resumes it */
const faultsAtMost = 10;
const backoff = { baseMs: 1000, maxMs: 120_000 };

/**
 * One turn of a claimed job: slice after slice, until its time is up, it is through, or it is not wanted any more. Each
 * slice is planned, kept, done and counted; the plan of one that somebody else began is done again as it was.
 */
export class Turn {
  readonly #hands: JobHands;
  readonly #job: JobRow;
  readonly #holder: string;
  readonly #signal: AbortSignal;
  /** as the database last told; null when another has the job */
  #state: JobState | null = "running";

  constructor(hands: JobHands, job: JobRow, holder: string, signal: AbortSignal) {
    this.#hands = hands;
    this.#job = job;
    this.#holder = holder;
    this.#signal = signal;
  }

  /** Never throws for what is the job's own trouble. */
  async run(): Promise<void> {
    const { pool, clock } = this.#hands;
    const over = new AbortController();
    const beating = this.#beat(over.signal);
    try {
      await this.#slices(clock);
      if (this.#state !== null) await releaseJob(pool, this.#job.id, this.#holder, 0);
    } catch (error) {
      await this.#failed(error);
    } finally {
      over.abort();
      await beating;
      this.#tell();
    }
  }

  /** Says now and then that this process lives, however long a slice takes, and hears whether the job is still wanted. */
  async #beat(signal: AbortSignal): Promise<void> {
    const { pool, clock, log } = this.#hands;
    for (;;) {
      await clock.sleep((leaseSeconds / 4) * 1000, signal);
      if (signal.aborted) return;
      try {
        this.#state = await renewJob(pool, this.#job.id, this.#holder);
      } catch (error) {
        log.warn({ err: error, job: this.#job.id }, "a job's lease could not be renewed");
      }
    }
  }

  async #slices(clock: Clock): Promise<void> {
    const { id, slice, slice_at } = this.#job;
    const kind = this.#kind();
    const until = performance.now() + (this.#hands.turnMs ?? usualTurnMs);
    let { cursor } = this.#job;
    let open = slice as { readonly plan: Json; readonly cursor: Json } | null;
    if (open !== null && slice_at !== null && Date.parse(clock.now()) - Date.parse(slice_at) > sliceDays * 86_400_000)
      throw new JobFailed(
        "slice_too_old",
        `Something was begun more than ${sliceDays} days ago; what of it was done is not known any more. Ask anew`,
      );
    while (this.#wanted() && performance.now() < until) {
      const context = await this.#context(kind);
      if (open === null) {
        const planned = (await kind.plan(context, cursor)) as JobPlan<Json, Json> | null;
        if (planned === null) return this.#end(kind, context);
        open = { plan: planned.plan, cursor: planned.cursor };
        this.#state = await beginSlice(this.#hands.pool, id, this.#holder, open, planned.total ?? null);
        if (this.#state === null) return;
      }
      cursor = await this.#slice(kind, context, open);
      open = null;
      this.#tell();
    }
  }

  async #slice(
    kind: JobKind,
    context: JobContext,
    open: { readonly plan: Json; readonly cursor: Json },
  ): Promise<Json> {
    const { pool, engine, clock } = this.#hands;
    const work = await kind.work(context, open.plan);
    const { done, refused } = await submitItems(work.items, {
      engine,
      clock,
      place: context.place,
      job: this.#job.id,
      actor: this.#job.actor,
      signal: this.#signal,
      wanted: () => this.#wanted(),
    });
    const end = {
      cursor: open.cursor,
      done: done + (work.done ?? 0),
      refused: [...(work.refused ?? []), ...refused],
    };
    const counted = await transaction(pool, async (tx) => {
      const row = await endSlice(tx, this.#job, this.#holder, end, kind.refusalsKept ?? usualRefusalsKept);
      if (row !== null) await work.write?.(tx);
      return row;
    });
    this.#state = counted?.state ?? null;
    return open.cursor;
  }

  /** A slice sees the settings and the rights of its moment. */
  async #context(kind: JobKind): Promise<JobContext> {
    const { pool, db, engine } = this.#hands;
    const { id, lane, organization, parameters, actor, created_at } = this.#job;
    const place = { lane, organization };
    const settings = await engine.settings(place);
    if (!settings.permits(actor, kind.permission))
      throw new JobFailed("not_permitted", `Whoever asked for it no longer has the right ${kind.permission}`);
    const { sliceItems = usualSliceItems } = this.#hands;
    const files = filesInDatabase(pool);
    return { id, place, parameters, actor, askedAt: created_at, settings, pool, db, files, sliceItems };
  }

  async #end(kind: JobKind, context: JobContext): Promise<void> {
    await transaction(this.#hands.pool, async (tx) => {
      const result = (await kind.finish?.(context, tx)) ?? null;
      await endJob(tx, this.#job.id, this.#holder, { state: "done", result });
    });
  }

  async #failed(error: unknown): Promise<void> {
    const { pool, log, random } = this.#hands;
    const { id, kind, organization } = this.#job;
    if (error instanceof SliceLeft) return releaseJob(pool, id, this.#holder, 0);
    if (error instanceof JobFailed) {
      const { code, message } = error;
      await endJob(pool, id, this.#holder, { state: "failed", failure: { code, message } });
      return releaseJob(pool, id, this.#holder, 0);
    }
    if (error instanceof FileGone) return this.#failed(new JobFailed("file_gone", error.message));
    log.error({ err: error, job: id, kind, organization }, "a job met a fault");
    const failures = await noteFault(pool, id, this.#holder);
    if (failures >= faultsAtMost) {
      const failure = { code: "internal", message: "A fault inside Threadmill; the log says more" };
      await endJob(pool, id, this.#holder, { state: "failed", failure });
    }
    await releaseJob(pool, id, this.#holder, backoffMs(backoff, Math.max(1, failures), random()));
  }

  #kind(): JobKind {
    const kind = this.#hands.kinds.get(this.#job.kind);
    if (kind === undefined)
      throw new JobFailed("kind_unknown", `This Threadmill knows no jobs of the kind ${this.#job.kind}`);
    return kind;
  }

  #wanted(): boolean {
    return this.#state === "running" && !this.#signal.aborted;
  }

  #tell(): void {
    const { lane, organization, id } = this.#job;
    this.#hands.news.tell({ lane, organization, job: id });
  }
}
