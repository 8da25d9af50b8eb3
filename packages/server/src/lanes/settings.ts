import type { Actor, Event, Json, Refusal } from "@threadmill/core";
import type { PoolClient } from "pg";
import { freshId } from "./fresh-id.ts";
import type { InLane } from "./hold.ts";
import { eventsText } from "./log-format.ts";
import type { Place } from "./port.ts";

/** What a change of the settings did, for the log, and what its caller wants to know. */
export interface SettingsChanged<T> {
  readonly noun: string;
  readonly id: string;
  readonly before: object | null;
  readonly after: object | null;
  readonly result: T;
  /** what followed from it, each an event of its own behind it */
  readonly consequences?: readonly Consequence[];
}

/** Something that a change of the settings brought about: a workflow that it paused. */
export interface Consequence {
  readonly type: "workflow.paused";
  readonly data: { readonly [name: string]: Json };
}

/** The settings are as they were; what else was written in the transaction stays, such as the answer to a key. */
export interface SettingsUnchanged<T> {
  readonly unchanged: T | Refusal;
}

/** Changes settings within a transaction that holds the lane; `at` is the instant of the change. A refusal rolls back. */
export type ChangeSettings<T> = (
  tx: PoolClient,
  at: string,
) => Promise<SettingsChanged<T> | SettingsUnchanged<T> | Refusal>;

class Refused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/**
 * Changes settings in one transaction that holds the organization's lane, so that no batch runs meanwhile: bumps
 * `config_version`, and appends `settings.changed` with before and after, and what followed from it, to the log; answers
 * how far the lane's log reaches then, or null where it was not added to.
 */
export async function changeSettings<T>(
  inLane: InLane,
  { lane, organization }: Place,
  actor: Actor,
  fn: ChangeSettings<T>,
): Promise<{ ok: true; result: T; seq: number | null } | Refusal> {
  try {
    return await inLane(lane, async (tx) => {
      const at = await instantOf(tx, lane);
      const changed = await fn(tx, at);
      if ("unchanged" in changed) return answerOf(changed.unchanged, null);
      if (!("noun" in changed)) throw new Refused(changed);
      // the second goes out behind the first: for each round trip everything else of the organization waits
      const [, seq] = await Promise.all([
        tx.query("update organizations set config_version = config_version + 1 where lane = $1 and organization = $2", [
          lane,
          organization,
        ]),
        appendEvents(tx, lane, organization, settingsEvents(changed, actor, at)),
      ]);
      return answerOf(changed.result, seq);
    });
  } catch (error) {
    if (error instanceof Refused) return error.refusal;
    throw error;
  }
}

/** Whether a change, or an answer kept of one, is a refusal. */
export const isRefusal = (given: unknown): given is Refusal =>
  typeof given === "object" && given !== null && "ok" in given && given.ok === false;

const answerOf = <T>(given: T | Refusal, seq: number | null): { ok: true; result: T; seq: number | null } | Refusal =>
  isRefusal(given) ? given : { ok: true, result: given, seq };

/** The later of the database's clock and the lane's last instant. */
async function instantOf(tx: PoolClient, lane: number): Promise<string> {
  const { rows } = await tx.query<{ at: string }>(
    "select greatest(clock_timestamp(), (select at from log where lane = $1 order by seq desc limit 1)) as at",
    [lane],
  );
  return (rows[0] as { at: string }).at;
}

function settingsEvents(changed: SettingsChanged<unknown>, actor: Actor, at: string): [Event, ...Event[]] {
  const id = freshId(Date.parse(at));
  const data = {
    noun: changed.noun,
    id: changed.id,
    before: (changed.before ?? null) as Json,
    after: (changed.after ?? null) as Json,
  };
  const common = { at, actor, root: id, depth: 0, refs: {}, changes: [] };
  return [
    { ...common, id, type: "settings.changed", cause: {}, data },
    ...(changed.consequences ?? []).map((each) => ({
      ...common,
      ...each,
      id: freshId(Date.parse(at)),
      cause: { event: id },
    })),
  ];
}

/** Appends events of one instant after the lane's last, as one row; answers the last one's number. The caller holds the lane. */
async function appendEvents(
  tx: PoolClient,
  lane: number,
  organization: string,
  events: readonly [Event, ...Event[]],
): Promise<number> {
  const [first] = events;
  const { rows } = await tx.query<{ last: number }>(
    `insert into log (lane, seq, at, organization, root, customer, count, events)
values ($1, coalesce((select seq + count from log where lane = $1 order by seq desc limit 1), (select seq_floor + 1 from lanes where lane = $1)),
  $2, $3, $4, null, $5, $6) returning seq + count - 1 as last`,
    [lane, first.at, organization, first.root, events.length, eventsText(events)],
  );
  return (rows[0] as { last: number }).last;
}
