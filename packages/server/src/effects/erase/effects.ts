import type { Engine } from "../../lanes/engine.ts";
import type { Sweep } from "./sweep.ts";

/** What the effects of an erased customer end with; a person cannot have one tried again. */
export const erasedError = { code: "customer_erased", message: "The customer was erased" } as const;

/** As bulk work: what others wait for is not to stand behind a customer of a thousand messages. */
const settledAtATime = 50;

interface Asked {
  readonly id: string;
  readonly attempt: number;
  readonly status: "due" | "dead";
  readonly held: boolean;
}

/**
 * Ends what was asked of the outside world for the customer before `until`: what nobody performs right now is settled as
 * failed, through the lane, so that a run which awaits it goes on by its failure path. What was given up is blanked.
 * Answers whether some are left, since a worker has them in hand: their outcome is news that must be waited for.
 */
export async function endEffects(
  sweep: Sweep,
  engine: Pick<Engine, "settle">,
  conversations: readonly string[],
  until: string,
): Promise<boolean> {
  const place = { lane: sweep.lane, organization: sweep.organization };
  const outcome = { status: "failed" as const, error: erasedError };
  const due = (await askedFor(sweep, conversations, until)).filter(({ status }) => status === "due");
  const free = due.filter(({ held }) => !held);
  for (let from = 0; from < free.length; from += settledAtATime) {
    const these = free.slice(from, from + settledAtATime);
    await Promise.all(these.map(({ id, attempt }) => engine.settle(place, { effect: id, attempt, outcome })));
  }
  const left = await askedFor(sweep, conversations, until);
  await blankDead(
    sweep,
    left.filter(({ status }) => status === "dead").map(({ id }) => id),
  );
  return left.some(({ status }) => status === "due");
}

/** The job that erases is about the customer too, and is none of these. */
async function askedFor(sweep: Sweep, conversations: readonly string[], until: string): Promise<readonly Asked[]> {
  const { lane, organization, customer } = sweep;
  const { rows } = await sweep.aside((pool) =>
    pool.query<Asked>(
      `select id, attempt, status, lease_until is not null and lease_until > clock_timestamp() as held from effects e
where lane = $1 and organization = $2 and kind <> 'customer.blank' and (status = 'dead' or created_at <= $5)
  and (refs ->> 'customer' = $3::text or refs ->> 'conversation' = any($4::text[]) or run in (
    select id from runs where lane = $1 and organization = $2 and subject = any($3::uuid || $4::uuid[])))`,
      [lane, organization, customer, conversations, until],
    ),
  );
  return rows;
}

function blankDead({ lane, organization, inLane }: Sweep, ids: readonly string[]): Promise<unknown> {
  return inLane((tx) =>
    tx.query(
      `update effects set payload = '{}', last_error = $4
where lane = $1 and organization = $2 and id = any($3) and status = 'dead'`,
      [lane, organization, ids, JSON.stringify(erasedError)],
    ),
  );
}
