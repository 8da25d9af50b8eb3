import { blankChange, blankData } from "@threadmill/core";
import { type LogRow, readEvents, type StoredEvent, storeEvents } from "./log-format.ts";

/** The same events without personal values: what happened and when stays, explain then says "erased". */
export function blankEvents(row: LogRow): StoredEvent[] {
  return storeEvents(
    readEvents(row).map(({ seq: _, data, ...event }) => {
      const kept = blankData(data);
      return { ...event, changes: event.changes.map(blankChange), ...(kept !== undefined && { data: kept }) };
    }),
  );
}
