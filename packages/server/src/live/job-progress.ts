import type { JobChange } from "../jobs/news.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { shown } from "../jobs/row.ts";
import type { EngineLog } from "../lanes/engine.ts";
import type { Live } from "./live.ts";

/** What telling of jobs needs. */
export interface JobProgressOptions {
  readonly jobs: Pick<Jobs, "news" | "read">;
  readonly live: Pick<Live, "say">;
  readonly log: EngineLog;
  /** Tells the other processes. */
  readonly pass: (change: JobChange) => void;
}

/** A job tells of each of its slices; pages are told this often, in ms, and how far it is then. */
const gatherMs = 250;

/** Tells open pages how far jobs are: those of who asked, and of who may see everybody's. Answers how to end it. */
export function tellOfJobs({ jobs, live, log, pass }: JobProgressOptions): () => void {
  const changed = new Map<string, { readonly change: JobChange; readonly here: boolean }>();
  let pending: NodeJS.Timeout | null = null;

  const tell = async ({ job, ...place }: JobChange): Promise<void> => {
    const row = await jobs.read(place, job);
    if (row === null) return;
    const { actor } = row;
    live.say(place.organization, {
      event: "job",
      data: shown(row),
      for: ({ sight, caller }) => sight.jobs || (actor.kind === "user" && actor.id === caller.user),
    });
  };
  const tellAll = (): void => {
    pending = null;
    const all = [...changed.values()];
    changed.clear();
    for (const { change, here } of all) {
      if (here) pass(change);
      // the next slice tells again, and the page of the job reads
      tell(change).catch((error: unknown) => log.warn({ err: error }, "it could not be told how far a job is"));
    }
  };
  const end = jobs.news.onChange((change, from) => {
    const here = from === "here" || changed.get(change.job)?.here === true;
    changed.set(change.job, { change, here });
    pending ??= setTimeout(tellAll, gatherMs);
    pending.unref();
  });
  return () => {
    end();
    if (pending !== null) clearTimeout(pending);
  };
}
