import type { Engine } from "../lanes/engine.ts";
import { leaseSeconds } from "../lanes/births.ts";
import type { Claimed } from "./claim.ts";
import type { Performer } from "./performer.ts";

const slice = 500;

/**
 * After a workflow with time triggers was published: every subject that has the trigger's instant is asked to look at
 * its clocks again, slice by slice, so that no message waits behind it (DESIGN section 7). The subjects' own wakes then
 * find what is due. The place reached is kept in the effect, so that a killed worker's work goes on where it was.
 */
export function watchSubjects(engine: Pick<Engine, "inLane">): Performer {
  return async (claimed, signal) => {
    const { table, field } = claimed.payload as { table: "conversations" | "customers"; field: string };
    // both go into the statement's text: only what a column can be called
    if (!/^(?:conversations|customers)$/.test(table) || !/^[a-z_]+$/.test(field)) {
      return { status: "failed", error: { code: "watch_invalid", message: `There is no clock ${table}.${field}` } };
    }
    let after = (claimed.payload["after"] as string | undefined) ?? null;
    while (!signal.aborted) {
      const last = await wakeSlice(engine, claimed, table, field, after);
      if (last === null) return { status: "done", output: {} };
      after = last;
    }
    return { status: "retry", error: { code: "stopping", message: "The server is stopping" }, afterMs: 0 };
  };
}

async function wakeSlice(
  engine: Pick<Engine, "inLane">,
  { lane, organization, id }: Claimed,
  table: string,
  field: string,
  after: string | null,
): Promise<string | null> {
  return engine.inLane(lane, async (tx) => {
    const { rows } = await tx.query<{ last: string | null }>(
      `with these as (
  select id from ${table} where lane = $1 and organization = $2 and ($3::uuid is null or id > $3) order by id limit $4),
woken as (
  update ${table} t set wake_at = clock_timestamp() from these
  where t.lane = $1 and t.organization = $2 and t.id = these.id and t.${field} is not null
    and (t.wake_at is null or t.wake_at > clock_timestamp()))
select max(id::text) as last from these`,
      [lane, organization, after, slice],
    );
    const last = rows[0]?.last ?? null;
    await tx.query(
      `update effects set payload = payload || jsonb_build_object('after', $4::text), lease_until = clock_timestamp() + make_interval(secs => $5)
where lane = $1 and organization = $2 and id = $3`,
      [lane, organization, id, last, leaseSeconds],
    );
    return last;
  });
}

/** Asks for the above in the transaction that publishes: both happen or neither. */
export async function askToWatch(
  tx: { query(text: string, values: unknown[]): Promise<unknown> },
  place: { readonly lane: number; readonly organization: string },
  ask: {
    readonly id: string;
    readonly version: string;
    readonly at: string;
    readonly table: "conversations" | "customers";
    readonly field: string;
  },
): Promise<void> {
  await tx.query(
    `insert into effects (lane, organization, id, kind, order_key, key, payload, run, refs, due_at, attempt, ordinal, created_at)
values ($1, $2, $3::uuid, 'workflow.watch', $4, $3::uuid::text, $5, null, '{}', $6, 0, 0, $6)`,
    [
      place.lane,
      place.organization,
      ask.id,
      `watch/${ask.version}`,
      JSON.stringify({ table: ask.table, field: ask.field }),
      ask.at,
    ],
  );
}
