import type { Pool } from "pg";
import type { Place } from "../lanes/port.ts";

/**
 * The ids of all rows that one row stands together with: those that were merged into it, what it was merged into, and
 * what was merged into that. A merge moves no rows, so what belongs to them stands under each of their own ids. Empty
 * when there is no such row.
 */
export async function familyOf(
  pool: Pool,
  { lane, organization }: Place,
  table: "customers" | "conversations",
  id: string,
): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>({
    name: `family_${table}`,
    text: `with recursive up(id, merged_into) as (
  select id, merged_into from ${table} where lane = $1 and organization = $2 and id = $3
  union all
  select t.id, t.merged_into from up join ${table} t on t.lane = $1 and t.organization = $2 and t.id = up.merged_into),
down(id) as (
  select id from up where merged_into is null
  union all
  select t.id from down join ${table} t on t.lane = $1 and t.organization = $2 and t.merged_into = down.id)
select id from down order by id`,
    values: [lane, organization, id],
  });
  return rows.map((row) => row.id);
}
