import { type Config, type Item, type Key, type Leftover, needsOf, prepare, process as mill, type Output } from "@threadmill/core";
import type { PoolClient } from "pg";
import { type Admitted, batchLimits, type Settlement } from "./admission.ts";
import { type BrokenWorkflow, type CachedConfig, loadConfig, loadVersions } from "./configs.ts";
import { load, LoadedWorld } from "./loader.ts";
import type { DueKind } from "./park.ts";
import { flush, type Part, plan, writeLeftovers } from "./writer.ts";

/** What a batch transaction needs from the process around it. */
export interface BatchContext {
  readonly configs: Map<string, CachedConfig>;
  readonly onBroken: (broken: BrokenWorkflow & { readonly organization: string }) => void;
  /** operations of the mill for each organization in the batch */
  readonly slice: number;
}

/** What a batch did, for those who wait for it. Valid only once the commit is known to have taken place. */
export interface BatchResult {
  readonly parts: readonly Part[];
  /** those whose command was not reached: the slice or a need cut the batch before it */
  readonly notReached: { readonly admitted: readonly Admitted[]; readonly settlements: readonly Settlement[] };
  /** those that name an organization which does not live in this lane */
  readonly strangers: readonly Admitted[];
  /** whether more is due in this lane right now */
  readonly more: boolean;
  readonly items: number;
  readonly rows: number;
  readonly events: number;
  readonly effects: number;
  readonly at: string;
}

interface Head {
  readonly now: string;
  readonly lastSeq: number;
  readonly leftovers: ReadonlyMap<string, Leftover>;
  /** organizations whose left-over is not taken this time: nothing of theirs may overtake it (MILL law 2) */
  readonly blocked: ReadonlySet<string>;
  readonly timers: readonly { readonly organization: string; readonly run: string; readonly wait: number }[];
  readonly wakes: readonly { readonly organization: string; readonly kind: "conversation" | "customer"; readonly id: string }[];
}

/** How many left-overs, due timers and wakes of each kind a batch takes; fewer while a poisonous one is looked for. */
export type HeadLimits = { readonly [K in DueKind]: number };

/** After this many rounds of loading, what is decided is committed; the head item alone may take as many as it needs. */
const roundsBeforeCommit = 3;
/** An item whose needs never end is a bug; its read cap would have stopped it long before. */
const roundsAtMost = 100;

/**
 * One batch of a lane inside an open transaction that holds the lane's row: take, load, process, write. Everything that
 * is not pure is here; everything that decides is in the mill.
 */
export async function runBatch(
  client: PoolClient,
  lane: number,
  taken: { readonly admitted: readonly Admitted[]; readonly settlements: readonly Settlement[] },
  context: BatchContext,
  heads: HeadLimits = batchLimits,
): Promise<BatchResult> {
  const head = await readHead(client, lane, heads);
  const { work, strangers } = await gather(client, lane, head, taken, context);
  const parts: Part[] = [];
  const reached = new Set<unknown>(strangers);
  let more = head.blocked.size > 0;
  for (const each of work) {
    const output = await grind(client, lane, each, context);
    parts.push({ world: each.world, output });
    for (let index = 0; index < output.done; index += 1) reached.add(each.sources[index]);
    if (output.leftover !== null || output.done < each.items.length) more = true;
  }
  const written = plan(parts, head.lastSeq + 1, head.now);
  await flush(client, lane, written);
  await writeLeftovers(client, lane, parts, head.leftovers, head.now);
  // where nothing could be written, asking again at once would only spin
  if (written.rows > 0 && fullHead(head, heads)) more = true;
  return {
    parts,
    strangers,
    notReached: {
      admitted: taken.admitted.filter((each) => !reached.has(each)),
      settlements: taken.settlements.filter((each) => !reached.has(each)),
    },
    more,
    items: parts.reduce((sum, part) => sum + part.output.done, 0),
    rows: written.rows,
    events: written.lastSeq - head.lastSeq,
    effects: parts.reduce((sum, part) => sum + [...part.output.writes.keys()].filter((name) => name.startsWith("effects/")).length, 0),
    at: head.now,
  };
}

/** Whether a batch took as much of something as it may: more of it is probably due. */
function fullHead({ timers, wakes }: Head, heads: HeadLimits): boolean {
  const full = (count: number, limit: number): boolean => limit > 0 && count >= limit;
  const customers = wakes.filter((each) => each.kind === "customer").length;
  return full(timers.length, heads.timers) || full(wakes.length - customers, heads.conversations) || full(customers, heads.customers);
}

