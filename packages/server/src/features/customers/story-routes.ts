import {
  IdSchema,
  InstantSchema,
  MessageSchema,
  NoteSchema,
  oneOf,
  refuse,
  type Refusal,
  RunHeadSchema,
} from "@threadmill/core";
import type { Pool } from "pg";
import { Type } from "typebox";
import { byId, list, pageById } from "../../http/pages.ts";
import type { AppPorts } from "../../http/ports.ts";
import type { Call, Route } from "../../http/route.ts";
import { readableCustomers } from "../../rights/readable.ts";
import { reachOf } from "../../rights/reach.ts";
import { EventSchema } from "../events/schemas.ts";
import { familyOf } from "../family.ts";
import { notesOf, readTimeline, timelineKinds, TimelineSpot } from "./timeline.ts";

const EntrySchema = Type.Object(
  {
    kind: oneOf(timelineKinds),
    at: InstantSchema,
    message: Type.Optional(MessageSchema),
    note: Type.Optional(NoteSchema),
    event: Type.Optional(EventSchema),
    run: Type.Optional(RunHeadSchema),
  },
  { title: "TimelineEntry" },
);

const params = Type.Object({ customer: IdSchema });
const start = { event: null, message: null, note: null, run: null };

/** Routes that read what happened with a customer. */
export function customerStoryRoutes({ pool }: Pick<AppPorts, "pool">): Route[] {
  const about = { tag: "Customers", permission: "customers.read", params } as const;
  return [
    list({
      ...about,
      url: "/customers/:customer/timeline",
      summary: "Lists everything of a customer, newest first",
      description:
        "Messages, notes on the customer, events and runs, with those of customers who were merged with this one; each as far as the caller may read it. A page may hold fewer entries than asked for, even none, and yet have a `next_cursor`.",
      query: { kind: Type.Optional(oneOf(timelineKinds, "only these")) },
      item: EntrySchema,
      title: "TimelinePage",
      spot: TimelineSpot,
      async read(call, page) {
        const customers = await familyRead(pool, call);
        if ("ok" in customers) return customers;
        const [message, event, run] = await Promise.all([
          reachOf(call, "conversations.read"),
          reachOf(call, "events.read"),
          reachOf(call, "runs.read"),
        ]);
        const { kind } = call.query;
        const { entries, next } = await readTimeline(pool, call.place, {
          customers,
          reach: { message, event, run },
          from: page.after ?? start,
          most: page.limit,
          kinds: new Set(kind === undefined ? timelineKinds : [kind]),
        });
        return { items: entries, next };
      },
    }),
    list({
      ...about,
      url: "/customers/:customer/notes",
      summary: "Lists the notes on a customer, newest first",
      description: "With those on customers who were merged with this one.",
      item: NoteSchema,
      title: "CustomerNotePage",
      spot: byId,
      async read(call, page) {
        const customers = await familyRead(pool, call);
        if ("ok" in customers) return customers;
        const before = page.after?.[0] ?? null;
        return pageById(await notesOf(pool, call.place, customers, { before, most: page.rows }), page);
      },
    }),
  ];
}

/** The ids under which what belongs to a customer stands, if the caller may read them. */
async function familyRead(
  pool: Pool,
  call: Pick<Call<{ readonly customer: string }>, "place" | "params" | "caller" | "settings">,
): Promise<readonly string[] | Refusal> {
  const { place, params } = call;
  const reach = await reachOf(call, "customers.read");
  const readable = await readableCustomers(pool, place, reach, [params.customer]);
  const family = readable.has(params.customer) ? await familyOf(pool, place, "customers", params.customer) : [];
  return family.length > 0 ? family : refuse("not_found", "customer_not_found", "There is no such customer");
}
