import { type Item, type Key, type Leftover, needsOf, prepare, process as mill, type Output } from "@threadmill/core";
import type { PoolClient } from "pg";
import { systemCode } from "../db/fault.ts";
import type { Trailing } from "../db/transaction.ts";
import type { Admitted, Settlement, Taken } from "./admission.ts";
import type { Births } from "./births.ts";
import { type BrokenWorkflow, type CachedConfig, freshConfig, loadVersions } from "./configs.ts";
import { askHeads, fullHead, type Head, type HeadLimits, type Heads, isOutOfSight } from "./head.ts";
import { load, LoadedWorld } from "./loader.ts";
import { type BatchReceipt, BatchWriter, LaneWriter } from "./writer.ts";

/** What a batch transaction needs from the process around it. */
export interface BatchContext {
  readonly configs: Map<string, CachedConfig>;
  readonly onBroken: (broken: BrokenWorkflow & { readonly organization: string }) => void;
  /** operations of the mill for each organization in the batch */
  readonly slice: number;
}

/** What is told of an output: all else of it is sent, and would only be kept from the garbage until COMMIT is answered. */
export type Told = Pick<Output, "replies" | "poisoned" | "leftover">;

/** What a batch did, for those who wait for it. Valid only once the commit is known to have taken place. */
export interface BatchResult {
  readonly outputs: readonly Told[];
  /** how many runs were put, by their status */
  readonly runs: ReadonlyMap<string, number>;
  /** what the mill did */
  readonly operations: number;
  /** those whose command was not reached: the slice or a need cut the batch before it */
  readonly notReached: { readonly admitted: readonly Admitted[]; readonly settlements: readonly Settlement[] };
  /** those that name an organization which does not live in this lane */
  readonly strangers: readonly Admitted[];
  /** whether more is due in this lane right now */
  readonly more: boolean;
  readonly items: number;
  readonly rows: number;
  readonly events: number;
  /** the number of the lane's last event so far */
  readonly lastSeq: number;
  /** those whose log was added to */
  readonly logged: ReadonlySet<string>;
  /** its own receipt; null where no command was answered */
  readonly receipt: BatchReceipt | null;
  /** whether it left effects that may go and that this process does not hold */
  readonly effectsLeft: boolean;
  readonly at: string;
}

/**
 * So many items are decided before what they leave is sent, so that the database writes it while the mill decides the next.
 */
const itemsAtOnce = 150;
/** After this many rounds of loading, what is decided is committed; the head item alone may take as many as it needs. */
const roundsBeforeCommit = 3;
/** An item whose needs never end is a bug; its read cap would have stopped it long before. */
const roundsAtMost = 100;

/** What a batch is to carry. */
export interface BatchOrder {
  readonly lane: number;
  /** its own id, for its receipt */
  readonly id: string;
  readonly taken: Taken;
  /** the same for all batches of one transaction */
  readonly heads: HeadLimits;
  readonly births: Births;
}

/** A batch on its way. */
interface Batch {
  readonly order: BatchOrder;
  readonly head: Head;
  readonly work: readonly Work[];
  readonly strangers: readonly Admitted[];
  readonly writer: LaneWriter;
  readonly outputs: Told[];
  items: number;
  operations: number;
  readonly logged: Set<string>;
  readonly reached: Set<unknown>;
  more: boolean;
  receipt: BatchReceipt | null;
}

/**
 * Batches of one or of several lanes inside an open transaction that holds the rows of all of them: take, load, process, write.
 * Everything that is not pure is here; everything that decides is in the mill. Several lanes share what they read and
 * write, a statement a table; nothing else of one touches another's.
 */
