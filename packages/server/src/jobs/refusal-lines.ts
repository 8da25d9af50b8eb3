import type { Pool } from "pg";
import type { Place } from "../lanes/port.ts";
import { lineOf } from "./csv/cells.ts";
import type { JobRow } from "./row.ts";
import { listRefusals } from "./store.ts";

const rowsAtATime = 500;

/**
 * What of a job was refused as lines of a table, a page of it in memory at a time. Of an import the rows as they were, so
 * that they can be mended and imported again; of other jobs what they were about.
 */
export async function* refusalLines(pool: Pool, place: Place, job: JobRow): AsyncGenerator<string> {
  const columns = (job.result?.["columns"] as readonly string[] | undefined) ?? null;
  const about = ["row", "code", "message"];
  yield lineOf(columns === null ? about : [...columns, ...about]);
  for (let after = 0; ;) {
    const rows = await listRefusals(pool, place, job.id, after, rowsAtATime);
    for (const { number, item, code, message, detail } of rows) {
      after = number;
      const cells = columns === null || !Array.isArray(detail) ? [] : columns.map((_, n) => detail[n] ?? "");
      yield lineOf([...cells, item, code, message]);
    }
    if (rows.length < rowsAtATime) return;
  }
}
