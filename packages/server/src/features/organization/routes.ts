import { defaultLimits, IdSchema, isZone, type Limits, oneOf, refuse } from "@threadmill/core";
import { Type } from "typebox";
import type { AppPorts } from "../../http/ports.ts";
import { type Route, route } from "../../http/route.ts";
import type { Change } from "../settings/change.ts";
import { NothingToChange } from "../settings/change.ts";
import type { Tables } from "../tables.ts";
import { workflowsFollowZone } from "../workflows/consequences.ts";

/** The greatest value of each limit: beyond it the limit would be none. */
const most: Limits = {
  runs_per_subject_per_day: 100_000,
  chain_depth: 100,
  automated_messages_per_hour: 1000,
  allowance: 100_000,
};

const limits = Type.Object(
  Object.fromEntries(
    Object.keys(defaultLimits).map((name) => [name, Type.Integer({ minimum: 1, maximum: most[name as keyof Limits] })]),
  ),
  { additionalProperties: false, title: "Limits" },
);
const name = Type.String({ minLength: 1, maxLength: 200 });
const zone = Type.String({ maxLength: 64, description: "a time zone, such as America/New_York" });
const automation = oneOf(
  ["on", "off", "braked"] as const,
  "`off` is the kill switch: no run starts, and each says why",
);

/** An organization as the API shows it. */
export const OrganizationSchema = Type.Object(
  { id: IdSchema, name, zone, sandbox: Type.Boolean(), automation, limits, workflow_user: IdSchema },
  { title: "Organization" },
);

type Row = Tables["organizations"];
const shown = (row: Row) => ({
  id: row.organization,
  name: row.name,
  zone: row.zone,
  sandbox: row.sandbox,
  automation: row.automation,
  limits: row.limits,
  workflow_user: row.workflow_user,
});

/** Routes of the organization itself. */
export function organizationRoutes({ pool }: Pick<AppPorts, "pool">, change: Change): Route[] {
  const about = { url: "/organization", tag: "Settings", answer: OrganizationSchema } as const;
  const select = "select * from organizations where lane = $1 and organization = $2";
  return [
    route({
      ...about,
      method: "GET",
      summary: "Reads the organization",
      permission: "settings.read",
      async handle({ place }) {
        const { rows } = await pool.query<Row>(select, [place.lane, place.organization]);
        return shown(rows[0] as Row);
      },
    }),
    route({
      ...about,
      method: "PATCH",
      summary: "Changes the organization",
      description: "Fields that are left out stay as they are; so do limits.",
      permission: "settings.write",
      body: Type.Object(
        {
          name: Type.Optional(name),
          zone: Type.Optional(zone),
          automation: Type.Optional(automation),
          limits: Type.Optional(Type.Partial(limits, { additionalProperties: false })),
        },
        { additionalProperties: false },
      ),
      handle: (call) =>
        change(call, async (tx, at) => {
          const { lane, organization } = call.place;
          const { body } = call;
          if (body.zone !== undefined && !isZone(body.zone))
            return refuse("invalid", "zone_unknown", "There is no such time zone", "/zone");
          const before = (await tx.query<Row>(select, [lane, organization])).rows[0] as Row;
          const next = { ...before, ...body, limits: { ...before.limits, ...body.limits } };
          if (Object.keys(body).length === 0) throw new NothingToChange(shown(before));
          const { rows } = await tx.query<Row>(
            "update organizations set name = $3, zone = $4, automation = $5, limits = $6 where lane = $1 and organization = $2 returning *",
            [lane, organization, next.name, next.zone, next.automation, JSON.stringify(next.limits)],
          );
          await tx.query("update directory_organizations set name = $2 where id = $1", [organization, next.name]);
          if (before.zone !== next.zone) await workflowsFollowZone(tx, call.place, at);
          const after = shown(rows[0] as Row);
          return { noun: "organization", id: organization, before: shown(before), after, result: after };
        }),
    }),
  ];
}
