import type { Pool, PoolClient } from "pg";
import type { Engine } from "../lanes/engine.ts";
import { blankEvents } from "../lanes/blank-log.ts";
import type { StoredEvent } from "../lanes/log-format.ts";
import type { Claimed } from "./claim.ts";
import type { Performer } from "./workers.ts";

const slice = 100;

/**
 * The rest of `customer.erase` (GDPR): the command blanked the customer; this blanks what was said and logged before:
 * messages, conversations, the log, step data, pending and dead effects, recorded deliveries, and customers that were
 * merged into this one. Every part may be done twice, so a killed worker's work is simply done again.
 */
export function blankCustomer(pool: Pool, engine: Pick<Engine, "submit" | "inLane">): Performer {
  return async (claimed) => {
    const customer = claimed.payload["customer"] as string;
    await eraseMerged(pool, engine, claimed, customer);
    for (let after: string | null = null; ;) {
      const done: string[] = await blankConversations(engine, claimed, customer, after);
      after = done.at(-1) ?? null;
      if (done.length < slice) break;
    }
    for (let after = -1; ;) {
      const last = await blankLog(engine, claimed, customer, after);
      if (last === null) break;
      after = last;
    }
    await blankRuns(engine, claimed, [customer]);
    return { status: "done", output: {} };
  };
}

/** Customers that were merged into this one held the same person's data; each is erased by a command of its own. */
async function eraseMerged(
  pool: Pool,
  engine: Pick<Engine, "submit">,
  { lane, organization }: Claimed,
  customer: string,
): Promise<void> {
  const { rows } = await pool.query<{ id: string }>(
    "select id from customers where lane = $1 and organization = $2 and merged_into = $3 and erased_at is null",
    [lane, organization, customer],
  );
  for (const { id } of rows) {
    await engine.submit({
      place: { lane, organization },
      type: "customer.erase",
      input: { customer: id },
      actor: { kind: "system", id: null },
      work: "bulk",
    });
  }
}

function blankConversations(
  engine: Pick<Engine, "inLane">,
  { lane, organization }: Claimed,
  customer: string,
  after: string | null,
): Promise<string[]> {
  return engine.inLane(lane, async (tx) => {
    const { rows } = await tx.query<{ id: string }>(
      `update conversations set address = '', other_channels = '{}', subject = null, properties = '{}'
where lane = $1 and organization = $2 and id in (
  select id from conversations where lane = $1 and organization = $2 and customer = $3 and ($4::uuid is null or id > $4)
  order by id limit $5)
returning id`,
      [lane, organization, customer, after, slice],
    );
    const ids = rows.map((row) => row.id).toSorted();
    const messages = await tx.query<{ id: string }>(
      `update messages set address = null, text = '', media = '[]', delivery_error = null
where lane = $1 and organization = $2 and conversation = any($3) returning id`,
      [lane, organization, ids],
    );
    await tx.query(
      `update effects set payload = payload || '{"text":"","to":"","media":[]}',
  status = 'dead', last_error = '{"code":"customer_erased","message":"The customer was erased"}'
where lane = $1 and organization = $2 and order_key = any($3)`,
      [lane, organization, ids],
    );
    await tx.query("delete from recorded_deliveries where lane = $1 and organization = $2 and message = any($3)", [
      lane,
      organization,
      messages.rows.map((row) => row.id),
    ]);
    await blankRunRows(tx, lane, organization, ids);
    return ids;
  });
}

/** One slice of the customer's log rows; answers the last number it saw, null when none were left. */
function blankLog(
  engine: Pick<Engine, "inLane">,
  { lane, organization }: Claimed,
  customer: string,
  after: number,
): Promise<number | null> {
  return engine.inLane(lane, async (tx) => {
    const { rows } = await tx.query<{ seq: number; at: string; events: StoredEvent[] }>(
      `select seq, at, events from log where lane = $1 and organization = $2 and customer = $3 and seq > $4 order by seq limit $5`,
      [lane, organization, customer, after, slice],
    );
    for (const row of rows) {
      await tx.query("update log set events = $1 where lane = $2 and seq = $3", [
        JSON.stringify(blankEvents(row.events)),
        lane,
        row.seq,
      ]);
    }
    return rows.at(-1)?.seq ?? null;
  });
}

function blankRuns(
  engine: Pick<Engine, "inLane">,
  { lane, organization }: Claimed,
  subjects: readonly string[],
): Promise<void> {
  return engine.inLane(lane, (tx) => blankRunRows(tx, lane, organization, subjects));
}

/** What steps took in and gave out is personal; that they ran, and when, is not. */
async function blankRunRows(
  tx: PoolClient,
  lane: number,
  organization: string,
  subjects: readonly string[],
): Promise<void> {
  for (const [table, type] of [
    ["runs", "jsonb"],
    ["runs_history", "json"],
  ]) {
    await tx.query(
      `update ${table} set inputs = '{}', outputs = null, steps = coalesce((
  select jsonb_agg(step - 'input' - 'output' || '{"erased":true}') from jsonb_array_elements(steps::jsonb) step), '[]')::${type}
where lane = $1 and organization = $2 and subject = any($3)`,
      [lane, organization, subjects],
    );
  }
}
