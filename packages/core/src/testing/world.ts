import { addressesByChannel } from "../domain/conversation/channels.ts";
import { addressesOf, isOpen } from "../domain/derived.ts";
import { type Key, key, rowTables, splitKey } from "../domain/keys.ts";
import { type World } from "../domain/ledger.ts";
import type { Id } from "../model/common.ts";
import { type ConversationRow, conversationDefaults } from "../model/conversation.ts";
import { type CustomerRow, customerDefaults } from "../model/customer.ts";
import { type Message, messageDefaults } from "../model/message.ts";
import type { Run } from "../model/run.ts";

type Rows = Map<Key, unknown>;

/** Rows to start from. Addresses and loads follow from them; `more` holds any other row by its key. */
export interface StartingRows {
  readonly customers?: readonly CustomerRow[];
  readonly conversations?: readonly ConversationRow[];
  readonly messages?: readonly Message[];
  readonly runs?: readonly Run[];
  readonly more?: Readonly<Record<Key, unknown>>;
}

/** A world in memory that knows everything: what is not there is known to be absent. */
export interface MemoryWorld extends World {
  readonly rows: Rows;
  /** Writes what a batch changed, as the shell would; null deletes. */
  write(writes: ReadonlyMap<Key, unknown>): void;
}

/** A world of these rows; views are computed from them at every look. */
export function memoryWorld(start: StartingRows = {}): MemoryWorld {
  const rows: Rows = new Map();
  for (const row of start.customers ?? []) rows.set(key.customer(row.id), row);
  for (const row of start.conversations ?? []) rows.set(key.conversation(row.id), row);
  for (const row of start.messages ?? []) rows.set(key.message(row.id), row);
  for (const row of start.runs ?? []) rows.set(key.run(row.id), row);
  for (const [name, row] of [...addressRows(rows), ...loadRows(rows)]) rows.set(name, row);
  for (const [name, row] of Object.entries(start.more ?? {})) rows.set(name, row);
  const known = new Set<string>(rowTables);
  return {
    rows,
    get(name) {
      const { table, rest } = splitKey(name);
      const view = table in viewsOf ? viewsOf[table as keyof typeof viewsOf] : null;
      if (view !== null) return view(rows, rest);
      if (!known.has(table) && !unread.has(table)) throw new Error(`no such table: ${table}`);
      return rows.get(name) ?? null;
    },
    write(writes) {
      for (const [name, row] of writes) {
        if (row === null) rows.delete(name);
        else rows.set(name, row);
      }
    },
  };
}

/** A world that gives only what was loaded: everything else is missing until `load` is asked for it. */
export interface SparseWorld extends World {
  load(keys: Iterable<Key>): void;
}

/** Withholds the keys of a world that `withheld` says; each can be loaded. */
export function sparseWorld(world: World, withheld: (name: Key) => boolean = () => true): SparseWorld {
  const loaded = new Set<Key>();
  return {
    get: (name) => (loaded.has(name) || !withheld(name) ? world.get(name) : undefined),
    load(keys) {
      for (const name of keys) loaded.add(name);
    },
  };
}

/** The rows of one table. */
export function tableOf<T>(rows: ReadonlyMap<Key, unknown>, table: string): readonly T[] {
  return [...rows].filter(([name]) => name.startsWith(`${table}/`)).map(([, row]) => row as T);
}

/** The addresses that follow from the customers. */
export function addressRows(rows: ReadonlyMap<Key, unknown>): Rows {
  const customers = tableOf<CustomerRow>(rows, "customers");
  return new Map(customers.flatMap((row) => addressesOf(row).map((name) => [name, { customer: row.id }])));
}

/** The loads that follow from the conversations. */
export function loadRows(rows: ReadonlyMap<Key, unknown>): Rows {
  const loads = new Map<Key, { user_id: Id; open: number }>();
  for (const { assignee, status } of tableOf<ConversationRow>(rows, "conversations")) {
    if (assignee === null || !isOpen({ status })) continue;
    const open = (loads.get(key.load(assignee))?.open ?? 0) + 1;
    loads.set(key.load(assignee), { user_id: assignee, open });
  }
  return loads;
}

/** The id of the customer that one stands for. */
export function standsFor(rows: ReadonlyMap<Key, unknown>, id: Id): Id {
  const into = (rows.get(key.customer(id)) as CustomerRow | undefined)?.merged_into ?? null;
  return into === null ? id : standsFor(rows, into);
}

/** Conversations of a customer and of those merged into it, by id. */
function conversationsOf(rows: Rows, customer: Id): readonly ConversationRow[] {
  const found = tableOf<ConversationRow>(rows, "conversations").filter(
    (row) => standsFor(rows, row.customer) === customer,
  );
  return found.sort((a, b) => (a.id < b.id ? -1 : 1));
}

const newest = (found: readonly { readonly id: Id }[]): { readonly id: Id } | null => {
  const id = found
    .map((row) => row.id)
    .sort()
    .at(-1);
  return id === undefined ? null : { id };
};

const splitAt = (rest: string): readonly [string, string] => [
  rest.slice(0, rest.indexOf("/")),
  rest.slice(rest.indexOf("/") + 1),
];

/** What each view means, in terms of rows; the shell's statements must say the same. */
const viewsOf = {
  latest(rows: Rows, rest: string) {
    const [customer, channel] = splitAt(rest);
    return newest(conversationsOf(rows, customer).filter((row) => Object.hasOwn(addressesByChannel(row), channel)));
  },
  open: (rows: Rows, customer: string) =>
    conversationsOf(rows, customer)
      .filter(isOpen)
      .map((row) => row.id),
  provider(rows: Rows, rest: string) {
    const [channel, providerId] = splitAt(rest);
    return newest(
      tableOf<Message>(rows, "messages").filter((row) => row.channel === channel && row.provider_id === providerId),
    );
  },
  replier(rows: Rows, conversation: string) {
    // rows stand in the order in which they were made
    const last = tableOf<Message>(rows, "messages")
      .filter((row) => row.conversation === conversation && row.direction === "outbound")
      .filter((row) => !row.automated && row.author !== null)
      .at(-1);
    return last === undefined ? null : { user: last.author };
  },
  waiting: (rows: Rows, subject: string) =>
    tableOf<Run>(rows, "runs")
      .filter((run) => run.status === "waiting" && (run.subject === subject || run.hears === subject))
      .map((run) => run.id)
      .sort(),
} as const;

/** Keys that name no row: receipts, events and versions stand only where a test puts them, and a bundle is never read by itself. */
const unread = new Set<string>(["receipt", "version", "sender", "event"]);

const birth = { created_at: "2026-11-01T00:00:00.000Z", updated_at: "2026-11-01T00:00:00.000Z" };

/** A customer's row; what is not given is at its default. */
export const customerRow = (row: Partial<CustomerRow> & { readonly id: Id }): CustomerRow => ({
  ...customerDefaults,
  ...birth,
  ...row,
});

/** A conversation's row. */
export const conversationRow = (
  row: Partial<ConversationRow> & Pick<ConversationRow, "id" | "customer" | "mailbox" | "channel" | "address">,
): ConversationRow => ({ ...conversationDefaults, ...birth, ...row });

/** A message's row. */
export const messageRow = (
  row: Partial<Message> & Pick<Message, "id" | "conversation" | "customer" | "channel" | "direction">,
): Message => ({ ...messageDefaults, ...birth, ...row });
