import { IdSchema, oneOf, worldNouns } from "@threadmill/core";
import { sql } from "kysely";
import { Type } from "typebox";
import { byId, list, pageById, pageOf } from "../../http/pages.ts";
import type { AppPorts } from "../../http/ports.ts";
import type { Route } from "../../http/route.ts";

const {
  payload: _payload,
  lease_until: _lease,
  ordinal: _ordinal,
  begun: _begun,
  ...effect
} = worldNouns.effects.properties;
const DeliverySchema = Type.Object(worldNouns.recorded_deliveries.properties, { title: "RecordedDelivery" });
const EffectSchema = Type.Object(effect, { title: "Effect" });
const ParkedSchema = worldNouns.parked;

/** Routes for whoever looks after the house: what was recorded instead of sent, what failed, what waits for a person. */
export function operationRoutes({ db }: Pick<AppPorts, "db">): Route[] {
  const read = { tag: "Operations", permission: "operations.read" } as const;
  return [
    list({
      ...read,
      url: "/deliveries",
      summary: "Lists what the recorder provider kept instead of sending it, newest first",
      query: {
        message: Type.Optional(IdSchema),
        recipient: Type.Optional(Type.String({ maxLength: 320 })),
      },
      item: DeliverySchema,
      title: "DeliveryPage",
      spot: Type.Tuple([Type.String(), Type.String()]),
      async read({ place, query }, page) {
        let rows = db
          .selectFrom("recorded_deliveries")
          .select(["key", "message", "channel", "recipient", "text", "media", "extras", "recorded_at"])
          // what is shown has milliseconds; the order has the microseconds of the database
          .select(sql<string>`recorded_at::text`.as("spot"))
          .where((eb) => eb.and({ lane: place.lane, organization: place.organization }));
        if (query.message !== undefined) rows = rows.where("message", "=", query.message);
        if (query.recipient !== undefined) rows = rows.where("recipient", "=", query.recipient);
        if (page.after !== undefined) {
          const [at, key] = page.after;
          rows = rows.where((eb) =>
            eb.or([eb("recorded_at", "<", at), eb.and([eb("recorded_at", "=", at), eb("key", "<", key)])]),
          );
        }
        const found = await rows.orderBy("recorded_at", "desc").orderBy("key", "desc").limit(page.rows).execute();
        return pageOf(
          found,
          page,
          (row) => [row.spot, row.key],
          ({ spot: _, ...delivery }) => delivery,
        );
      },
    }),
    list({
      ...read,
      url: "/effects",
      summary: "Lists effects, newest first: with status=dead those that were given up",
      query: { status: Type.Optional(oneOf(["due", "dead"] as const)) },
      item: EffectSchema,
      title: "EffectPage",
      spot: byId,
      async read({ place, query }, page) {
        let rows = db
          .selectFrom("effects")
          .select([
            "id",
            "kind",
            "order_key",
            "key",
            "run",
            "refs",
            "status",
            "due_at",
            "attempt",
            "last_error",
            "created_at",
          ])
          .where((eb) => eb.and({ lane: place.lane, organization: place.organization }));
        if (query.status !== undefined) rows = rows.where("status", "=", query.status);
        if (page.after !== undefined) rows = rows.where("id", "<", page.after[0]);
        return pageById(await rows.orderBy("id", "desc").limit(page.rows).execute(), page);
      },
    }),
    list({
      ...read,
      url: "/parked",
      summary: "Lists items that no batch could carry, newest first",
      query: { resolved: Type.Optional(Type.Boolean({ description: "those that are seen to; default: false" })) },
      item: ParkedSchema,
      title: "ParkedPage",
      spot: byId,
      async read({ place, query }, page) {
        let rows = db
          .selectFrom("parked")
          .select(["id", "item", "error", "at", "resolved_at", "resolved_by", "resolution"])
          .where((eb) => eb.and({ lane: place.lane, organization: place.organization }))
          .where("resolved_at", query.resolved === true ? "is not" : "is", null);
        if (page.after !== undefined) rows = rows.where("id", "<", page.after[0]);
        return pageById(await rows.orderBy("id", "desc").limit(page.rows).execute(), page);
      },
    }),
  ];
}
