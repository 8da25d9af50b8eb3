import { randomUUID } from "node:crypto";
import { type Actor, refuse, type Refusal } from "@threadmill/core";
import type { ScopedKey } from "../http/idempotency.ts";
import { freshId } from "../lanes/fresh-id.ts";
import type { Place } from "../lanes/port.ts";
import { loop, type Service } from "../process/running.ts";
import { filesInDatabase, type JobFiles, removeExpiredFiles } from "./files.ts";
import type { JobContext, JobKind } from "./kind.ts";
import { createJobNews, type JobNews } from "./news.ts";
import { jobKinds } from "./registry.ts";
import type { JobRow, JobState } from "./row.ts";
import { claimJob, countLive, insertJob, readJob, removeExpiredJobs, setState } from "./store.ts";
import { type JobHands, Turn } from "./turn.ts";

/** What the jobs of a process are built from. */
export type JobsOptions = Omit<JobHands, "kinds" | "news"> & {
  /** default: all there are */
  readonly kinds?: readonly JobKind[];
  /** jobs carried at a time; default 2 */
  readonly parallel?: number;
};

/** Somebody wants a job. */
export interface JobAsked {
  readonly kind: string;
  readonly parameters: unknown;
  readonly actor: Actor;
  readonly key?: ScopedKey | null;
}

/** The jobs of an installation, as one process sees them. */
export interface Jobs {
  readonly kinds: ReadonlyMap<string, JobKind>;
  readonly files: JobFiles;
  readonly news: JobNews;
  /** carry them; run these as services */
  readonly services: readonly Service[];
  /** What a job would be about: how many things, null where that cannot be told. Brings nothing about. */
  count(place: Place, asked: JobAsked): Promise<{ readonly ok: true; readonly total: number | null } | Refusal>;
  /** Makes a job; it begins within a moment. Whether its asker may is for the caller to know. */
  ask(
    place: Place,
    asked: JobAsked,
  ): Promise<{ readonly ok: true; readonly job: JobRow; readonly repeated: boolean } | Refusal>;
  read(place: Place, id: string): Promise<JobRow | null>;
  /** Pauses, cancels or resumes. What is begun of a slice is finished. */
  steer(
    place: Place,
    id: string,
    to: "pause" | "cancel" | "resume",
  ): Promise<{ readonly ok: true; readonly job: JobRow } | Refusal>;
}

/** An organization has so many jobs at most that are not over. */
const liveAtMost = 200;
const cleanMs = 600_000;

const steering: Readonly<
  Record<
    "pause" | "cancel" | "resume",
    { readonly to: "paused" | "cancelled" | "waiting"; readonly from: readonly JobState[] }
  >
> = {
  pause: { to: "paused", from: ["waiting", "running"] },
  cancel: { to: "cancelled", from: ["waiting", "running", "paused"] },
  resume: { to: "waiting", from: ["paused", "failed"] },
};

/** Puts the jobs of a process together. Nothing runs until its services do. */
export function createJobs(options: JobsOptions): Jobs {
  const { pool, db, engine, clock, random, log, parallel = 2 } = options;
  const kinds = new Map((options.kinds ?? jobKinds).map((kind) => [kind.name, kind]));
  const news = createJobNews();
  const hands: JobHands = { ...options, kinds, news };
  const files = filesInDatabase(pool);
  let cleanedAt = -Infinity;

  const clean = async (): Promise<void> => {
    const now = Date.parse(clock.now());
    if (now - cleanedAt < cleanMs) return;
    cleanedAt = now;
    await removeExpiredJobs(pool);
    await removeExpiredFiles(pool);
  };

  const services = Array.from({ length: parallel }, (_, n) =>
    loop({
      name: `jobs ${n + 1}`,
      clock,
      random,
      idleMs: 1000,
      maxIdleMs: 1000,
      backoff: { baseMs: 1000, maxMs: 30_000 },
      onError: (error) => log.error({ err: error }, "jobs could not be looked after"),
      async tick(signal) {
        if (n === 0) await clean();
        const holder = randomUUID();
        const job = await claimJob(pool, holder);
        if (job === null) return 0;
        await new Turn(hands, job, holder, signal).run();
        return 1;
      },
    }),
  );

  const contextOf = async (place: Place, id: string, { parameters, actor }: JobAsked): Promise<JobContext> => ({
    id,
    place,
    parameters,
    actor,
    askedAt: clock.now(),
    settings: await engine.settings(place),
    sliceItems: 0,
    pool,
    db,
    files,
  });

  const kindOf = (name: string): JobKind => {
    const kind = kinds.get(name);
    if (kind === undefined) throw new Error(`There is no kind of job ${name}`);
    return kind;
  };

  return {
    kinds,
    files,
    news,
    services,
    async count(place, asked) {
      const kind = kindOf(asked.kind);
      const context = await contextOf(place, freshId(), asked);
      const problem = (await kind.problem?.(context)) ?? null;
      return problem ?? { ok: true, total: (await kind.total?.(context)) ?? null };
    },
    async ask(place, asked) {
      const { parameters, actor, key = null } = asked;
      const kind = kindOf(asked.kind);
      const id = freshId();
      const context = await contextOf(place, id, asked);
      const problem = (await kind.problem?.(context)) ?? null;
      if (problem !== null) return problem;
      if ((await countLive(pool, place.organization)) >= liveAtMost)
        return refuse(
          "conflict",
          "too_many_jobs",
          `More than ${liveAtMost} jobs are not over yet; cancel some or wait`,
        );
      const total = (await kind.total?.(context)) ?? null;
      const made = await insertJob(pool, place, { id, kind: kind.name, parameters, actor, total, key });
      if (made === "key_reused")
        return refuse("invalid", "idempotency_key_reused", "The key was used for another request");
      for (const service of services) service.wake();
      news.tell({ ...place, job: made.row.id });
      return { ok: true, job: made.row, repeated: made.repeated };
    },
    read: (place, id) => readJob(pool, place.organization, id),
    async steer(place, id, way) {
      const { to, from } = steering[way];
      const job = await setState(pool, place.organization, id, to, from);
      if (job === null) {
        const known = await readJob(pool, place.organization, id);
        if (known === null) return refuse("not_found", "job_not_found", "There is no such job");
        // asked for twice is asked for once
        if (known.state === to) return { ok: true, job: known };
        return refuse("conflict", "job_state", `A job that is ${known.state} cannot be ${words[way]}`);
      }
      for (const service of services) service.wake();
      news.tell({ ...place, job: id });
      return { ok: true, job };
    },
  };
}

const words = { pause: "paused", cancel: "cancelled", resume: "resumed" } as const;