export async function runBatches(
  client: PoolClient,
  orders: readonly BatchOrder[],
  context: BatchContext,
  /** where they were asked for ahead */
  asked?: Promise<Heads>,
): Promise<Trailing<ReadonlyMap<number, BatchResult>>> {
  const heads = await (asked ?? askHeads(client, lanesOf(orders), limitsOf(orders), callersOf(orders)));
  const writer = new BatchWriter(client);
  const batches: Batch[] = [];
  for (const order of orders) {
    const head = heads.get(order.lane) as Head;
    const { work, strangers } = await gather(client, order, head, context);
    batches.push({
      order,
      head,
      work,
      strangers,
      writer: new LaneWriter(writer, order.lane, { lastSeq: head.lastSeq, at: head.now }, order.births),
      outputs: [],
      items: 0,
      operations: 0,
      logged: new Set(),
      reached: new Set(strangers),
      more: head.blocked.size > 0,
      receipt: null,
    });
  }
  await load(
    client,
    new Map(batches.flatMap(({ work }) => work.map((each) => [each.world, firstNeeds(each)] as const))),
  );
  try {
    const pace = { sinceFlush: 0 };
    for (const batch of batches) await decide(client, batch, writer, pace, context);
    for (const batch of batches) batch.receipt = batch.writer.receipt(batch.order.id);
    await writer.flush();
    for (const { head, writer: own } of batches) {
      // its events are of the instant at which it began, which may be long ago where nothing ran since
      if ([...head.leftovers.values()].some(({ at }) => isOutOfSight(at, head.now))) own.keepFloor();
      own.claimNext();
    }
  } catch (error) {
    throw await causeOf(error, writer.sent);
  }
  return { result: new Map(batches.map((batch) => [batch.order.lane, resultOf(batch)])), sent: writer.sent };
}

const lanesOf = (orders: readonly BatchOrder[]): readonly number[] => orders.map((each) => each.lane);
const limitsOf = ([first]: readonly BatchOrder[]): HeadLimits => (first as BatchOrder).heads;
const callersOf = (orders: readonly BatchOrder[]): ReadonlySet<string> =>
  new Set(
    orders.flatMap(({ taken }) => [...taken.admitted, ...taken.settlements].map((each) => each.place.organization)),
  );

/** Decides a batch, and gathers what it leaves; what has gathered is sent now and then. */
async function decide(
  client: PoolClient,
  batch: Batch,
  writer: BatchWriter,
  pace: { sinceFlush: number },
  context: BatchContext,
): Promise<void> {
  const { head, work, outputs, logged, reached } = batch;
  for (const each of work) {
    let done = 0;
    for await (const output of grind(client, each, context, () => writer.flush())) {
      await batch.writer.add(each.world, output);
      const { replies, poisoned, leftover, needs } = output;
      // where all is decided, nobody looks at the world again
      if (needs.length === 0 && done + output.done >= each.items.length) each.world.leftover = leftover;
      else each.world.advance(output);
      outputs.push({ replies, poisoned, leftover });
      batch.items += output.done;
      batch.operations += output.operations;
      if (output.events.length > 0) logged.add(each.world.organization);
      for (let index = 0; index < output.done; index += 1) reached.add(each.sources[done + index]);
      done += output.done;
      pace.sinceFlush += output.done;
      if (pace.sinceFlush < itemsAtOnce) continue;
      await writer.flush();
      pace.sinceFlush = 0;
    }
    if (each.world.leftover !== null || done < each.items.length) batch.more = true;
    if (each.world.leftover !== null || head.leftovers.has(each.world.organization)) batch.writer.leftover(each.world);
  }
}

function resultOf({
  order,
  head,
  writer,
  outputs,
  strangers,
  reached,
  logged,
  receipt,
  more,
  items,
  operations,
}: Batch): BatchResult {
  const { taken, heads, births } = order;
  return {
    outputs,
    strangers,
    notReached: {
      admitted: taken.admitted.filter((each) => !reached.has(each)),
      settlements: taken.settlements.filter((each) => !reached.has(each)),
    },
    // where nothing could be written, asking again at once would only spin
    more: more || (writer.rows > 0 && fullHead(head, heads)),
    items,
    operations,
    runs: writer.runs,
    rows: writer.rows,
    events: writer.lastSeq - head.lastSeq,
    lastSeq: writer.lastSeq,
    logged,
    receipt,
    effectsLeft: births.left,
    at: head.now,
  };
}

