import type { Pool } from "pg";

/** Tables of the world whose indexes share their first columns; effects come and go too fast to be known. */
const tables = ["customers", "conversations", "messages", "addresses", "runs"] as const;
/** Below so many rows any plan will do. */
const worthKnowing = 500;

/**
 * Has the planner learn of tables that grew to the triple since it last looked, or from nothing. It would by itself after up to
 * a minute, or a tenth of growth later; until then it takes every index of (lane, organization, ...) for as good as the
 * primary key, and looking at one message goes through all of its organization's: at 20,000 messages that was a third of
 * what a delivered reply cost. Answers which were looked at.
 */
export async function learnOfGrowth(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>({
    name: "tables_that_grew",
    text: `select c.relname as name from pg_stat_user_tables s join pg_class c on c.oid = s.relid
where s.schemaname = current_schema() and c.relname = any($1) and s.n_mod_since_analyze > greatest($2, 2 * c.reltuples)`,
    values: [tables, worthKnowing],
  });
  const grown = tables.filter((table) => rows.some(({ name }) => name === table));
  // whoever looks already, such as the database itself, need not be waited for
  for (const table of grown) await pool.query(`analyze (skip_locked) ${table}`);
  return grown;
}
