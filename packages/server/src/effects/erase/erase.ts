import type { Pool } from "pg";
import type { Engine } from "../../lanes/engine.ts";
import type { Claimed } from "../claim.ts";
import type { Performer } from "../performer.ts";
import { blankConversations } from "./conversations.ts";
import { endEffects } from "./effects.ts";
import { blankLog } from "./log.ts";
import { blankNotes } from "./notes.ts";
import { dropFromJobs } from "./jobs.ts";
import { blankParked } from "./parked.ts";
import { blankLeftover, blankReceipts, dropBeside, dropRecorded } from "./rest.ts";
import { blankRuns } from "./runs.ts";
import { type Sweep, sweepOf, SweepEnded } from "./sweep.ts";

/** How long an outcome that a worker has in hand is waited for before it is asked for again. */
const againMs = 3000;

/**
 * The rest of `customer.erase` (GDPR): the command blanked the customer; this blanks what was said, done and logged
 * before, by the marks of the schemas (DESIGN section 16), in slices that each hold the lane briefly. Every part may be
 * done twice, so a killed worker's work is simply done again.
 *
 * Tags, topics, properties and notes go whole: whether free words name somebody only a person could judge, and what is
 * kept by mistake cannot be taken back. For the same reason words in rows of others are left: a tag on somebody else's
 * conversation is that person's.
 *
 * What arrives meanwhile is erased too: commands take no words for an erased customer, what is performed just now is
 * waited for, and runs are blanked again after all of that has come in.
 */
export function blankCustomer(pool: Pool, engine: Pick<Engine, "submit" | "settle" | "inLane">): Performer {
  return async (claimed, signal) => {
    try {
      const ended = await sweep(pool, engine, claimed, sweepOf(pool, engine, claimed, signal));
      if (ended) return { status: "done", output: {} };
      const error = { code: "effects_under_way", message: "The outcome of what was asked for is waited for" };
      return { status: "retry", error, afterMs: againMs };
    } catch (error) {
      if (!(error instanceof SweepEnded)) throw error;
      return { status: "retry", error: { code: "stopping", message: error.message }, afterMs: 0 };
    }
  };
}

/** One pass over everything; false when it must be gone over again, as something is still under way. */
async function sweep(
  pool: Pool,
  engine: Pick<Engine, "submit" | "settle" | "inLane">,
  claimed: Claimed,
  own: Sweep,
): Promise<boolean> {
  await eraseMerged(pool, engine, claimed, own.customer);
  const conversations = await blankConversations(own);
  await blankNotes(own);
  const subjects = [own.customer, ...conversations];
  await blankLog(own);
  await blankRuns(own, subjects);
  const left = await endEffects(own, engine, conversations, await until(own, claimed));
  // runs that went on by their failure path, and outcomes that came in while this ran
  await blankRuns(own, subjects);
  await blankParked(own);
  await blankLeftover(own);
  await blankReceipts(own);
  await dropRecorded(own);
  await dropFromJobs(own);
  await dropBeside(own, conversations);
  return !left;
}

/**
 * Up to when effects are ended. What is asked for after the first pass is made of blanks, and may be performed: without
 * an end, a run that asks for something again and again would be followed for ever.
 */
async function until({ lane, organization, inLane }: Sweep, { id, payload }: Claimed): Promise<string> {
  const known = payload["until"] as string | undefined;
  if (known !== undefined) return known;
  return inLane(async (tx) => {
    const { rows } = await tx.query<{ until: string }>(
      `update effects set payload = payload || jsonb_build_object('until', clock_timestamp())
where lane = $1 and organization = $2 and id = $3 returning payload ->> 'until' as until`,
      [lane, organization, id],
    );
    return (rows[0] as { until: string }).until;
  });
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
