import { setImmediate as nextTurn } from "node:timers/promises";
import type { EffectRow, Event, Item, Output, Run } from "@threadmill/core";
import { tableOf } from "@threadmill/core";
import type { PoolClient, QueryConfig } from "pg";
import { Births } from "./births.ts";
import { copyRows } from "./copy.ts";
import type { LoadedWorld } from "./loader.ts";
import { isKept } from "./park.ts";
import type { OwnRow } from "./row-text.ts";
import {
  copyInto,
  insertEffectsIfFirst,
  insertLog,
  insertParked,
  insertReceipts,
  narrowUpdates,
  type Statement,
  write,
} from "./statements.ts";
import type { WorldTableName } from "./tables.ts";

interface Merged {
  readonly lane: number;
  readonly organization: string;
  readonly from: string;
  readonly into: string;
}

/** Where a batch's own receipt stands in its lane. */
export interface BatchReceipt {
  readonly organization: string;
  readonly id: string;
}

/** What a batch's own receipt says in the place of a command's answer. */
const ofBatch = { ok: true, result: { batch: true } };

const final = (run: Run): boolean => run.status !== "queued" && run.status !== "waiting";

/**
 * What one transaction writes, of one lane or of several: rows gather by statement, and are sent whenever there are some,
 * without awaiting the answers, so that the database works on them while the mill goes on.
 */
export class BatchWriter {
  /** the answers of what was sent, to be awaited together with COMMIT */
  readonly sent: Promise<unknown>[] = [];
  readonly #client: PoolClient;
  #gathered = new Map<Statement, OwnRow[]>();
  /** whose rows are gathered */
  readonly #organizations = new Set<string>();
  /** told which of the effects that were asked for are held */
  readonly #births = new Set<Births>();
  /** conversations that were merged, in their order, since rows were sent last */
  readonly #merged: Merged[] = [];

  constructor(client: PoolClient) {
    this.#client = client;
  }

  /** Gathers a row. */
  put(statement: Statement, row: OwnRow): void {
    const list = this.#gathered.get(statement);
    if (list === undefined) this.#gathered.set(statement, [row]);
    else list.push(row);
  }

  /** Sends a statement of its own. */
  query(statement: QueryConfig): void {
    this.#expect(this.#client.query(statement));
  }

  /** What waits to leave a merged conversation is to go in the order of the other. */
  merged(conversation: Merged): void {
    this.#merged.push(conversation);
  }

  /** From now on these hear which of the effects that were asked for are held. */
  bear(births: Births): void {
    this.#births.add(births);
  }

  /** Claims what follows the effects that a batch ended; after all else was sent. */
  claimNext(births: Births): void {
    const answer = births.claimNext(this.#client);
    if (answer !== null) this.#expect(answer);
  }

  /** The rows of an organization follow; what was gathered of it before is sent first, as a statement must not hold a row twice. */
  async turnTo(organization: string): Promise<void> {
    if (this.#organizations.has(organization)) await this.flush();
    this.#organizations.add(organization);
  }

  /**
   * Sends what was gathered: deletes first, so that a row may come back under its key, the rest in any order. COPY is parsed
   * and prepared anew each time, so fewer new rows than `copyFrom` go as parameters of a statement that is known.
   */
  async flush(copyFrom = 10): Promise<void> {
    const ordered = [...this.#gathered].toSorted(
      ([a], [b]) => Number(b.name.startsWith("delete")) - Number(a.name.startsWith("delete")),
    );
    this.#gathered = new Map();
    this.#organizations.clear();
    this.#joinQueues();
    for (const [statement, rows] of ordered) {
      this.#send(rows.length < copyFrom ? null : (statement.copy ?? null), statement, rows);
      // lets the socket take this statement, so that the database works on it while the next one is put into words
      if (rows.length > 50) await nextTurn();
    }
  }

  /**
   * What waits to leave a conversation goes in the order of the one that it was merged into. Sent ahead of new effects, of
   * which none is the first then; by a statement of its own, as the workers change these rows without the lane.
   */
  #joinQueues(): void {
    const merged = this.#merged.splice(0);
    if (merged.length === 0) return;
    this.query({
      name: "join_queues",
      text: `update effects e set order_key = m.target from unnest($1::smallint[], $2::uuid[], $3::text[], $4::text[]) as m(lane, organization, source, target)
where e.lane = m.lane and e.organization = m.organization and e.order_key = m.source`,
      values: [
        merged.map(({ lane }) => lane),
        merged.map(({ organization }) => organization),
        merged.map(({ from }) => from),
        merged.map(({ into }) => into),
      ],
    });
  }

  #send(copy: Statement["copy"] | null, statement: Statement, rows: readonly OwnRow[]): void {
    const { name, text, json } = statement;
    if (copy !== null && copy !== undefined) {
      const copied = copy.rows(rows);
      this.#expect(copyRows(this.#client, copyInto(copy.table, copied.columns), (words) => copied.write(words)));
      return;
    }
    const answer = this.#client.query({ name, text, values: [json(rows).written] });
    if (statement !== insertEffectsIfFirst) return this.#expect(answer);
    this.#expect(
      answer.then((result) => {
        for (const births of this.#births) births.answered(result as never);
      }),
    );
  }

