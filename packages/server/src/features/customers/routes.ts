import {
  CustomerSchema,
  customerStates,
  IdSchema,
  InstantSchema,
  isEverywhere,
  oneOf,
  parseAddress,
  refuse,
} from "@threadmill/core";
import { sql } from "kysely";
import { Type } from "typebox";
import { byId, list, pageById } from "../../http/pages.ts";
import type { AppPorts } from "../../http/ports.ts";
import { type Call, type Refused, type Route, route } from "../../http/route.ts";
import type { Place } from "../../lanes/port.ts";
import { filterSql } from "../../filters/filter.ts";
import { customersSeen, stateSeen } from "../../rights/counts.ts";
import { customersWithinReach, reachOf } from "../../rights/reach.ts";
import { customerColumns } from "./columns.ts";
import { countCustomers } from "./count.ts";
import { duplicateRoutes } from "./duplicate-routes.ts";
import { askedFilters } from "./filter.ts";
import { mergePreviewRoutes } from "./merge-preview.ts";
import { customerStoryRoutes } from "./story-routes.ts";

const filterQuery = {
  filter: Type.Optional(
    Type.String({
      maxLength: 20_000,
      description: "a condition over `customer` and `assignee` as JSON, as workflows write them",
    }),
  ),
  segment: Type.Optional(Type.String({ maxLength: 64, description: "id or short name of a segment" })),
};
type FilterQuery = { readonly filter?: string; readonly segment?: string };

const address = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 320, description }));

/** Routes that read customers. */
export function customerRoutes({ db, pool, clock }: Pick<AppPorts, "db" | "pool" | "clock">): Route[] {
  const read = { method: "GET", tag: "Customers", permission: "customers.read" } as const;

  /** The customer who has an address. */
  const ownerOf = async (place: Place, kind: string, value: string): Promise<string | null> => {
    const found = await db
      .selectFrom("addresses")
      .select("customer")
      .where("lane", "=", place.lane)
      .where("organization", "=", place.organization)
      .where("address", "=", `${kind}:${value}`)
      .executeTakeFirst();
    return found?.customer ?? null;
  };

  /** The filters of a query, ready for a statement over customers. */
  const filtersOf = (call: Pick<Call<unknown, FilterQuery>, "place" | "caller" | "settings" | "query">) =>
    askedFilters(pool, call.place, call.query, async () => ({
      settings: await call.settings(),
      at: clock.now(),
      user: call.caller.user,
    }));

  return [
    list({
      ...read,
      url: "/customers",
      summary: "Lists customers, newest first",
      description:
        "`phone`, `email` and `external_id` find the one customer who has it, whichever of several addresses it is. With a filter or segment, customers who were merged or erased are left out, and so is for whom it cannot be decided.",
      query: {
        phone: address("ten bare digits are a US number"),
        email: address("an e-mail address"),
        external_id: address("the id that another system knows the customer by"),
        state: Type.Optional(oneOf(customerStates)),
        assignee: Type.Optional(IdSchema),
        ...filterQuery,
      },
      item: CustomerSchema,
      title: "CustomerPage",
      spot: byId,
      async read(call, page) {
        const { place, query } = call;
        let rows = db
          .selectFrom("customers")
          .select(customerColumns)
          .where("lane", "=", place.lane)
          .where("organization", "=", place.organization)
          .where(customersWithinReach(await reachOf(call, "customers.read")));
        const names = namesIn(query);
        if (!Array.isArray(names)) return names;
        for (const [kind, value] of names) {
          const owner = await ownerOf(place, kind, value);
          if (owner === null) return { items: [], next: null };
          rows = rows.where("id", "=", owner);
        }
        const filters = await filtersOf(call);
        if ("ok" in filters) return filters;
        if (filters.length > 0) rows = rows.where("merged_into", "is", null).where("erased_at", "is", null);
        for (const filter of filters) rows = rows.where(filterSql(filter).where);
        const counted = await reachOf(call);
        if (query.state !== undefined)
          rows = rows.where(
            isEverywhere(counted) ? sql<boolean>`state = ${query.state}` : stateSeen(query.state, counted),
          );
        if (query.assignee !== undefined) rows = rows.where("assignee", "=", query.assignee);
        if (page.after !== undefined) rows = rows.where("id", "<", page.after[0]);
        const found = await rows.orderBy("id", "desc").limit(page.rows).execute();
        return pageById(await customersSeen(pool, place, counted, found), page);
      },
    }),
    route({
      ...read,
      url: "/customers/:customer",
      summary: "Reads a customer",
      params: Type.Object({ customer: IdSchema }),
      answer: CustomerSchema,
      async handle(call) {
        const { place, params } = call;
        const row = await db
          .selectFrom("customers")
          .select(customerColumns)
          .where("lane", "=", place.lane)
          .where("organization", "=", place.organization)
          .where("id", "=", params.customer)
          .where(customersWithinReach(await reachOf(call, "customers.read")))
          .executeTakeFirst();
        if (row === undefined) return refuse("not_found", "customer_not_found", "There is no such customer");
        const [seen] = await customersSeen(pool, place, await reachOf(call), [row]);
        return seen as typeof row;
      },
    }),
    route({
      ...read,
      url: "/customers/count",
      summary: "Counts customers",
      description: "Those for whom a filter and a segment hold now, as far as the caller may read them.",
      query: Type.Object(filterQuery),
      answer: Type.Object(
        {
          customers: Type.Integer(),
          undecided: Type.Integer({ description: "for whom the filter cannot be decided; they are not among those" }),
          found_by: Type.String({
            description: "what the customers are found by, in words: an index, or by looking at all",
          }),
          at: InstantSchema,
        },
        { title: "CustomerCount" },
      ),
      async handle(call) {
        const filters = await filtersOf(call);
        if ("ok" in filters) return filters;
        const counted = await countCustomers(db, call.place, filters, await reachOf(call, "customers.read"));
        return "ok" in counted ? counted : { ...counted, at: clock.now() };
      },
    }),
    ...customerStoryRoutes({ pool }),
    ...duplicateRoutes({ db, pool }),
    ...mergePreviewRoutes({ pool, clock }),
  ];
}

/** The addresses that a query names, in their normal form, by kind. */
function namesIn(query: {
  readonly phone?: string;
  readonly email?: string;
  readonly external_id?: string;
}): [string, string][] | Refused {
  const names: [string, string][] = [];
  for (const [field, kind, channel] of [
    ["phone", "phone", "sms"],
    ["email", "email", "email"],
  ] as const) {
    const given = query[field];
    if (given === undefined) continue;
    const parsed = parseAddress(channel, given);
    if (!parsed.ok) return refuse("invalid", parsed.code, parsed.message, `/${field}`);
    names.push([kind, parsed.address]);
  }
  if (query.external_id !== undefined) names.push(["external", query.external_id]);
  return names;
}
