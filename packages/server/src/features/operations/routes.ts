import { IdSchema, InstantSchema, oneOf, orNull } from "@threadmill/core";
import { Type } from "typebox";
import { idIn, pageOf, pageQuery, placeIn, rowsFor, toPage } from "../../http/pages.ts";
import type { AppPorts } from "../../http/ports.ts";
import { type Route, route } from "../../http/route.ts";

const DeliverySchema = Type.Object(
  {
    key: Type.String({ description: "never changes over retries" }),
    message: IdSchema,
    channel: IdSchema,
    recipient: Type.String(),
    text: Type.String(),
    media: Type.Unknown(),
    recorded_at: InstantSchema,
  },
  { title: "RecordedDelivery" },
);
const EffectSchema = Type.Object(
  {
    id: IdSchema,
    kind: Type.String(),
    order_key: Type.String({ description: "effects of one key are performed one after the other" }),
    key: Type.String(),
    run: orNull(IdSchema),
    refs: Type.Unknown(),
    status: oneOf(["due", "dead"] as const),
    due_at: InstantSchema,
    attempt: Type.Integer(),
    last_error: Type.Unknown(),
    created_at: InstantSchema,
  },
  { title: "Effect" },
);
const ParkedSchema = Type.Object(
  { id: IdSchema, item: Type.Unknown(), error: Type.Unknown(), at: InstantSchema, resolved_at: orNull(InstantSchema) },
  { title: "ParkedItem" },
);

const instantForm = (part: unknown) => typeof part === "string" && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(part);

/** Routes for whoever looks after the house: what was recorded instead of sent, what failed, what waits for a person. */
export function operationRoutes({ db }: Pick<AppPorts, "db">): Route[] {
  const read = { method: "GET", tag: "Operations", permission: "settings.read" } as const;
  return [
    route({
      ...read,
      url: "/deliveries",
      summary: "Lists what the recorder provider kept instead of sending it, newest first",
      query: Type.Object({
        ...pageQuery,
        message: Type.Optional(IdSchema),
        recipient: Type.Optional(Type.String({ maxLength: 320 })),
      }),
      answer: pageOf(DeliverySchema, "DeliveryPage"),
      async handle({ place, query }) {
        const before = placeIn(query, [instantForm, (key) => typeof key === "string"]) as [string, string] | undefined;
        let rows = db
          .selectFrom("recorded_deliveries")
          .select(["key", "message", "channel", "recipient", "text", "media", "recorded_at"])
          .where((eb) => eb.and({ lane: place.lane, organization: place.organization }));
        if (query.message !== undefined) rows = rows.where("message", "=", query.message);
        if (query.recipient !== undefined) rows = rows.where("recipient", "=", query.recipient);
        if (before !== undefined) {
          const [at, key] = before;
          rows = rows.where((eb) =>
            eb.or([eb("recorded_at", "<", at), eb.and([eb("recorded_at", "=", at), eb("key", "<", key)])]),
          );
        }
        const found = await rows.orderBy("recorded_at", "desc").orderBy("key", "desc").limit(rowsFor(query)).execute();
        return toPage(found, query, (row) => [row.recorded_at, row.key]);
      },
    }),
    route({
      ...read,
      url: "/effects",
      summary: "Lists effects, newest first: with status=dead those that were given up",
      query: Type.Object({ ...pageQuery, status: Type.Optional(oneOf(["due", "dead"] as const)) }),
      answer: pageOf(EffectSchema, "EffectPage"),
      async handle({ place, query }) {
        const before = idIn(query);
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
        if (before !== undefined) rows = rows.where("id", "<", before);
        return toPage(await rows.orderBy("id", "desc").limit(rowsFor(query)).execute(), query, (row) => [row.id]);
      },
    }),
    route({
      ...read,
      url: "/parked",
      summary: "Lists items that no batch could carry, newest first",
      query: Type.Object({
        ...pageQuery,
        resolved: Type.Optional(Type.Boolean({ description: "those that are seen to; default: false" })),
      }),
      answer: pageOf(ParkedSchema, "ParkedPage"),
      async handle({ place, query }) {
        const before = idIn(query);
        let rows = db
          .selectFrom("parked")
          .select(["id", "item", "error", "at", "resolved_at"])
          .where((eb) => eb.and({ lane: place.lane, organization: place.organization }))
          .where("resolved_at", query.resolved === true ? "is not" : "is", null);
        if (before !== undefined) rows = rows.where("id", "<", before);
        return toPage(await rows.orderBy("id", "desc").limit(rowsFor(query)).execute(), query, (row) => [row.id]);
      },
    }),
  ];
}
