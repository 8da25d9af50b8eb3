import { type Event, idInstant } from "@threadmill/core";
import type { PoolClient } from "pg";
import type { Wanted } from "./loader.ts";
import { type LogRow, readEvents } from "./log-format.ts";

/**
 * Events of the log. Their ids tell the instant, and rows are found by customer: by the one that is named, those that it
 * stands for, and those that stand for it, as a merge may lie between the event and who asks for it.
 */
export async function loadEvents(client: PoolClient, wanted: Wanted): Promise<void> {
  if (wanted.length === 0) return;
  const asked = wanted.map(({ world, rest }) => {
    const [customer, id] = rest.split("/") as [string, string];
    return { world, rest, id, customer: customer === "-" ? null : customer, at: idInstant(id) };
  });
  const { rows } = await client.query<LogRow & { readonly n: number }>({
    name: "load_events",
    text: `with recursive asked as (select * from unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::timestamptz[]) with ordinality as a(lane, organization, customer, at, n)),
kin(n, lane, organization, at, customer) as (
  select n, lane, organization, at, customer from asked where customer is not null
  union
  select k.n, k.lane, k.organization, k.at, m.id from kin k cross join lateral (
    select c.id from customers c where c.lane = k.lane and c.organization = k.organization and c.merged_into = k.customer
    union all
    select c.merged_into from customers c where c.lane = k.lane and c.organization = k.organization and c.id = k.customer
      and c.merged_into is not null) m)
select k.n, l.seq, l.at, l.root, l.events from kin k
join log l on l.lane = k.lane and l.organization = k.organization and l.customer = k.customer and l.at = k.at
union all
select a.n, l.seq, l.at, l.root, l.events from asked a
join log l on l.lane = a.lane and l.organization = a.organization and a.customer is null and l.customer is null and l.at = a.at`,
    values: [
      asked.map((each) => each.world.lane),
      asked.map((each) => each.world.organization),
      asked.map((each) => each.customer),
      asked.map((each) => each.at),
    ],
  });
  const found = new Map<string, Event>();
  for (const row of rows) {
    for (const { seq: _, ...event } of readEvents(row)) found.set(`${row.n}/${event.id}`, event);
  }
  for (const [index, { world, rest, id }] of asked.entries())
    world.rows.set(`event/${rest}`, world.told(id) ?? found.get(`${index + 1}/${id}`) ?? null);
}
