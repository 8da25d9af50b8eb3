import { blankEvents } from "../../lanes/blank-log.ts";
import type { LogRow } from "../../lanes/log-format.ts";
import type { Sweep } from "./sweep.ts";

const rowsAtATime = 100;

/** Blanks what the log says of the customer: that it happened, and when, stays. */
export async function blankLog(sweep: Sweep): Promise<void> {
  for (let after: number | null = -1; after !== null;) after = await logSlice(sweep, after);
}

/** One slice of the customer's rows; answers the last number that it saw, null when none were left. */
function logSlice({ lane, organization, customer, inLane }: Sweep, after: number): Promise<number | null> {
  return inLane(async (tx) => {
    const { rows } = await tx.query<LogRow>(
      `select seq, at, root, events from log where lane = $1 and organization = $2 and customer = $3 and seq > $4 order by seq limit $5`,
      [lane, organization, customer, after, rowsAtATime],
    );
    const blanked = rows.map((row) => `{"seq":${row.seq},"events":${blankEvents(row)}}`);
    await tx.query(
      `update log l set events = r.events from json_to_recordset($2::json) as r(seq bigint, events json)
where l.lane = $1 and l.seq = r.seq`,
      [lane, `[${blanked.join(",")}]`],
    );
    return rows.at(-1)?.seq ?? null;
  });
}
