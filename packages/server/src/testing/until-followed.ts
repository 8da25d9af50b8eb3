import type { Pool } from "pg";
import { vi } from "vitest";

/** Waits until these followers have come to the end of every lane's log, as far as it goes by then. */
export async function untilFollowed(pool: Pool, names: readonly string[]): Promise<void> {
  const { rows: ends } = await pool.query<{ lane: number; last: number }>(
    "select lane, max(seq + count - 1) as last from log group by lane",
  );
  await vi.waitFor(
    async () => {
      const { rows } = await pool.query<{ behind: number }>(
        `select count(*) as behind from json_to_recordset($1) l(lane smallint, last bigint) cross join unnest($2::text[]) n
left join followers f on f.lane = l.lane and f.name = n where coalesce(f.seq, 0) < l.last`,
        [JSON.stringify(ends), names],
      );
      if (rows[0]?.behind !== 0) throw new Error(`${rows[0]?.behind} followers of ${names.join(", ")} are behind`);
    },
    { timeout: 60_000, interval: 50 },
  );
}
