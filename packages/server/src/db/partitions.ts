import type { ClientBase } from "pg";
import { systemCode } from "./fault.ts";

/** How long a range partition is, in UTC. */
export type PartitionUnit = "day" | "month";

/** Which partitions a table should have. */
export interface PartitionPlan {
  /** A table of the current schema that is partitioned by range of one timestamptz column. */
  readonly table: string;
  readonly unit: PartitionUnit;
  /** How many units after the one that holds `now`. */
  readonly ahead: number;
  /** An instant. */
  readonly now: string;
  /** Makes those from this instant on as well, for rows of the past. */
  readonly since?: string;
}

interface Range {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

/**
 * Makes the partitions that are missing and tells their names. May run in several processes at once and inside a
 * transaction. Never blocks readers or writers of the table: a partition is made aside and attached, since `create table
 * ... partition of` would wait behind a running backup and hold up every insert meanwhile.
 */
export async function ensurePartitions(client: ClientBase, plan: PartitionPlan): Promise<string[]> {
  const made: string[] = [];
  const existing = new Set((await listPartitions(client, plan.table)).map(({ name }) => name));
  for (const range of planRanges(plan)) {
    if (existing.has(range.name)) continue;
    await client.query(createStatement(plan.table, range));
    made.push(range.name);
  }
  return made;
}

/** The partitions' names and bounds that a plan asks for, in order. */
export function planRanges({ table, unit, ahead, now, since }: PartitionPlan): Range[] {
  const ranges: Range[] = [];
  const last = startOf(unit, now, ahead);
  for (let n = 0; ; n++) {
    const from = startOf(unit, since !== undefined && since < now ? since : now, n);
    if (from > last) return ranges;
    const digits = from.slice(0, unit === "day" ? 10 : 7).replaceAll("-", "");
    ranges.push({ name: `${table}_p${digits}`, from, to: startOf(unit, from, 1) });
  }
}

function startOf(unit: PartitionUnit, instant: string, plus: number): string {
  const date = new Date(instant);
  const start =
    unit === "day"
      ? Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + plus)
      : Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + plus, 1);
  return new Date(start).toISOString();
}

/**
 * Rows of up to a page stay in their place uncompressed: trying to compress each row of the log took more time than all
 * the rest of writing it (60 of 100 µs).
 *
 * One statement, so that it is all or nothing also outside a transaction; the lock makes a second process find it done.
 */
function createStatement(table: string, { name, from, to }: Range): string {
  const [parent, child] = [quoteName(table), quoteName(name)];
  return `do $partition$ begin
    perform pg_advisory_xact_lock(hashtextextended('threadmill partitions of ${quoteText(table)}', 0));
    if to_regclass('${quoteText(child)}') is null then
      create table ${child} (like ${parent} including defaults including generated including constraints
        including storage including compression) with (toast_tuple_target = 8160);
      alter table ${parent} attach partition ${child} for values from ('${from}') to ('${to}');
    end if;
  end $partition$`;
}

/** A partition with its upper bound as an instant, where it has one. */
export interface Partition {
  readonly name: string;
  readonly to: string | null;
}

/** The partitions of a table, oldest first. */
export async function listPartitions(client: ClientBase, table: string): Promise<Partition[]> {
  const { rows } = await client.query<Partition>(
    `select name, to_char(upto at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "to"
     from (select c.relname as name,
             (regexp_match(pg_get_expr(c.relpartbound, c.oid), $$TO \\('([^']+)'\\)$$))[1]::timestamptz as upto
           from pg_inherits i join pg_class c on c.oid = i.inhrelid
           where i.inhparent = to_regclass($1) and c.relispartition) bounds
     order by upto nulls last, name`,
    [quoteName(table)],
  );
  return rows;
}

/** What `dropPartitions` did. */
export interface Dropped {
  readonly dropped: readonly string[];
  /** Those that something was reading; the next call tries again. */
  readonly postponed: readonly string[];
}

/**
 * Drops the partitions that hold nothing from `before` (an instant) on. Dropping one needs the whole table for a moment,
 * so it waits 200 ms at most and otherwise leaves it for the next time: every writer would queue up behind it. Not for
 * use inside a transaction.
 */
export async function dropPartitions(client: ClientBase, o: { table: string; before: string }): Promise<Dropped> {
  const dropped: string[] = [];
  const postponed: string[] = [];
  for (const { name, to } of await listPartitions(client, o.table)) {
    if (to === null || to > o.before) continue;
    try {
      // sent as one, these are one transaction, which is what `set local` lasts for
      await client.query(`set local lock_timeout = '200ms'; drop table if exists ${quoteName(name)}`);
      dropped.push(name);
    } catch (error) {
      if (systemCode(error) !== "55P03") throw error;
      postponed.push(name);
    }
  }
  return { dropped, postponed };
}

/** A name as an SQL identifier. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function quoteText(text: string): string {
  return text.replaceAll("'", "''");
}
