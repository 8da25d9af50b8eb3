import type { Command } from "@threadmill/core";
import type { PoolClient } from "pg";
import type { Admitted, Settlement } from "./admission.ts";

/** The kinds of work that the database itself brings into a batch, in the order in which a poisonous one is looked for. */
export const dueKinds = ["leftovers", "timers", "conversations", "customers"] as const;
export type DueKind = (typeof dueKinds)[number];

const describe = (error: unknown): string =>
  JSON.stringify({ message: error instanceof Error ? (error.stack ?? error.message) : String(error) });

/** Whether what an item asks for is kept already: a retry that fails leaves what it was to do where it waits. */
export const isKept = (item: { readonly kind: string; readonly command?: Pick<Command, "type"> } | null): boolean =>
  item?.kind === "command" && item.command?.type === "parked.retry";

/**
 * Keeps a command that no batch could carry, with its context, for a person. The item is made fit to be stored: a text
 * that the database refuses may be the very reason.
 */
export async function parkCommand(client: PoolClient, lane: number, admitted: Admitted, error: unknown): Promise<void> {
  const { place, id, key, fingerprint, command } = admitted;
  if (isKept({ kind: "command", command })) return;
  const item = { kind: "command", id, key: key ?? null, fingerprint: fingerprint ?? null, command };
  await keep(client, lane, place.organization, id, item, error);
}

/** Keeps a settled effect that no batch could carry; the effect is dead, and the run that waited for it fails visibly. */
export async function parkSettlement(
  client: PoolClient,
  lane: number,
  { place, item }: Settlement,
  error: unknown,
): Promise<void> {
  await keep(client, lane, place.organization, item.effect, item, error);
  await killEffect(client, lane, place.organization, item.effect);
}

/**
 * Takes the first due thing of a kind out of a lane's way; its runs fail visibly. Only called when that thing alone made
 * a batch fail, so it must be the one that a batch takes first.
 */
export async function parkDue(client: PoolClient, lane: number, kind: DueKind, error: unknown): Promise<void> {
  if (kind === "leftovers") return parkLeftover(client, lane, error);
  if (kind === "timers") return parkTimer(client, lane, error);
  const woken = await client.query<{ organization: string; id: string }>(
    `update ${kind} set wake_at = null where lane = $1 and (organization, id) in
(select organization, id from ${kind} where lane = $1 and wake_at <= clock_timestamp() order by wake_at, id limit 1)
returning organization, id`,
    [lane],
  );
  for (const row of woken.rows)
    await keep(client, lane, row.organization, row.id, { kind: "wake", table: kind, ...row }, error);
}

async function parkLeftover(client: PoolClient, lane: number, error: unknown): Promise<void> {
  const left = await client.query<{ organization: string; body: { queue: string[] } }>(
    `delete from leftovers where lane = $1 and organization =
(select organization from leftovers where lane = $1 order by at, organization limit 1)
returning organization, body`,
    [lane],
  );
  for (const row of left.rows) {
    await failRuns(client, lane, row.organization, row.body.queue);
    await keep(client, lane, row.organization, row.organization, { kind: "leftover", ...row.body }, error);
  }
}

async function parkTimer(client: PoolClient, lane: number, error: unknown): Promise<void> {
  const timer = await client.query<{ organization: string; run: string; wait: number }>(
    `delete from timers where lane = $1 and (organization, run) in
(select organization, run from timers where lane = $1 and due_at <= clock_timestamp() order by due_at, run limit 1)
returning organization, run, wait`,
    [lane],
  );
  for (const row of timer.rows) {
    await failRuns(client, lane, row.organization, [row.run]);
    await keep(client, lane, row.organization, row.run, { kind: "timer", ...row }, error);
  }
}

/** Dead, so that no worker performs it again and again; a person can see it and have it tried again. */
async function killEffect(client: PoolClient, lane: number, organization: string, id: string): Promise<void> {
  const { rows } = await client.query<{ run: string | null }>(
    `update effects set status = 'dead', lease_until = null,
  last_error = '{"code":"internal","message":"A fault inside Threadmill; it was kept for a person"}'
where lane = $1 and organization = $2 and id = $3 and status = 'due' returning run`,
    [lane, organization, id],
  );
  const run = rows[0]?.run ?? null;
  // a run that does not wait for this effect has gone on long ago
  if (run !== null) await failRuns(client, lane, organization, [run], id);
}

async function failRuns(
  client: PoolClient,
  lane: number,
  organization: string,
  ids: readonly string[],
  effect: string | null = null,
): Promise<void> {
  await client.query(
    `with gone as (
  delete from runs where lane = $1 and organization = $2 and id = any($3) and ($4::text is null or waiting ->> 'effect' = $4) returning *),
quiet as (delete from timers t using gone where t.lane = $1 and t.organization = $2 and t.run = gone.id)
insert into runs_history (lane, organization, id, workflow, version, subject_kind, subject, customer, conversation, message, status, reason,
  root, trigger, actor, depth, cursor, waits, waiting, inputs, outputs, steps, started_at, finished_at, started_by, ended_by)
select lane, organization, id, workflow, version, subject_kind, subject, customer, conversation, message, 'failed',
  '{"code":"internal","message":"A fault inside Threadmill; it was kept for a person"}',
  root, trigger, actor, depth, null, waits, null, inputs, outputs, steps::json, started_at, clock_timestamp(), started_by, ended_by from gone`,
    [lane, organization, ids, effect],
  );
}

async function keep(
  client: PoolClient,
  lane: number,
  organization: string,
  id: string,
  item: object,
  error: unknown,
): Promise<void> {
  await client.query(
    `insert into parked (lane, organization, id, item, error, at) values ($1, $2, $3, $4, $5, clock_timestamp())
on conflict (lane, organization, id) do update set item = excluded.item, error = excluded.error, at = excluded.at,
  resolved_at = null, resolved_by = null, resolution = null`,
    [lane, organization, id, storable(JSON.stringify(item)), storable(describe(error))],
  );
}

/** JSON text that jsonb takes: without NUL and halves of surrogate pairs, which JSON.stringify writes as escapes. */
function storable(json: string): string {
  return json.replaceAll(/(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/g, "$1\\ufffd");
}
