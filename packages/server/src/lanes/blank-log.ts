import { blankChange, blankData } from "@threadmill/core";
import type { StoredEvent } from "./log-format.ts";

/** The same events without personal values: what happened and when stays, explain then says "erased". */
export function blankEvents(events: readonly StoredEvent[]): StoredEvent[] {
  return events.map(({ data, changes, ...event }) => {
    const kept = blankData(data);
    return {
      ...event,
      ...(changes !== undefined && { changes: changes.map(blankChange) }),
      ...(kept !== undefined && { data: kept }),
    };
  });
}
