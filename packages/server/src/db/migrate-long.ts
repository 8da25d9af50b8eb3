import { setTimeout as delay } from "node:timers/promises";
import type { ClientBase, Pool } from "pg";
import { buildIndex, dropIndex, type IndexStep, indexSteps } from "./build-index.ts";
import { classifyFault } from "./fault-table.ts";
import type { Migration } from "./migrate.ts";
import { allowLongTransaction, transaction } from "./transaction.ts";

// A migration that may take long says so in its first line, and is then carried out beside whoever serves, an older
// process among them. Killed on the way it goes on where it was:
//
//   -- concurrently     statements `create index NAME on TABLE ...` and `drop index NAME`, written as if nobody served
//   -- sliced           one statement that does a little, takes the cursor of the slice before as $1 (null at first), and
//                       gives a row with the next `cursor`, a text, or null at the end
//   -- sliced by lane   the same in every lane, which is $2, with the lane held: for whatever the lanes write
//
// Doing a slice twice must do no harm: a restored backup begins anew.

/** How a migration is carried out where there may be many rows and somebody serves. */
export type Manner =
  | { readonly kind: "at_once" }
  | { readonly kind: "concurrently"; readonly steps: readonly IndexStep[] }
  | { readonly kind: "sliced"; readonly byLane: boolean };

/** Where sliced migrations are, while they are under way. Not part of a backup. */
export const PROGRESS_TABLE = "schema_progress";

/**
 * One long migration at a time. Not the lock of the short ones, which an older process that starts waits for within a
 * statement: an index that is built concurrently waits for every such statement to end.
 */
const LONG_LOCK = 7_401_926_312;
const retryMs = 250;
/** Slices that fail in a row by trouble that passes, before that is an error. */
const mostFailures = 40;

/** What a file asks for by its first line, or what is wrong about it. */
export function mannerOf(sql: string): Manner | { readonly wrong: string } {
  const [, header = ""] = /^-- *(concurrently|sliced|sliced by lane) *$/m.exec(sql.split("\n", 1)[0] ?? "") ?? [];
  if (header === "") return { kind: "at_once" };
  if (header !== "concurrently") {
    if (!sql.includes("$1")) return { wrong: "is sliced, but does not take the cursor as $1" };
    return { kind: "sliced", byLane: header === "sliced by lane" };
  }
  const steps = indexSteps(sql);
  return steps === null
    ? { wrong: "is done concurrently, so it can make and drop indexes only, of names of at most 50 letters" }
    : { kind: "concurrently", steps };
}

/** Does a migration of any manner within a transaction, where nobody serves: in a new database, or one being restored. */
export async function runWithin(client: ClientBase, { sql, manner }: Migration): Promise<void> {
  if (manner.kind !== "sliced") {
    await client.query(sql);
    return;
  }
  for (const lane of manner.byLane ? await readLanes(client) : [null]) {
    for (let cursor: string | null | undefined; cursor !== null;)
      cursor = await slice(client, sql, cursor ?? null, lane);
  }
}

/** How a migration is entered as done, and found so. */
interface Book {
  record(client: ClientBase, migration: Migration): Promise<void>;
  isRecorded(client: ClientBase, migration: Migration): Promise<boolean>;
  /** told of what is begun */
  say(text: string): void;
}

/** Does a long migration beside whoever serves; false when another process does it just now, or has done it. */
export async function applyLong(pool: Pool, migration: Migration, book: Book): Promise<boolean> {
  const applied = await transaction(pool, async (holder) => {
    // Asked and not waited for, so that no statement stands while an index is built. What follows leaves this
    // transaction without a snapshot, for which a concurrent build would wait just the same.
    const { rows } = await holder.query<{ free: boolean }>("select pg_try_advisory_xact_lock($1) as free", [LONG_LOCK]);
    if (rows[0]?.free !== true || (await book.isRecorded(holder, migration))) return false;
    await allowLongTransaction(holder);
    const { manner, name, sql } = migration;
    book.say(`The migration ${name} may take long; older processes can go on serving.`);
    if (manner.kind === "concurrently") {
      for (const step of manner.steps)
        await (step.kind === "create" ? buildIndex(pool, step) : dropIndex(pool, step.index));
    } else await runSlices(pool, name, sql, manner.kind === "sliced" && manner.byLane);
    await book.record(holder, migration);
    if (manner.kind === "sliced") await holder.query(`delete from ${PROGRESS_TABLE} where name = $1`, [name]);
    return true;
  });
  if (!applied) await delay(retryMs);
  return applied;
}

async function runSlices(pool: Pool, name: string, sql: string, byLane: boolean): Promise<void> {
  const lanes = await transaction(pool, async (client) => {
    await client.query(
      `create table if not exists ${PROGRESS_TABLE} (
         name text primary key, lane smallint, cursor text, finished boolean not null default false,
         updated_at timestamptz not null default now())`,
    );
    await client.query(`insert into ${PROGRESS_TABLE} (name) values ($1) on conflict do nothing`, [name]);
    return byLane ? readLanes(client) : [null];
  });
  for (const lane of lanes) {
    for (let failures = 0, more = true; more;) {
      try {
        more = await transaction(pool, (client) => keptSlice(client, name, sql, lane));
        failures = 0;
      } catch (error) {
        // a lane that is held for long, a deadlock with a batch: again
        if (classifyFault(error) !== "retryable" || ++failures > mostFailures) throw error;
        await delay(retryMs);
      }
    }
  }
}

/** One slice, with its cursor in the same transaction; tells whether more are to come in the lane. */
async function keptSlice(client: ClientBase, name: string, sql: string, lane: number | null): Promise<boolean> {
  await client.query("set local lock_timeout = '5s'");
  const { rows } = await client.query<{ lane: number | null; cursor: string | null; finished: boolean }>(
    `select lane, cursor, finished from ${PROGRESS_TABLE} where name = $1`,
    [name],
  );
  const at = rows[0] ?? { lane: null, cursor: null, finished: false };
  // done before we were killed
  if ((at.lane ?? -1) > (lane ?? -1) || (at.lane === lane && at.finished)) return false;
  if (lane !== null) await client.query("select lane from lanes where lane = $1 for update", [lane]);
  const cursor = await slice(client, sql, at.lane === lane ? at.cursor : null, lane);
  await client.query(
    `update ${PROGRESS_TABLE} set lane = $2, cursor = $3, finished = $3::text is null, updated_at = now() where name = $1`,
    [name, lane, cursor],
  );
  return cursor !== null;
}

async function slice(
  client: ClientBase,
  sql: string,
  cursor: string | null,
  lane: number | null,
): Promise<string | null> {
  const { rows } = await client.query<{ cursor: string | null }>(sql, lane === null ? [cursor] : [cursor, lane]);
  return rows[0]?.cursor ?? null;
}

async function readLanes(client: ClientBase): Promise<number[]> {
  const { rows } = await client.query<{ lane: number }>("select lane from lanes order by lane");
  return rows.map((row) => row.lane);
}
