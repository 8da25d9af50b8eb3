import type { Pool, PoolClient } from "pg";
import { transaction } from "../db/transaction.ts";
import type { FollowedRow, Follower } from "./follower.ts";

/** How many rows of the log are carried in one transaction. */
export const sliceRows = 500;

/** What one slice came to: `busy` when another process follows this lane just now. */
export type Slice = { readonly busy: true } | { readonly busy: false; readonly rows: number };

interface Cursor {
  readonly seq: number;
  readonly since: string | null;
}

/** Takes a follower's cursor in a lane for the transaction open on `tx`; null when somebody else has it. */
async function takeCursor(tx: PoolClient, name: string, lane: number): Promise<Cursor | null> {
  const find = async (): Promise<Cursor | undefined> =>
    (
      await tx.query<Cursor>({
        name: "take_cursor",
        text: "select seq, since from followers where lane = $1 and name = $2 for update skip locked",
        values: [lane, name],
      })
    ).rows[0];
  const found = await find();
  if (found !== undefined) return found;
  await tx.query("insert into followers (lane, name, seq) values ($1, $2, 0) on conflict do nothing", [lane, name]);
  return (await find()) ?? null;
}

/** Carries the rows of a lane's log behind a number, and moves the cursors of those who stood there; answers how many rows. */
async function carry(
  tx: PoolClient,
  lane: number,
  seq: number,
  standing: readonly { readonly follower: Follower; readonly since: string | null }[],
  limit: number,
): Promise<number> {
  const { rows } = await tx.query<FollowedRow>({
    name: "follow_log",
    text: `select seq, at, organization, root, customer, count, events from log
where lane = $1 and seq > $2 order by seq limit $3`,
    values: [lane, seq, limit],
  });
  const last = rows.at(-1);
  if (last === undefined) return 0;
  for (const { follower, since } of standing) await follower.follow(tx, { lane, since }, rows);
  await tx.query({
    name: "move_cursors",
    text: "update followers set seq = $3 where lane = $1 and name = any($2)",
    values: [lane, standing.map(({ follower }) => follower.name), last.seq + last.count - 1],
  });
  return rows.length;
}

/**
 * Carries the next rows of a lane's log. What the follower writes and where it stands are one transaction, and no two
 * processes hold one cursor, so each row counts exactly once. Rows of a lane become visible in the order of their
 * numbers, because its lock is held until their commit: what is not seen yet comes after what is.
 */
export function followSlice(pool: Pool, follower: Follower, lane: number, limit = sliceRows): Promise<Slice> {
  return transaction(pool, async (tx): Promise<Slice> => {
    const cursor = await takeCursor(tx, follower.name, lane);
    if (cursor === null) return { busy: true };
    return { busy: false, rows: await carry(tx, lane, cursor.seq, [{ follower, since: cursor.since }], limit) };
  });
}

/** What one slice of several followers came to: those that it carried, which may be none, and how many rows. */
export interface SharedSlice {
  readonly carried: readonly Follower[];
  readonly rows: number;
}

/**
 * The same for several followers that stand at one place, as they do unless one of them failed or is new: the log is read once
 * and committed once for all of them. Those that stand elsewhere, or are busy, are left out.
 */
export function followTogether(
  pool: Pool,
  followers: readonly Follower[],
  lane: number,
  limit = sliceRows,
): Promise<SharedSlice> {
  return transaction(pool, async (tx): Promise<SharedSlice> => {
    const { rows: cursors } = await tx.query<Cursor & { readonly name: string }>({
      name: "take_cursors",
      text: "select name, seq, since from followers where lane = $1 and name = any($2) for update skip locked",
      values: [lane, followers.map(({ name }) => name)],
    });
    const seq = usual(cursors);
    if (seq === null) return { carried: [], rows: 0 };
    const standing = followers.flatMap((follower) => {
      const cursor = cursors.find(({ name }) => name === follower.name);
      return cursor?.seq === seq ? [{ follower, since: cursor.since }] : [];
    });
    const rows = await carry(tx, lane, seq, standing, limit);
    return { carried: standing.map(({ follower }) => follower), rows };
  });
}

/** The place at which most of some cursors stand. */
function usual(cursors: readonly Cursor[]): number | null {
  const counts = new Map<number, number>();
  for (const { seq } of cursors) counts.set(seq, (counts.get(seq) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? null;
}

/** Lets a follower look after a lane, unless another process has its cursor. */
export function tendLane(pool: Pool, follower: Follower, lane: number): Promise<void> {
  return transaction(pool, async (tx) => {
    if ((await takeCursor(tx, follower.name, lane)) !== null) await follower.tend?.(tx, lane);
  });
}

/** A lane where a follower has something to carry. */
export interface Behind {
  readonly lane: number;
  /** when what is not yet carried happened */
  readonly since: string;
  readonly now: string;
}

/** The lanes whose log goes on behind a follower's cursor; one index probe a lane that has an organization. */
export async function lanesBehind(pool: Pool, name: string): Promise<Behind[]> {
  const { rows } = await pool.query<Behind>({
    name: "lanes_behind",
    text: `select l.lane, n.at as since, clock_timestamp() as now
from (select distinct lane from directory_organizations) l
left join followers f on f.lane = l.lane and f.name = $1
cross join lateral (select at from log where log.lane = l.lane and log.seq > coalesce(f.seq, 0) order by seq limit 1) n`,
    values: [name],
  });
  return rows;
}

/**
 * Throws away what a follower made and lets it begin anew, lane by lane, while everybody serves; the followers that run
 * carry it from there. Where the log is pruned, what was made of the days before stays. Answers how many lanes begin anew.
 */
export async function rebuild(pool: Pool, follower: Follower): Promise<number> {
  const { rows } = await pool.query<{ lane: number }>(
    "select distinct lane from directory_organizations order by lane",
  );
  for (const { lane } of rows) await transaction(pool, (tx) => rebuildLane(tx, follower, lane));
  return rows.length;
}

async function rebuildLane(tx: PoolClient, follower: Follower, lane: number): Promise<void> {
  await tx.query("insert into followers (lane, name, seq) values ($1, $2, 0) on conflict do nothing", [
    lane,
    follower.name,
  ]);
  // here it is waited for: a slice takes milliseconds
  await tx.query("select from followers where lane = $1 and name = $2 for update", [lane, follower.name]);
  const { rows } = await tx.query<{ floor: number; since: string | null }>(
    `select l.seq_floor as floor,
  (select date_trunc('month', at at time zone 'UTC') at time zone 'UTC' from log where log.lane = l.lane order by seq limit 1) as since
from lanes l where l.lane = $1`,
    [lane],
  );
  const { floor, since: kept } = rows[0] as { floor: number; since: string | null };
  // nothing is left to make it from
  if (floor > 0 && kept === null) return;
  // a log from which nothing was dropped says everything; else it begins with a month, as its partitions do
  const since = floor === 0 ? null : kept;
  await follower.forget(tx, { lane, since });
  await tx.query("update followers set seq = 0, since = $3 where lane = $1 and name = $2", [
    lane,
    follower.name,
    since,
  ]);
}
