import type { PoolClient } from "pg";
import type { Admitted } from "./admission.ts";

const describe = (error: unknown): string => JSON.stringify({ message: error instanceof Error ? (error.stack ?? error.message) : String(error) });

/** Keeps a command that no batch could carry, with its context, for a person. */
export async function parkCommand(client: PoolClient, lane: number, admitted: Admitted, error: unknown): Promise<void> {
  const { place, id, key, command } = admitted;
  await client.query({
    text: `insert into parked (lane, organization, id, item, error, at) values ($1, $2, $3, $4, $5, clock_timestamp())
on conflict do nothing`,
    values: [lane, place.organization, id, JSON.stringify({ kind: "command", id, key: key ?? null, command }), describe(error)],
  });
}

/**
 * Takes the first due thing of a lane out of the way: a left-over, else a timer, else a wake. Its runs fail visibly.
 * Only called when that thing alone made a batch fail.
 */
export async function parkDue(client: PoolClient, lane: number, error: unknown): Promise<void> {
  const left = await client.query<{ organization: string; body: { queue: string[] } }>(
    "delete from leftovers where ctid = (select ctid from leftovers where lane = $1 order by at limit 1) and lane = $1 returning organization, body",
    [lane],
  );
  for (const row of left.rows) {
    await failRuns(client, lane, row.organization, row.body.queue);
    await keep(client, lane, row.organization, { kind: "leftover", ...row.body }, error);
  }
  if (left.rows.length > 0) return;
  const timer = await client.query<{ organization: string; run: string; wait: number }>(
    `delete from timers where lane = $1 and (organization, run) in
(select organization, run from timers where lane = $1 and due_at <= clock_timestamp() order by due_at limit 1)
returning organization, run, wait`,
    [lane],
  );
  for (const row of timer.rows) {
    await failRuns(client, lane, row.organization, [row.run]);
    await keep(client, lane, row.organization, { kind: "timer", ...row }, error);
  }
  if (timer.rows.length > 0) return;
  for (const table of ["conversations", "customers"]) {
    const woken = await client.query<{ organization: string; id: string }>(
      `update ${table} set wake_at = null where lane = $1 and (organization, id) in
(select organization, id from ${table} where lane = $1 and wake_at <= clock_timestamp() order by wake_at limit 1)
returning organization, id`,
      [lane],
    );
    for (const row of woken.rows) await keep(client, lane, row.organization, { kind: "wake", table, ...row }, error);
    if (woken.rows.length > 0) return;
  }
}

async function failRuns(client: PoolClient, lane: number, organization: string, ids: readonly string[]): Promise<void> {
  await client.query(
    `with gone as (delete from runs where lane = $1 and organization = $2 and id = any($3) returning *)
insert into runs_history (lane, organization, id, workflow, version, subject_kind, subject, customer, conversation, message, status, reason,
  root, trigger, actor, depth, cursor, waits, waiting, inputs, outputs, steps, started_at, finished_at)
select lane, organization, id, workflow, version, subject_kind, subject, customer, conversation, message, 'failed',
  '{"code":"internal","message":"A fault inside Threadmill; it was kept for a person"}',
  root, trigger, actor, depth, null, waits, null, inputs, outputs, steps::json, started_at, clock_timestamp() from gone`,
    [lane, organization, ids],
  );
}

async function keep(client: PoolClient, lane: number, organization: string, item: object, error: unknown): Promise<void> {
  await client.query(
    `insert into parked (lane, organization, id, item, error, at) values ($1, $2, gen_random_uuid(), $3, $4, clock_timestamp())`,
    [lane, organization, JSON.stringify(item), describe(error)],
  );
}
