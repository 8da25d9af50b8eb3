import { setImmediate as nextTurn } from "node:timers/promises";
import type { Event, Item, Output, Run } from "@threadmill/core";
import { splitKey } from "@threadmill/core";
import type { PoolClient } from "pg";
import { copyRows } from "./copy.ts";
import type { LoadedWorld } from "./loader.ts";
import { storeEvents } from "./log-format.ts";
import { insertLog, insertParked, insertReceipts, type Statement, write } from "./statements.ts";
import type { WorldTableName } from "./tables.ts";

/** What one organization's part of a batch is to leave in the database. */
export interface Part {
  readonly world: LoadedWorld;
  readonly output: Output;
}

/** A row and whose it is. */
interface OwnRow {
  readonly organization: string;
  readonly row: Readonly<Record<string, unknown>>;
}
type Put = (statement: Statement, organization: string, row: OwnRow["row"]) => void;

/** Everything a batch writes, by statement, with the log numbered from `firstSeq`. */
export interface Written {
  readonly statements: ReadonlyMap<Statement, readonly OwnRow[]>;
  readonly lastSeq: number;
  readonly rows: number;
}

const final = (run: Run): boolean => run.status !== "queued" && run.status !== "waiting";

/**
 * Turns the mill's output into one set of rows a statement. Rows that were not loaded are inserts; a finished run goes
 * to the history, and leaves the live table only if it was there.
 */
export function plan(parts: readonly Part[], firstSeq: number, at: string): Written {
  const statements = new Map<Statement, OwnRow[]>();
  let rows = 0;
  const put: Put = (statement, organization, row) => {
    const list = statements.get(statement);
    if (list === undefined) statements.set(statement, [{ organization, row }]);
    else list.push({ organization, row });
    rows += 1;
  };
  let seq = firstSeq;
  let ordinal = firstSeq * 1000;
  for (const { world, output } of parts) {
    const { organization } = world;
    const messageSeq = new Map<string, number>();
    for (const entry of entriesOf(output.events)) {
      const row = {
        seq,
        at: entry.events[0]?.at ?? at,
        root: entry.root,
        customer: entry.customer,
        count: entry.events.length,
        events: storeEvents(entry.events),
      };
      put(insertLog, organization, row);
      for (const event of entry.events) {
        for (const change of event.changes) {
          if (change.table === "messages" && change.before === null) messageSeq.set(change.id, seq);
        }
        seq += 1;
      }
    }
    for (const [name, row] of output.writes) {
      const { table, rest } = splitKey(name);
      const base = world.get(name);
      writeRow(
        put,
        { table: table as WorldTableName, rest, organization, base, row: row as Record<string, unknown> | null },
        messageSeq,
        () => ordinal++,
      );
    }
    for (const receipt of output.receipts) put(insertReceipts, organization, { ...receipt });
    for (const poisoned of output.poisoned) {
      const id = parkedId(poisoned.item, world);
      const error = { message: poisoned.error };
      put(insertParked, organization, { id, item: poisoned.item ?? {}, error, at });
    }
  }
  return { statements, lastSeq: seq - 1, rows };
}

interface RowWrite {
  readonly table: WorldTableName;
  readonly rest: string;
  readonly organization: string;
  /** as it was loaded: null is known to be absent, undefined was never read */
  readonly base: unknown;
  readonly row: Record<string, unknown> | null;
}

function writeRow(
  put: Put,
  { table, rest, organization, base, row }: RowWrite,
  messageSeq: ReadonlyMap<string, number>,
  nextOrdinal: () => number,
): void {
  const to = write[table];
  const column = idColumn(table);
  if (row === null) {
    // what was never read may be there all the same: a timer is taken away, an address let go of, without being read
    if (base !== null) put(to.delete, organization, { [column]: rest });
    return;
  }
  const existed = base !== null && base !== undefined;
  if (table === "runs" && final(row as unknown as Run)) {
    if (existed) put(to.delete, organization, { id: rest });
    put(write.runs_history.insert, organization, row);
    return;
  }
  let own = row;
  if (row[column] !== rest) own = { ...own, [column]: rest };
  if (!existed && table === "messages") own = { ...own, seq: messageSeq.get(rest) ?? 0 };
  else if (!existed && table === "effects") own = { ...own, ordinal: nextOrdinal() };
  if (existed) put(to.update, organization, own);
  else put(base === undefined && putBlindly.has(table) ? to.put : to.insert, organization, own);
}

/** Rows of these are put without being read first. */
const putBlindly: ReadonlySet<WorldTableName> = new Set(["addresses", "timers", "loads", "presences"]);

function idColumn(table: WorldTableName): string {
  if (table === "addresses") return "address";
  if (table === "timers") return "run";
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

/**
 * Sends the statements without awaiting their answers: deletes first, so that a row may come back under its key, the rest
 * in any order. What comes back is to be awaited together with COMMIT. COPY is parsed and prepared anew each time, so fewer
 * new rows than `copyFrom` go as parameters of a statement that is known.
 */
export async function flush(
  client: PoolClient,
  lane: number,
  written: Written,
  copyFrom = 10,
): Promise<Promise<unknown>[]> {
  const ordered = [...written.statements].toSorted(
    ([a], [b]) => Number(b.name.startsWith("delete")) - Number(a.name.startsWith("delete")),
  );
  const sent: Promise<unknown>[] = [];
  for (const [statement, rows] of ordered) {
    const { copy } = statement;
    const sending =
      copy === undefined || rows.length < copyFrom
        ? sendRows(client, lane, statement, rows)
        : copyRows(
            client,
            copy.text,
            rows.map(({ organization, row }) => copy.line(lane, organization, row)),
          );
    sent.push(quiet(sending));
    // lets the socket take this statement, so that the database works on it while the next one is put into words
    if (rows.length > 50) await nextTurn();
  }
  return sent;
}

function sendRows(
  client: PoolClient,
  lane: number,
  { name, text, words }: Statement,
  rows: readonly OwnRow[],
): Promise<unknown> {
  const list = rows.map(({ organization, row }) => words(organization, row));
  return client.query({ name, text, values: [lane, `[${list.join(",")}]`] });
}

/** Whoever awaits it hears of its failure; until then it is no unhandled rejection. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** Keeps or clears the left-over of each organization in the batch; sent, not awaited. */
export function writeLeftovers(
  client: PoolClient,
  lane: number,
  parts: readonly Part[],
  had: ReadonlyMap<string, unknown>,
  at: string,
): Promise<unknown>[] {
  return parts
    .filter(({ world, output }) => output.leftover !== null || had.has(world.organization))
    .map(({ world, output }) =>
      quiet(
        client.query(
          output.leftover === null
            ? {
                text: "delete from leftovers where lane = $1 and organization = $2",
                values: [lane, world.organization],
              }
            : {
                text: `insert into leftovers (lane, organization, body, at) values ($1, $2, $3, $4)
on conflict (lane, organization) do update set body = excluded.body, at = excluded.at`,
                values: [lane, world.organization, JSON.stringify(output.leftover), at],
              },
        ),
      ),
    );
}
