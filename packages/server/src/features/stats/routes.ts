import { firstIdAt, InstantSchema, localDay, refuse } from "@threadmill/core";
import { type Static, Type } from "typebox";
import type { AppPorts } from "../../http/ports.ts";
import { type Route, route } from "../../http/route.ts";
import type { Place } from "../../lanes/port.ts";
import { countRuns, dailyCounts, dayAfter } from "./daily-counts.ts";

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

/** No id is older than 1970. */
function startAt(instant: number): typeof allTime {
  if (instant < 0) return allTime;
  const since = new Date(instant).toISOString();
  return { since, first: firstIdAt(since) };
}

const DaysSchema = Type.Object(
  {
    as_of: Type.Union([InstantSchema], {
      description: "messages are counted up to here, usually a second ago; runs up to this moment",
    }),
    days: Type.Array(
      Type.Object({
        day: Type.String({ description: "a day in the organization's zone, such as 2026-11-20" }),
        messages: count("inbound, outbound and notes"),
        runs: count("begun"),
      }),
      { description: "the newest last; days with nothing as well" },
    ),
  },
  { title: "DailyStats" },
);

interface DaysRow {
  readonly zone: string;
  readonly now: string;
  readonly created_at: string;
  readonly as_of: string;
  readonly closed: string | null;
}

/** What the follower has counted, and what it has not come to yet: the runs of days that are not over. */
async function readDays(
  pool: AppPorts["pool"],
  { lane, organization }: Place,
  days: number,
): Promise<Static<typeof DaysSchema>> {
  const { rows } = await pool.query<DaysRow>(
    `select o.zone, o.created_at, clock_timestamp() as now, c.day::text as closed,
  coalesce((select at from log where lane = $1 and seq > coalesce(
    (select seq from followers where lane = $1 and name = $3), 0) order by seq limit 1), clock_timestamp()) as as_of
from organizations o left join daily_counts_closed c on c.lane = o.lane and c.organization = o.organization
where o.lane = $1 and o.organization = $2`,
    [lane, organization, dailyCounts.name],
  );
  const { zone, now, created_at, as_of, closed } = rows[0] as DaysRow;
  const today = localDay(now, zone);
  const first = dayAfter(today, 1 - days);
  const begun = localDay(created_at, zone);
  const counted = await pool.query<{ day: string; messages: number; runs: number }>(
    `select day::text as day, messages, runs from daily_counts
where lane = $1 and organization = $2 and day between $3 and $4`,
    [lane, organization, first, today],
  );
  const known = new Map(counted.rows.map((row) => [row.day, row]));
  const answer: Static<typeof DaysSchema>["days"] = [];
  for (let day = first; day <= today; day = dayAfter(day)) {
    const { messages = 0, runs = 0 } = known.get(day) ?? {};
    // usually today's and, for an hour, yesterday's
    const open = day > (closed ?? "") && day >= begun;
    answer.push({ day, messages, runs: open ? await countRuns(pool, { lane, organization, zone }, day) : runs });
  }
  return { as_of, days: answer };
}

/** The route that counts what an organization has. */
export function statsRoutes({ pool }: Pick<AppPorts, "pool">): Route[] {
  return [
    route({
      method: "GET",
      url: "/stats/days",
      tag: "Operations",
      summary: "Counts messages and runs by day",
      description:
        "Days are those of the organization's zone. The counts follow what happens by a second or so; `as_of` says how far they have come.",
      permission: "stats.read",
      query: Type.Object({
        days: Type.Optional(
          Type.Integer({ minimum: 1, maximum: 400, description: "how many, today included; 30 when left out" }),
        ),
      }),
      answer: DaysSchema,
      handle: ({ place, query }) => readDays(pool, place, query.days ?? 30),
    }),
    route({
      method: "GET",
      url: "/stats",
      tag: "Operations",
      summary: "Counts messages, conversations, events, runs and steps",
      description:
        "With `since` only what came after an instant, at the cost of that; without it everything that is kept, which takes a while in a large organization.",
      permission: "stats.read",
      query: Type.Object({ since: Type.Optional(InstantSchema) }),
      answer: StatsSchema,
      async handle({ place, query }) {
        const instant = query.since === undefined ? -1 : Date.parse(query.since);
        // a leap second, say: RFC 3339 knows it, and our clock does not
        if (Number.isNaN(instant)) return refuse("invalid", "invalid_input", "This is no instant", "/since");
        const { since, first } = startAt(instant);
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