  /** Whoever awaits it hears of its failure; until then it is no unhandled rejection. */
  #expect(answer: Promise<unknown>): void {
    answer.catch(() => {});
    this.sent.push(answer);
  }
}

/**
 * What one batch writes. The mill's output is turned into rows. Those that were not loaded are inserts; a finished run
 * goes to the history, and leaves the live table only if it was there.
 */
export class LaneWriter {
  /** the log's last number */
  lastSeq: number;
  /** rows so far */
  rows = 0;
  /** the first organization whose command was answered */
  #answered: string | null = null;
  /** how many runs were put so far, by their status */
  readonly runs = new Map<string, number>();
  readonly #writer: BatchWriter;
  readonly #lane: number;
  readonly #at: string;
  readonly #births: Births;
  #ordinal: number;

  constructor(
    writer: BatchWriter,
    lane: number,
    head: { readonly lastSeq: number; readonly at: string },
    births = new Births(lane, null),
  ) {
    this.#writer = writer;
    this.#lane = lane;
    this.#at = head.at;
    this.lastSeq = head.lastSeq;
    this.#ordinal = (head.lastSeq + 1) * 1000;
    this.#births = births;
    births.begin(head.at);
    writer.bear(births);
  }

  /**
   * Gathers what the mill decided for an organization; the world is still as it was before. What was gathered of the same
   * organization is sent first, as a statement must not hold a row twice.
   */
  async add(
    world: LoadedWorld,
    output: Pick<Output, "events" | "writes" | "receipts" | "poisoned"> & Partial<Pick<Output, "after">>,
  ): Promise<void> {
    const { organization } = world;
    const isMade = (id: string): boolean => output.after?.made.has(id) === true || world.made(id);
    await this.#writer.turnTo(organization);
    const messageSeq = new Map<string, number>();
    for (const entry of entriesOf(output.events)) {
      const seq = this.lastSeq + 1;
      this.#put(insertLog, organization, {
        seq,
        at: entry.events[0]?.at ?? this.#at,
        root: entry.root,
        customer: entry.customer,
        count: entry.events.length,
        events: entry.events,
      });
      for (const { changes } of entry.events) {
        this.lastSeq += 1;
        for (const change of changes) {
          if (change.table === "messages" && change.before === null) messageSeq.set(change.id, this.lastSeq);
        }
      }
    }
    // a loop over the entries would make one for each
    output.writes.forEach((row, name) => {
      const table = tableOf(name) as WorldTableName;
      const base = world.get(name);
      if (table === "effects")
        this.#writeEffect(organization, base as EffectRow | null, row as EffectRow | null, isMade);
      else this.#write(messageSeq, { table, name, organization, base, row: row as Record<string, unknown> | null });
    });
    for (const receipt of output.receipts) {
      this.#answered ??= organization;
      if (receipt.key !== null) this.#put(insertReceipts, organization, receipt as unknown as OwnRow["row"]);
    }
    for (const poisoned of output.poisoned) {
      if (isKept(poisoned.item)) continue;
      const id = parkedId(poisoned.item, world);
      const error = { message: poisoned.error };
      this.#put(insertParked, organization, { id, item: poisoned.item ?? {}, error, at: this.#at });
    }
  }

  /**
   * Leaves the batch's own receipt, which tells whoever missed the answer to COMMIT that it took place; before the last flush. Nobody
   * asks for a command that came without a client's key a second time, so such commands need none of their own: a row
   * and an index entry for each would be a tenth of what a message costs.
   */
  receipt(id: string): BatchReceipt | null {
    if (this.#answered === null) return null;
    const organization = this.#answered;
    this.#put(insertReceipts, organization, { id, key: null, fingerprint: null, answer: ofBatch, at: this.#at });
    return { organization, id };
  }

  /** Keeps or clears an organization's left-over. */
  leftover({ organization, leftover }: LoadedWorld): void {
    const place = [this.#lane, organization];
    this.#writer.query(
      leftover === null
        ? { text: "delete from leftovers where lane = $1 and organization = $2", values: place }
        : {
            text: `insert into leftovers (lane, organization, body, at) values ($1, $2, $3, $4)
on conflict (lane, organization) do update set body = excluded.body, at = excluded.at`,
            values: [...place, JSON.stringify(leftover), this.#at],
          },
    );
  }

  #put(statement: Statement, organization: string, row: OwnRow["row"]): void {
    this.#writer.put(statement, { lane: this.#lane, organization, row });
    this.rows += 1;
  }

  #write(messageSeq: ReadonlyMap<string, number>, { table, name, organization, base, row }: RowWrite): void {
    const to = write[table];
    const column = idColumn(table);
    if (row === null) {
      // what was never read may be there all the same: a timer is taken away, an address let go of, without being read
      if (base !== null) this.#put(to.delete, organization, { [column]: idOf(table, name) });
      return;
    }
    const existed = base !== null && base !== undefined;
    if (table === "runs") this.#count(row as unknown as Run);
    if (table === "runs" && final(row as unknown as Run)) {
      if (existed) this.#put(to.delete, organization, row);
      this.#put(write.runs_history.insert, organization, row);
      return;
    }
    if (table === "conversations" && existed && row["merged_into"] !== (base as RowWrite["row"] & {})["merged_into"])
      this.#writer.merged({
        lane: this.#lane,
        organization,
        from: row["id"] as string,
        into: String(row["merged_into"]),
      });
    let own = row;
    if (row[column] === undefined) own = { ...own, [column]: idOf(table, name) };
    if (!existed && table === "messages") own = { ...own, seq: messageSeq.get(row["id"] as string) ?? 0 };
    if (existed) {
      const few = narrowUpdates[table];
      const update = few?.fits(base as RowWrite["row"] & {}, own) === true ? few.statement : to.update;
      this.#put(update, organization, own);
    } else this.#put(base === undefined && putBlindly.has(table) ? to.put : to.insert, organization, own);
  }

  #count({ status }: Run): void {
    this.runs.set(status, (this.runs.get(status) ?? 0) + 1);
  }

  /** An effect that ends, or that may go again, lets the next of its order key go; a new one may be held from its birth. */
  #writeEffect(
    organization: string,
    base: EffectRow | null | undefined,
    row: EffectRow | null,
    isMade: (id: string) => boolean,
  ): void {
    const { insert, update, delete: remove } = write.effects;
    if (base === null || base === undefined) {
      if (row === null) return;
      const numbered = { ...row, ordinal: this.#ordinal++ };
      const born = this.#births.born(organization, numbered, isMade(row.order_key));
      return this.#put(born.ask ? insertEffectsIfFirst : insert, organization, born.row);
    }
    if (row?.status !== base.status) this.#births.ended(organization, base.order_key);
    if (row === null) this.#put(remove, organization, { id: base.id });
    else this.#put(update, organization, { ...row });
  }

  /** The lane remembers its last number, where the log alone would not tell it at the next look. */
  keepFloor(): void {
    this.#writer.query({
      text: "update lanes set seq_floor = greatest(seq_floor, $2) where lane = $1",
      values: [this.#lane, this.lastSeq],
    });
  }

  /** Claims what follows the effects that this batch ended; after all else was sent. */
  claimNext(): void {
    this.#writer.claimNext(this.#births);
  }
}

