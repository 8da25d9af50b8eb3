import { type Event, idSchema, oneOf, refuse } from "@threadmill/core";
import { Type } from "typebox";
import { list } from "../../http/pages.ts";
import type { AppPorts } from "../../http/ports.ts";
import type { Route } from "../../http/route.ts";
import type { Place } from "../../lanes/port.ts";
import { readableEvents, readableFamily } from "../../rights/readable.ts";
import { type Reach, reachOf } from "../../rights/reach.ts";
import { familyOf } from "../family.ts";
import { findEvents } from "./log.ts";
import { EventSchema } from "./schemas.ts";

/** The route that reads the log. */
export function eventRoutes({ pool, db }: Pick<AppPorts, "pool" | "db">): Route[] {
  /**
   * Whom and what the events are to be about: what was merged is told of under the ids that it had at the time. Null when
   * there is no such conversation.
   */
  async function aboutOf(
    place: Place,
    reach: Reach,
    query: { readonly customer?: string; readonly conversation?: string },
  ) {
    const { customer, conversation } = query;
    const ids = conversation === undefined ? [] : await readableFamily(pool, place, reach, conversation);
    if (conversation !== undefined && ids.length === 0) return null;
    const customers = customer === undefined ? await customersOf(place, ids) : [customer];
    const families = await Promise.all(customers.map((id) => familyOf(pool, place, "customers", id)));
    return {
      customers: customers.length === 0 ? undefined : [...new Set([...customers, ...families.flat()])],
      conversations: conversation === undefined ? undefined : new Set(ids),
    };
  }

  async function customersOf({ lane, organization }: Place, conversations: readonly string[]): Promise<string[]> {
    if (conversations.length === 0) return [];
    const rows = await db
      .selectFrom("conversations")
      .select("customer")
      .distinct()
      .where((eb) => eb.and({ lane, organization }))
      .where("id", "in", conversations)
      .execute();
    return rows.map((row) => row.customer);
  }

  return [
    list({
      url: "/events",
      tag: "Events",
      summary: "Lists events in the order of the log",
      description:
        "A page may hold fewer events than asked for, even none, and yet have a `next_cursor`: then there was much to look through.",
      permission: "events.read",
      query: {
        order: Type.Optional(oneOf(["oldest", "newest"] as const, "which come first; default: oldest")),
        customer: Type.Optional(idSchema("with those of customers merged with this one")),
        conversation: Type.Optional(idSchema("with those of conversations merged with this one")),
        root: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: 200,
            description: "id of the command that set it off; name the customer too where you can",
          }),
        ),
        type: Type.Optional(Type.String({ maxLength: 100, description: "such as `conversation.closed`" })),
      },
      item: EventSchema,
      title: "EventPage",
      spot: Type.Tuple([Type.Integer()]),
      async read(call, page) {
        const { place, query } = call;
        const reach = await reachOf(call, "events.read");
        const about = await aboutOf(place, reach, query);
        if (about === null)
          return refuse("invalid", "conversation_not_found", "There is no such conversation", "/conversation");
        const { customers, conversations } = about;
        const { events, reached } = await findEvents(pool, place, {
          newestFirst: query.order === "newest",
          from: page.after?.[0],
          most: page.limit,
          customers,
          root: query.root,
          readable: (events) => readableEvents(pool, place, reach, events),
          fits: (event: Event) =>
            (query.type === undefined || event.type === query.type) &&
            (conversations === undefined || conversations.has(event.refs.conversation ?? "")),
        });
        return { items: events, next: reached === null ? null : ([reached] as [number]) };
      },
    }),
  ];
}
