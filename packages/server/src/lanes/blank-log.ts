import { blankChange, blankData } from "@threadmill/core";
import { eventsText, type LogRow, readEvents } from "./log-format.ts";

/** The same events without personal values, as a row keeps them: what happened and when stays, explain then says "erased". */
export function blankEvents(row: LogRow): string {
  return eventsText(
    readEvents(row).map(({ seq: _, data, ...event }) => {
      const kept = blankData(data);
      return { ...event, changes: event.changes.map(blankChange), ...(kept !== undefined && { data: kept }) };
    }),
  );
}