interface RowWrite {
  readonly table: WorldTableName;
  /** the row's key */
  readonly name: string;
  readonly organization: string;
  /** as it was loaded: null is known to be absent, undefined was never read */
  readonly base: unknown;
  readonly row: Record<string, unknown> | null;
}

/** Rows of these are put without being read first. */
const putBlindly: ReadonlySet<WorldTableName> = new Set(["addresses", "timers", "loads", "presences", "turns"]);

const idOf = (table: WorldTableName, name: string): string => name.slice(table.length + 1);

function idColumn(table: WorldTableName): string {
  if (table === "addresses") return "address";
  if (table === "timers") return "run";
  if (table === "turns") return "team_id";
  return table === "loads" || table === "presences" ? "user_id" : "id";
}

interface Entry {
  readonly root: string;
  customer: string | null;
  readonly events: Event[];
}

/** Consecutive events of one item about one customer share a row of the log: rows are what costs. */
function* entriesOf(events: readonly Event[]): Generator<Entry> {
  let entry: Entry | null = null;
  for (const event of events) {
    const customer = event.refs.customer ?? null;
    if (entry !== null && entry.root === event.root && entry.customer === customer) {
      entry.events.push(event);
      continue;
    }
    if (entry !== null) yield entry;
    entry = { root: event.root, customer, events: [event] };
  }
  if (entry !== null) yield entry;
}

function parkedId(item: Item | null, world: LoadedWorld): string {
  if (item?.kind === "command") return item.id;
  if (item?.kind === "settled") return item.effect;
  if (item?.kind === "timer") return item.run;
  return item?.kind === "wake" ? item.subject.id : world.organization;
}
