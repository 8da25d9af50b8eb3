import { blankCustomer } from "@threadmill/core";
import type { StoredChange, StoredEvent } from "./log-format.ts";

/** The fields of logged rows that can say something about a person, with what they hold once erased. */
const personal: Readonly<Record<StoredChange["table"], Readonly<Record<string, unknown>>>> = {
  customers: blankCustomer,
  conversations: { address: "", subject: null, properties: {} },
  messages: { text: "", media: [], delivery_error: null },
};

type Fields = StoredChange["after"];

function blank(table: StoredChange["table"], fields: Fields): Fields {
  const blanks = personal[table];
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, name in blanks ? blanks[name] : value]),
  ) as Fields;
}

/** The same events without personal values: what happened and when stays, explain then says "erased". */
export function blankEvents(events: readonly StoredEvent[]): StoredEvent[] {
  return events.map(({ data: _, ...event }) => ({
    ...event,
    ...(event.changes !== undefined && {
      changes: event.changes.map((change) => ({
        ...change,
        before: change.before === null ? null : blank(change.table, change.before),
        after: blank(change.table, change.after),
      })),
    }),
  }));
}
