import type { Pool, PoolClient } from "pg";
import type { Tables } from "../features/tables.ts";
import { openKysely } from "../db/pool.ts";
import type { Home, TestEngine, TestLanes } from "../lanes/test-lanes.ts";
import type { Json } from "@threadmill/core";
import { systemClock } from "../process/clock.ts";
import { createJobNews } from "./news.ts";
import type { JobHands } from "./turn.ts";
import { Turn } from "./turn.ts";
import type { JobKind } from "./kind.ts";
import type { JobRow } from "./row.ts";
import { claimJob, readJob } from "./store.ts";
import { createJobs, type JobAsked } from "./jobs.ts";

/** Where a process dies: at its n-th step out of its own memory, before the step takes place or before its answer is heard. */
export interface Death {
  readonly step: number;
  readonly when: "before" | "after";
}

class Dead extends Error {}

/** Hands that work until they die, and do nothing from then on, as those of a process that was killed. */
function mortal(hands: JobHands, death: Death): { readonly hands: JobHands; readonly died: () => boolean } {
  let steps = 0;
  let dead = false;
  const step = async <T>(act: () => Promise<T>): Promise<T> => {
    if (dead) throw new Dead();
    const last = steps === death.step;
    steps += 1;
    if (last) dead = true;
    if (last && death.when === "before") throw new Dead();
    const result = await act();
    // whatever was under way meanwhile is not heard of either
    if (dead) throw new Dead();
    return result;
  };
  const client = (given: PoolClient): PoolClient =>
    new Proxy(given, {
      get(target, name) {
        if (name === "query")
          return (...args: never[]) =>
            step(() => (target.query as never as (...all: never[]) => Promise<unknown>)(...args));
        // a connection of a dead process is closed, and what was open on it rolled back
        if (name === "release") return (broken?: boolean) => target.release(dead ? true : broken);
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? (value as () => unknown).bind(target) : value;
      },
    });
  const pool = new Proxy(hands.pool, {
    get(target, name) {
      if (name === "query")
        return (...args: never[]) =>
          step(() => (target.query as never as (...all: never[]) => Promise<unknown>)(...args));
      if (name === "connect") return async () => client(await target.connect());
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? (value as () => unknown).bind(target) : value;
    },
  });
  const engine: JobHands["engine"] = {
    settings: (place) => hands.engine.settings(place),
    submit: (request) => step(() => hands.engine.submit(request)),
  };
  return { hands: { ...hands, pool, engine }, died: () => dead };
}

/** The jobs of a test, carried when it says so. */
export interface TestJobs {
  readonly log: object[];
  ask(home: Home, asked: Pick<JobAsked, "kind" | "parameters">): Promise<JobRow>;
  /** Takes one turn, as a process that may die on the way; answers whether it did. */
  turn(death?: Death): Promise<boolean>;
  /** Goes on until nothing waits, with the lease of whoever died over. */
  finish(): Promise<void>;
  read(job: JobRow): Promise<JobRow>;
}

export function testJobs(
  lanes: TestLanes,
  engine: TestEngine,
  kinds: readonly JobKind[],
  more: Partial<JobHands> = {},
): TestJobs {
  const log: object[] = [];
  const options = {
    pool: lanes.pool,
    db: openKysely<Tables>(lanes.pool),
    engine,
    clock: systemClock,
    random: () => 0,
    log: { warn: (fields: object) => log.push(fields), error: (fields: object) => log.push(fields) },
    sliceItems: 2,
    turnMs: 60_000,
    ...more,
  };
  const hands: JobHands = { ...options, kinds: new Map(kinds.map((kind) => [kind.name, kind])), news: createJobNews() };
  const jobs = createJobs({ ...options, kinds });
  const turn = async (death?: Death): Promise<boolean> => {
    const holder = crypto.randomUUID();
    const job = await claimJob(lanes.pool, holder);
    if (job === null) return false;
    const own = death === undefined ? { hands, died: () => false } : mortal(hands, death);
    await new Turn(own.hands, job, holder, new AbortController().signal).run().catch((error: unknown) => {
      if (!own.died()) throw error;
    });
    return own.died();
  };
  return {
    log,
    turn,
    async ask(home, asked) {
      const made = await jobs.ask(home.place, { ...asked, actor: { kind: "user", id: home.owner } });
      if (!made.ok) throw new Error(`refused: ${JSON.stringify(made)}`);
      return made.job;
    },
    async finish() {
      for (let turns = 0; turns < 50; turns += 1) {
        await lanes.rows(
          "update directory_jobs set lease_until = null, due_at = clock_timestamp() where state in ('waiting', 'running')",
        );
        const left = await lanes.rows("select from directory_jobs where state in ('waiting', 'running')");
        if (left.length === 0) return;
        await turn();
      }
      throw new Error(`some jobs never end: ${JSON.stringify(log)}`);
    },
    async read({ organization, id }) {
      return (await readJob(lanes.pool, organization, id)) as JobRow;
    },
  };
}

/**
 * Kills the process at each of its steps, before and after, until one lives to the end; each time another goes on, and
 * `check` looks at what came of it. Answers at how many places it died.
 */
export async function dieEverywhere(
  jobs: TestJobs,
  start: () => Promise<JobRow>,
  check: (job: JobRow) => Promise<void>,
): Promise<number> {
  let deaths = 0;
  for (const when of ["before", "after"] as const)
    for (let step = 0; ; step += 1) {
      const job = await start();
      const died = await jobs.turn({ step, when });
      await jobs.finish();
      await check(await jobs.read(job));
      if (!died) break;
      deaths += 1;
    }
  return deaths;
}

export type { Json, Pool };