/** Everything that is read before anything is decided: the log's end, what is due, the clock. Sent in one go. */
async function readHead(client: PoolClient, lane: number, heads: HeadLimits): Promise<Head> {
  const ask = <T>(name: string, text: string, more: unknown[] = []) => client.query<T & object>({ name, text, values: [lane, ...more] });
  const [last, leftovers, timers, conversations, customers, clock] = await Promise.all([
    ask<{ seq: number; count: number; at: string }>("head_log", "select seq, count, at from log where lane = $1 order by seq desc limit 1"),
    ask<{ organization: string; body: Leftover }>("head_leftovers", "select organization, body from leftovers where lane = $1 order by at, organization"),
    ask<{ organization: string; run: string; wait: number }>(
      "head_timers",
      "select organization, run, wait from timers where lane = $1 and due_at <= clock_timestamp() order by due_at, run limit $2",
      [heads.timers],
    ),
    ask<{ organization: string; id: string }>(
      "head_wakes",
      "select organization, id from conversations where lane = $1 and wake_at <= clock_timestamp() order by wake_at, id limit $2",
      [heads.conversations],
    ),
    ask<{ organization: string; id: string }>(
      "head_customer_wakes",
      "select organization, id from customers where lane = $1 and wake_at <= clock_timestamp() order by wake_at, id limit $2",
      [heads.customers],
    ),
    // the clock last: what was due by an earlier look is due by this one too, so nothing happens before its instant
    client.query<{ now: string }>({ name: "head_clock", text: "select clock_timestamp() as now" }),
  ]);
  const end = last.rows[0];
  const floor = end === undefined ? (await ask<{ seq_floor: number }>("head_floor", "select seq_floor from lanes where lane = $1")).rows[0] : undefined;
  const now = (clock.rows[0] as { now: string }).now;
  return {
    // an item's instant is the later of the database's clock and the lane's last instant
    now: end !== undefined && end.at > now ? end.at : now,
    lastSeq: end === undefined ? (floor?.seq_floor ?? 0) : end.seq + end.count - 1,
    leftovers: new Map(leftovers.rows.slice(0, heads.leftovers).map((row) => [row.organization, row.body])),
    blocked: new Set(leftovers.rows.slice(heads.leftovers).map((row) => row.organization)),
    timers: timers.rows,
    wakes: [
      ...conversations.rows.map((row) => ({ ...row, kind: "conversation" as const })),
      ...customers.rows.map((row) => ({ ...row, kind: "customer" as const })),
    ],
  };
}

interface Work {
  readonly world: LoadedWorld;
  readonly config: CachedConfig;
  readonly leftover: Leftover | null;
  readonly items: Item[];
  /** whoever an item came from, at the same place as the item */
  readonly sources: unknown[];
}

/** Sorts what is to be done by organization, in the order of a batch: commands, settled effects, timers, wakes. */
async function gather(
  client: PoolClient,
  lane: number,
  head: Head,
  taken: { readonly admitted: readonly Admitted[]; readonly settlements: readonly Settlement[] },
  context: BatchContext,
): Promise<{ readonly work: readonly Work[]; readonly strangers: readonly Admitted[] }> {
  const lists = new Map<string, { readonly items: Item[]; readonly sources: unknown[] }>();
  const add = (organization: string, item: Item | null, source: unknown): void => {
    if (head.blocked.has(organization)) return;
    let list = lists.get(organization);
    if (list === undefined) lists.set(organization, (list = { items: [], sources: [] }));
    if (item === null) return;
    list.items.push(item);
    list.sources.push(source);
  };
  const at = head.now;
  const places = [...taken.admitted, ...taken.settlements].map((each) => each.place.organization);
  const organizations = new Set([...head.leftovers.keys(), ...places, ...[...head.timers, ...head.wakes].map((each) => each.organization)]);
  const configs = await freshConfigs(client, lane, [...organizations], context);
  for (const organization of head.leftovers.keys()) add(organization, null, null);
  const strangers = taken.admitted.filter((each) => !configs.has(each.place.organization));
  for (const each of taken.admitted) {
    const config = configs.get(each.place.organization);
    if (config !== undefined) add(each.place.organization, commandItem(each, at, config), each);
  }
  for (const each of taken.settlements) add(each.place.organization, { ...each.item, at }, each);
  for (const { organization, run, wait } of head.timers) add(organization, { kind: "timer", at, run, wait }, null);
  for (const { organization, kind, id } of head.wakes) add(organization, { kind: "wake", at, subject: { kind, id } }, null);
  const work: Work[] = [];
  for (const [organization, { items, sources }] of lists) {
    const config = configs.get(organization);
    if (config === undefined) throw new Error(`the organization ${organization} is not in lane ${lane}`);
    work.push({ world: new LoadedWorld(organization), config, leftover: head.leftovers.get(organization) ?? null, items, sources });
  }
  const wanted = new Map(work.map((each) => [each.world, firstNeeds(each)]));
  await load(client, lane, wanted);
  return { work, strangers };
}

