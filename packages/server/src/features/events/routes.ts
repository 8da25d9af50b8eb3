import { type Event, IdSchema, oneOf, refuse } from "@threadmill/core";
import { Type } from "typebox";
import { list } from "../../http/pages.ts";
import type { AppPorts } from "../../http/ports.ts";
import type { Route } from "../../http/route.ts";
import { findEvents } from "./log.ts";
import { EventSchema } from "./schemas.ts";

/** The route that reads the log. */
export function eventRoutes({ pool, db }: Pick<AppPorts, "pool" | "db">): Route[] {
  return [
    list({
      url: "/events",
      tag: "Events",
      summary: "Lists events in the order of the log",
      description:
        "A page may hold fewer events than asked for, even none, and yet have a `next_cursor`: then there was much to look through.",
      permission: null,
      query: {
        order: Type.Optional(oneOf(["oldest", "newest"] as const, "which come first; default: oldest")),
        customer: Type.Optional(IdSchema),
        conversation: Type.Optional(IdSchema),
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
      async read({ place, query }, page) {
        let { customer } = query;
        if (query.conversation !== undefined && customer === undefined) {
          const row = await db
            .selectFrom("conversations")
            .select("customer")
            .where((eb) =>
              eb.and({ lane: place.lane, organization: place.organization, id: query.conversation as string }),
            )
            .executeTakeFirst();
          if (row === undefined)
            return refuse("invalid", "conversation_not_found", "There is no such conversation", "/conversation");
          customer = row.customer;
        }
        const { events, reached } = await findEvents(pool, place, {
          newestFirst: query.order === "newest",
          from: page.after?.[0],
          most: page.limit,
          customer,
          root: query.root,
          fits: (event: Event) =>
            (query.type === undefined || event.type === query.type) &&
            (query.conversation === undefined || event.refs.conversation === query.conversation),
        });
        return { items: events, next: reached === null ? null : ([reached] as [number]) };
      },
    }),
  ];
}
