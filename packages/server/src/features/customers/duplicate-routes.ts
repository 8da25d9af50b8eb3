import { CustomerSchema, IdSchema, InstantSchema, oneOf, orNull, refuse } from "@threadmill/core";
import { sql } from "kysely";
import { Type } from "typebox";
import { list, pageOf } from "../../http/pages.ts";
import type { AppPorts } from "../../http/ports.ts";
import { userOf } from "../../http/rights.ts";
import { type Call, type Route, route } from "../../http/route.ts";
import { readableCustomers } from "../../rights/readable.ts";
import { customersWithinReach, reachOf } from "../../rights/reach.ts";
import { customerColumns } from "./columns.ts";
import { dismissDuplicate } from "./duplicates.ts";

const DuplicateSchema = Type.Object(
  {
    customers: Type.Array(CustomerSchema, {
      minItems: 2,
      maxItems: 2,
      description: "the one who was made first, first",
    }),
    reasons: Type.Array(oneOf(["phone", "email", "name"]), { description: "`name` is the name and the zip code" }),
    found_at: InstantSchema,
    dismissed_at: orNull(InstantSchema),
    dismissed_by: orNull(IdSchema),
  },
  { title: "Duplicate" },
);
const PairBody = Type.Object({ customer: IdSchema, other: IdSchema }, { additionalProperties: false });
const Told = Type.Object({ dismissed: Type.Boolean() });

/** Routes for customers who may be one person. */
export function duplicateRoutes({ db, pool }: Pick<AppPorts, "db" | "pool">): Route[] {
  const about = { tag: "Customers", permission: "customers.merge" } as const;

  /** Notes that a pair are two persons, or that they may be one after all. */
  async function dismiss(
    call: Call<unknown, unknown, { readonly customer: string; readonly other: string }>,
    dismissed: boolean,
  ) {
    const { customer, other } = call.body;
    const by = userOf(call.caller);
    const reach = await reachOf(call, "customers.read");
    const readable = await readableCustomers(pool, call.place, reach, [customer, other]);
    const known =
      readable.size === 2 && (await dismissDuplicate(pool, call.place, [customer, other], dismissed ? by : null));
    return known ? { dismissed } : refuse("not_found", "duplicate_not_found", "These two are not suggested as one");
  }

  return [
    list({
      ...about,
      url: "/customers/duplicates",
      summary: "Lists pairs of customers who may be one person",
      description:
        "Found some moments after a customer changed, by a telephone number, an e-mail address, or a name and zip code that both have; those found last come first. `POST /customers/{id}/merge` makes them one, `GET /customers/{id}/merge_preview` shows what would become of them.",
      query: {
        customer: Type.Optional(IdSchema),
        dismissed: Type.Optional(Type.Boolean({ description: "those that were dismissed instead; default: false" })),
      },
      item: DuplicateSchema,
      title: "DuplicatePage",
      spot: Type.Tuple([Type.String(), IdSchema, IdSchema]),
      async read(call, page) {
        const { place, query } = call;
        const reach = await reachOf(call, "customers.read");
        let rows = db
          .selectFrom("duplicates as d")
          .innerJoin("customers as one", (join) =>
            join
              .onRef("one.lane", "=", "d.lane")
              .onRef("one.organization", "=", "d.organization")
              .onRef("one.id", "=", "d.a"),
          )
          .innerJoin("customers as other", (join) =>
            join
              .onRef("other.lane", "=", "d.lane")
              .onRef("other.organization", "=", "d.organization")
              .onRef("other.id", "=", "d.b"),
          )
          .select(["d.a", "d.b", "d.reasons", "d.found_at", "d.dismissed_at", "d.dismissed_by"])
          // what is shown has milliseconds; the order has what the database keeps
          .select(sql<string>`d.found_at::text`.as("spot"))
          .where("d.lane", "=", place.lane)
          .where("d.organization", "=", place.organization)
          .where("d.dismissed_at", query.dismissed === true ? "is not" : "is", null)
          .where(customersWithinReach(reach, "one"))
          .where(customersWithinReach(reach, "other"));
        if (query.customer !== undefined) {
          const { customer } = query;
          rows = rows.where((eb) => eb.or([eb("d.a", "=", customer), eb("d.b", "=", customer)]));
        }
        if (page.after !== undefined) {
          const [at, a, b] = page.after;
          rows = rows.where(sql<boolean>`(d.found_at, d.a, d.b) < (${at}::timestamptz, ${a}::uuid, ${b}::uuid)`);
        }
        const found = await rows
          .orderBy("d.found_at", "desc")
          .orderBy("d.a", "desc")
          .orderBy("d.b", "desc")
          .limit(page.rows)
          .execute();
        const customers = await customersById(place, [...new Set(found.flatMap(({ a, b }) => [a, b]))]);
        return pageOf(
          found,
          page,
          ({ spot, a, b }) => [spot, a, b],
          ({ a, b, spot: _, ...pair }) => ({ ...pair, customers: [customers.get(a), customers.get(b)] }),
        );
      },
    }),
    route({
      ...about,
      method: "POST",
      url: "/customers/duplicates/dismiss",
      summary: "Says that two customers are not one person: they are suggested no more",
      body: PairBody,
      answer: Told,
      problems: [404],
      handle: (call) => dismiss(call, true),
    }),
    route({
      ...about,
      method: "POST",
      url: "/customers/duplicates/restore",
      summary: "Takes back that two customers are not one person",
      body: PairBody,
      answer: Told,
      problems: [404],
      handle: (call) => dismiss(call, false),
    }),
  ];

  async function customersById({ lane, organization }: Call["place"], ids: readonly string[]) {
    if (ids.length === 0) return new Map<string, object>();
    const rows = await db
      .selectFrom("customers")
      .select(customerColumns)
      .where((eb) => eb.and({ lane, organization }))
      .where("id", "in", ids)
      .execute();
    return new Map<string, object>(rows.map((row) => [row.id, row]));
  }
}