/** A command as an item; its input is brought to its normal form under the settings of this batch. */
function commandItem({ id, key, command }: Admitted, at: string, config: CachedConfig): Item {
  const own = { kind: "command" as const, id, at, ...(key !== undefined && { key }) };
  const prepared = prepare(command.type, command.input, config.settings);
  return prepared.ok ? { ...own, command: { ...command, input: prepared.input } } : { ...own, command, refusal: prepared };
}

/** The configurations of the organizations in a batch; a stale one is loaded again first. */
async function freshConfigs(client: PoolClient, lane: number, organizations: readonly string[], context: BatchContext): Promise<Map<string, CachedConfig>> {
  const versions = await client.query<{ organization: string; config_version: number }>({
    name: "head_configs",
    text: "select organization, config_version from organizations where lane = $1 and organization = any($2)",
    values: [lane, organizations],
  });
  const fresh = new Map<string, CachedConfig>();
  for (const { organization, config_version } of versions.rows) {
    let config = context.configs.get(organization) ?? null;
    if (config === null || config.version !== config_version) {
      config = await loadConfig(client, lane, organization, (broken) => context.onBroken({ ...broken, organization }));
      if (config !== null) context.configs.set(organization, config);
    }
    if (config !== null) fresh.set(organization, config);
  }
  return fresh;
}

/** The bundles that the items name themselves. */
function firstNeeds({ items, leftover, config }: Work): Set<Key> {
  const keys = new Set<Key>(config.standingNeeds);
  for (const id of leftover?.queue ?? []) keys.add(`runs/${id}`);
  for (const name of leftover?.reads ?? []) keys.add(name);
  for (const item of items) {
    if (item.kind === "command") {
      if (item.key !== undefined) keys.add(`receipt/${item.key}`);
      if (item.refusal !== undefined) continue;
      for (const name of needsOf(item.command, config.settings)) keys.add(name);
    } else if (item.kind === "settled") keys.add(`effects/${item.effect}`);
    else if (item.kind === "timer") keys.add(`runs/${item.run}`);
    else keys.add(`${item.subject.kind}s/${item.subject.id}`);
  }
  return keys;
}

/** Runs the mill over one organization's items, loading what it turns out to lack. */
async function grind(client: PoolClient, lane: number, work: Work, context: BatchContext): Promise<Output> {
  const world = Object.assign(Object.create(work.world) as LoadedWorld, {
    leftover: work.leftover,
    get: (name: Key) => work.world.get(name),
  });
  for (let round = 1; ; round += 1) {
    const output = mill(work.world.organization, work.items, world, work.config as Config, context.slice);
    if (output.needs.length === 0) return output;
    const progressed = output.done > 0 || (work.leftover !== null && output.leftover !== work.leftover);
    if (round >= roundsBeforeCommit && progressed) return output;
    if (round >= roundsAtMost) throw new Error(`the needs of an item do not end: ${output.needs.slice(0, 5).join(", ")}`);
    const versions = output.needs.filter((name) => name.startsWith("version/"));
    if (versions.length > 0) {
      const ids = versions.map((name) => name.slice("version/".length));
      await loadVersions(client, lane, work.world.organization, work.config, ids);
      for (const id of ids) if ((work.config.older.get(id) ?? null) === null) work.world.rows.set(`version/${id}`, null);
    }
    await load(client, lane, new Map([[work.world, output.needs.filter((name) => !name.startsWith("version/"))]]));
  }
}
