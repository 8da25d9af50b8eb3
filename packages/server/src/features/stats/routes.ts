import { firstIdAt, InstantSchema } from "@threadmill/core";
import { type Static, Type } from "typebox";
import type { AppPorts } from "../../http/ports.ts";
import { type Route, route } from "../../http/route.ts";

const count = (description: string) => Type.Integer({ minimum: 0, description });

const StatsSchema = Type.Object(
  {
    at: Type.Union([InstantSchema], {
      description: "the instant of the count; give it as `since` to count what came after",
    }),
    messages: count("inbound, outbound and notes"),
    conversations: count("begun"),
    events: count("in the log, as far as it is kept"),
    runs: count("begun, as far as they are kept"),
    steps: count("taken by those runs"),
  },
  { title: "Stats" },
);

/**
 * One statement sees one moment. $3 is the instant, $4 the first id that it can have: rows are found by the time in their
 * ids, so that with `since` the cost is that of what came after and not of all there is.
 */
const countAll = `with begun as (
  select jsonb_array_length(steps) as steps from runs where lane = $1 and organization = $2 and id >= $4
  union all
  select json_array_length(steps) from runs_history where lane = $1 and organization = $2 and id >= $4 and finished_at >= $3
)
select
  greatest(clock_timestamp(), (select at from log where lane = $1 order by seq desc limit 1)) as at,
  (select count(*) from messages where lane = $1 and organization = $2 and id >= $4) as messages,
  (select count(*) from conversations where lane = $1 and organization = $2 and id >= $4) as conversations,
  (select coalesce(sum(count), 0) from log where lane = $1 and organization = $2 and at >= $3) as events,
  (select count(*) from begun) as runs,
  (select coalesce(sum(steps), 0) from begun) as steps`;

const allTime = { since: "-infinity", first: "00000000-0000-0000-0000-000000000000" };

/** The route that counts what an organization has. */
export function statsRoutes({ pool }: Pick<AppPorts, "pool">): Route[] {
  return [
    route({
      method: "GET",
      url: "/stats",
      tag: "Operations",
      summary: "Counts messages, conversations, events, runs and steps",
      description:
        "With `since` only what came after an instant, at the cost of that; without it everything that is kept, which takes a while in a large organization.",
      permission: null,
      query: Type.Object({ since: Type.Optional(InstantSchema) }),
      answer: StatsSchema,
      async handle({ place, query }) {
        // no id is older than 1970
        const { since, first } =
          query.since === undefined || query.since < "1970"
            ? allTime
            : { since: query.since, first: firstIdAt(query.since) };
        const { rows } = await pool.query<Static<typeof StatsSchema>>(countAll, [
          place.lane,
          place.organization,
          since,
          first,
        ]);
        return rows[0] as Static<typeof StatsSchema>;
      },
    }),
  ];
}
