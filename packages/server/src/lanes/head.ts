import type { Leftover } from "@threadmill/core";
import type { PoolClient } from "pg";
import type { DueKind } from "./park.ts";

/** How many left-overs, due timers and wakes of each kind a batch takes; fewer while a poisonous one is looked for. */
export type HeadLimits = { readonly [K in DueKind]: number };

/** What stands at the head of a batch. */
export interface Head {
  readonly now: string;
  readonly lastSeq: number;
  /** `config_version` of the organizations that commands came for */
  readonly versions: ReadonlyMap<string, number>;
  readonly leftovers: ReadonlyMap<string, Leftover>;
  /** organizations whose left-over is not taken this time: nothing of theirs may overtake it (MILL law 2) */
  readonly blocked: ReadonlySet<string>;
  readonly timers: readonly { readonly organization: string; readonly run: string; readonly wait: number }[];
  readonly wakes: readonly {
    readonly organization: string;
    readonly kind: "conversation" | "customer";
    readonly id: string;
  }[];
}

/** The lane's last row of the log. */
interface End {
  readonly seq: number;
  readonly count: number;
  readonly at: string;
}

interface HeadRow extends Omit<End, "seq"> {
  readonly lane: number;
  readonly now: string;
  readonly seq: number | null;
  readonly seq_floor: number;
  readonly versions: readonly { readonly organization: string; readonly config_version: number }[] | null;
  readonly leftovers: readonly { readonly organization: string; readonly body: Leftover }[] | null;
  readonly timers: readonly { readonly organization: string; readonly run: string; readonly wait: number }[] | null;
  readonly conversations: readonly { readonly organization: string; readonly id: string }[] | null;
  readonly customers: readonly { readonly organization: string; readonly id: string }[] | null;
}

// One statement, because a batch of one message is as common as one of a thousand and each statement costs it 0.1 ms.
// The clock is read last: what was due by an earlier look is due by this one too, so nothing happens before its instant.
const windowDays = 32;
const headStatement = {
  name: "head",
  text: `select k.lane, e.seq, e.count, e.at, (select seq_floor from lanes s where s.lane = k.lane) as seq_floor,
  (select json_agg(json_build_object('organization', organization, 'config_version', config_version))
    from organizations o where o.lane = k.lane and organization = any($5)) as versions,
  (select json_agg(l) from (select organization, body from leftovers w where w.lane = k.lane order by at, organization) l) as leftovers,
  (select json_agg(t) from (select organization, run, wait from timers w
    where w.lane = k.lane and due_at <= clock_timestamp() order by due_at, run limit $2) t) as timers,
  (select json_agg(c) from (select organization, id from conversations w
    where w.lane = k.lane and wake_at <= clock_timestamp() order by wake_at, id limit $3) c) as conversations,
  (select json_agg(c) from (select organization, id from customers w
    where w.lane = k.lane and wake_at <= clock_timestamp() order by wake_at, id limit $4) c) as customers,
  clock_timestamp() as now
from unnest($1::smallint[]) as k(lane) left join lateral (
  select seq, count, at from log g where g.lane = k.lane and at > now() - interval '${windowDays} days' order by seq desc limit 1) e on true`,
};

/**
 * The log's end in a lane that has been quiet for a month. In any other the months before that are not looked at: with each
 * partition that is, the statement takes longer (0.10 ms at three, 0.45 at seventeen). Instants never go back in a lane.
 */
const logEnd = {
  name: "log_end",
  text: "select seq, count, at from log where lane = $1 order by seq desc limit 1",
};

/** What stands at the heads of the lanes that one transaction carries. */
export type Heads = ReadonlyMap<number, Head>;

/**
 * Asks for everything that is read before anything is decided: the logs' ends, what is due, the settings' versions, the clock.
 * May be sent right behind the lock: each statement sees what was committed when the server takes it up.
 */
export function askHeads(
  client: PoolClient,
  lanes: readonly number[],
  heads: HeadLimits,
  organizations: ReadonlySet<string>,
): Promise<Heads> {
  const asked = readHeads(client, lanes, heads, organizations);
  // whoever awaits it hears of its failure; where the lock was not had, nobody does
  asked.catch(() => {});
  return asked;
}

async function readHeads(
  client: PoolClient,
  lanes: readonly number[],
  heads: HeadLimits,
  organizations: ReadonlySet<string>,
): Promise<Heads> {
  const { rows } = await client.query<HeadRow>({
    ...headStatement,
    values: [lanes, heads.timers, heads.conversations, heads.customers, [...organizations]],
  });
  const read = rows.map(async (row) => [row.lane, await headOf(client, row, heads)] as const);
  return new Map(await Promise.all(read));
}

async function headOf(client: PoolClient, row: HeadRow, heads: HeadLimits): Promise<Head> {
  const end = row.seq === null ? (await client.query<End>({ ...logEnd, values: [row.lane] })).rows[0] : (row as End);
  const leftovers = row.leftovers ?? [];
  return {
    // an item's instant is the later of the database's clock and the lane's last instant
    now: end !== undefined && end.at > row.now ? end.at : row.now,
    // what a left-over of long ago wrote stands further back than is looked: the floor tells of it
    lastSeq: Math.max(row.seq_floor, end === undefined ? 0 : end.seq + end.count - 1),
    versions: new Map((row.versions ?? []).map((each) => [each.organization, each.config_version])),
    leftovers: new Map(leftovers.slice(0, heads.leftovers).map((each) => [each.organization, each.body])),
    blocked: new Set(leftovers.slice(heads.leftovers).map((each) => each.organization)),
    timers: row.timers ?? [],
    wakes: [
      ...(row.conversations ?? []).map((each) => ({ ...each, kind: "conversation" as const })),
      ...(row.customers ?? []).map((each) => ({ ...each, kind: "customer" as const })),
    ],
  };
}

/** Whether what is written at an instant will not be found by `askHead`: a little sooner than that, as time goes on. */
export const isOutOfSight = (at: string, now: string): boolean =>
  Date.parse(now) - Date.parse(at) > (windowDays - 1) * 86_400_000;

/** Whether a batch took as much of something as it may: more of it is probably due. */
export function fullHead({ timers, wakes }: Head, heads: HeadLimits): boolean {
  const full = (count: number, limit: number): boolean => limit > 0 && count >= limit;
  const customers = wakes.filter((each) => each.kind === "customer").length;
  return (
    full(timers.length, heads.timers) ||
    full(wakes.length - customers, heads.conversations) ||
    full(customers, heads.customers)
  );
}