/** What a failed batch failed of: a statement that is refused because an earlier one was, says nothing of the reason. */
async function causeOf(thrown: unknown, sent: readonly Promise<unknown>[]): Promise<unknown> {
  if (systemCode(thrown) !== "25P02") return thrown;
  const answers = await Promise.allSettled(sent);
  return answers.find((each) => each.status === "rejected")?.reason ?? thrown;
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
  { lane, taken }: BatchOrder,
  head: Head,
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
  const organizations = new Set([
    ...head.leftovers.keys(),
    ...places,
    ...[...head.timers, ...head.wakes].map((each) => each.organization),
  ]);
  const configs = await freshConfigs(client, lane, organizations, head.versions, context);
  for (const organization of head.leftovers.keys()) add(organization, null, null);
  const strangers = taken.admitted.filter((each) => !configs.has(each.place.organization));
  for (const each of taken.admitted) {
    const config = configs.get(each.place.organization);
    if (config !== undefined) add(each.place.organization, commandItem(each, at, config), each);
  }
  for (const each of taken.settlements) add(each.place.organization, { ...each.item, at }, each);
  for (const { organization, run, wait } of head.timers) add(organization, { kind: "timer", at, run, wait }, null);
  for (const { organization, kind, id } of head.wakes)
    add(organization, { kind: "wake", at, subject: { kind, id } }, null);
  const work: Work[] = [];
  for (const [organization, { items, sources }] of lists) {
    const config = configs.get(organization);
    if (config === undefined) throw new Error(`the organization ${organization} is not in lane ${lane}`);
    work.push({
      world: new LoadedWorld({ lane, organization }, head.leftovers.get(organization)),
      config,
      leftover: head.leftovers.get(organization) ?? null,
      items,
      sources,
    });
  }
  return { work, strangers };
}

/** A command as an item; its input is brought to its normal form under the settings of this batch. */
function commandItem({ id, key, fingerprint, command }: Admitted, at: string, config: CachedConfig): Item {
  const own = {
    kind: "command" as const,
    id,
    at,
    ...(key !== undefined && { key }),
    ...(fingerprint !== undefined && { fingerprint }),
  };
  const prepared = prepare(command.type, command.input, config.settings);
  return prepared.ok
    ? { ...own, command: { ...command, input: prepared.input } }
    : { ...own, command, refusal: prepared };
}

/** The configurations of the organizations in a batch; a stale one is loaded again first. */
async function freshConfigs(
  client: PoolClient,
  lane: number,
  organizations: ReadonlySet<string>,
  known: ReadonlyMap<string, number>,
  context: BatchContext,
): Promise<Map<string, CachedConfig>> {
  const versions = new Map(known);
  const others = [...organizations].filter((organization) => !known.has(organization));
  if (others.length > 0) {
    const { rows } = await client.query<{ organization: string; config_version: number }>({
      name: "config_versions",
      text: "select organization, config_version from organizations where lane = $1 and organization = any($2)",
      values: [lane, others],
    });
    for (const row of rows) versions.set(row.organization, row.config_version);
  }
  const fresh = new Map<string, CachedConfig>();
  for (const [organization, config_version] of versions) {
    const onBroken = (broken: BrokenWorkflow): void => context.onBroken({ ...broken, organization });
    const config = await freshConfig(client, context.configs, { lane, organization }, config_version, onBroken);
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

/**
 * Runs the mill over one organization's items, some at a time, and loads what it turns out to lack. Each output is what the
 * database is to be told of before the next; the world must have been advanced by it.
 */
async function* grind(
  client: PoolClient,
  work: Work,
  context: BatchContext,
  flush: () => Promise<void>,
): AsyncGenerator<Output> {
  const { world, items, config } = work;
  const { lane, organization } = world;
  let { slice } = context;
  let done = 0;
  let rounds = 0;
  for (;;) {
    const { leftover } = world;
    const output = mill(organization, items.slice(done, done + itemsAtOnce), world, config, slice);
    const progressed = output.done > 0 || output.leftover !== leftover;
    if (progressed) {
      yield output;
      done += output.done;
      slice -= output.operations;
    }
    if (output.needs.length === 0) {
      if (world.leftover !== null || slice <= 0 || done >= items.length) return;
      continue;
    }
    rounds += 1;
    if (rounds >= roundsBeforeCommit && (done > 0 || world.leftover !== work.leftover)) return;
    if (rounds >= roundsAtMost)
      throw new Error(`the needs of an item do not end: ${output.needs.slice(0, 5).join(", ")}`);
    // what is read next must be found as it stands with all that was decided: a list that was not loaded is nowhere else
    await flush();
    const versions = output.needs.filter((name) => name.startsWith("version/"));
    if (versions.length > 0) {
      const ids = versions.map((name) => name.slice("version/".length));
      const onBroken = (broken: BrokenWorkflow): void => context.onBroken({ ...broken, organization });
      const gone = await loadVersions(client, { lane, organization }, config, ids, onBroken);
      for (const id of gone) world.rows.set(`version/${id}`, null);
    }
    await load(client, new Map([[world, output.needs.filter((name) => !name.startsWith("version/"))]]));
  }
}
