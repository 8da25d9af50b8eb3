import { setTimeout as delay } from "node:timers/promises";
import type { Pool } from "pg";
import { systemCode } from "./fault.ts";
import { listPartitions, quoteName } from "./partitions.ts";
import { transaction } from "./transaction.ts";

/** An index that is to be made or dropped beside whoever serves. */
export type IndexStep =
  | {
      readonly kind: "create";
      readonly unique: boolean;
      readonly index: string;
      readonly table: string;
      readonly rest: string;
    }
  | { readonly kind: "drop"; readonly index: string };

/** The steps that statements ask for; null where one is neither the making nor the dropping of an index. */
export function indexSteps(sql: string): IndexStep[] | null {
  const steps: IndexStep[] = [];
  for (const statement of sql.replaceAll(/--.*$/gm, "").split(";")) {
    if (statement.trim() === "") continue;
    // room is left for what tells the partitions' indexes apart
    const made = /^\s*create\s+(unique\s+)?index\s+([a-z_0-9]{1,50})\s+on\s+([a-z_0-9]+)\s+(\S[\s\S]*)$/.exec(
      statement,
    );
    const dropped = /^\s*drop\s+index\s+([a-z_0-9]+)\s*$/.exec(statement);
    if (made !== null) {
      const [, unique, index = "", table = "", rest = ""] = made;
      steps.push({ kind: "create", unique: unique !== undefined, index, table, rest: rest.trim() });
    } else if (dropped !== null) steps.push({ kind: "drop", index: dropped[1] ?? "" });
    else return null;
  }
  return steps;
}

type Create = Extract<IndexStep, { kind: "create" }>;

/**
 * Builds an index while the table is read and written. Whatever a killed attempt left is used or cleared away, so it can
 * be called again. For a partitioned table, which PostgreSQL cannot do so by itself, the partitions' indexes are built
 * one by one and become its own; partitions that are made meanwhile have theirs from the start.
 */
export async function buildIndex(pool: Pool, step: Create): Promise<void> {
  const { rows } = await pool.query<{ partitioned: boolean }>(
    "select relkind = 'p' as partitioned from pg_class where oid = to_regclass($1)",
    [quoteName(step.table)],
  );
  if (rows[0]?.partitioned !== true) return buildOne(pool, step);
  const unique = step.unique ? "unique " : "";
  await briefly(
    pool,
    `create ${unique}index if not exists ${quoteName(step.index)} on only ${quoteName(step.table)} ${step.rest}`,
  );
  // retention may drop a partition while its index is being built: then the others are looked at anew
  for (let open = await withoutIndex(pool, step); open.length > 0; open = await withoutIndex(pool, step)) {
    for (const partition of open) {
      const index = `${step.index}${partition.slice(step.table.length)}`;
      try {
        await buildOne(pool, { ...step, index, table: partition });
        await briefly(pool, `alter index ${quoteName(step.index)} attach partition ${quoteName(index)}`);
      } catch (error) {
        if (systemCode(error) !== undefinedTable) throw error;
      }
    }
  }
}

const undefinedTable = "42P01";
const lockNotAvailable = "55P03";

/** Drops an index without making readers and writers wait for long. */
export async function dropIndex(pool: Pool, index: string): Promise<void> {
  const { rows } = await pool.query<{ partitioned: boolean }>(
    "select relkind = 'I' as partitioned from pg_class where oid = to_regclass($1)",
    [quoteName(index)],
  );
  if (rows[0] === undefined) return;
  // that of a partitioned table cannot be dropped concurrently; it takes a moment, once nobody is in the way
  if (rows[0].partitioned) await briefly(pool, `drop index if exists ${quoteName(index)}`);
  else await pool.query(`drop index concurrently if exists ${quoteName(index)}`);
}

/** The partitions that have no part of the index yet. */
async function withoutIndex(pool: Pool, { index, table }: Create): Promise<string[]> {
  const client = await pool.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `select c.relname as name from pg_inherits h join pg_index i on i.indexrelid = h.inhrelid
       join pg_class c on c.oid = i.indrelid where h.inhparent = to_regclass($1)`,
      [quoteName(index)],
    );
    const have = new Set(rows.map((row) => row.name));
    return (await listPartitions(client, table)).map(({ name }) => name).filter((name) => !have.has(name));
  } finally {
    client.release();
  }
}

async function buildOne(pool: Pool, { unique, index, table, rest }: Create): Promise<void> {
  const state = await stateOf(pool, index);
  if (state === "valid") return;
  // an attempt that was killed leaves an index that nobody reads and everybody keeps up
  if (state === "invalid") await pool.query(`drop index concurrently if exists ${quoteName(index)}`);
  await pool.query(
    `create ${unique ? "unique " : ""}index concurrently ${quoteName(index)} on ${quoteName(table)} ${rest}`,
  );
}

/** Whether an index is there and whole. One that a server process still builds for a client that is gone is waited for. */
async function stateOf(pool: Pool, index: string): Promise<"absent" | "invalid" | "valid"> {
  for (;;) {
    const { rows } = await pool.query<{ valid: boolean; building: boolean }>(
      `select i.indisvalid as valid, exists (select from pg_stat_progress_create_index p where p.index_relid = i.indexrelid) as building
       from pg_index i where i.indexrelid = to_regclass($1)`,
      [quoteName(index)],
    );
    const [row] = rows;
    if (row === undefined) return "absent";
    if (row.valid) return "valid";
    if (!row.building) return "invalid";
    await delay(200);
  }
}

/** A statement that needs its table for a moment: given up at once where others are in the way, and tried again. */
async function briefly(pool: Pool, sql: string): Promise<void> {
  for (;;) {
    try {
      await transaction(pool, async (client) => {
        await client.query("set local lock_timeout = '300ms'");
        await client.query(sql);
      });
      return;
    } catch (error) {
      if (systemCode(error) !== lockNotAvailable) throw error;
      await delay(200 + Math.floor(Math.random() * 300));
    }
  }
}
