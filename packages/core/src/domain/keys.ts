import type { Id } from "../model/common.ts";
import type { LoggedTable } from "../model/event.ts";

/**
 * The names under which the world is read. `rows` are stored; `views` are look-ups whose answer follows from rows: the
 * shell loads them, the ledger keeps them true while a batch changes rows, and they are never written.
 */
export type Key = string;

/** Tables whose rows the mill writes. */
export const rowTables = [
  "customers",
  "conversations",
  "messages",
  "notes",
  "addresses",
  "runs",
  "timers",
  "effects",
  "loads",
  "presences",
  "turns",
  "parked",
] as const;
export type RowTable = (typeof rowTables)[number];

export const views = ["latest", "sender", "open", "provider", "waiting", "replier", "receipt", "event"] as const;
export type View = (typeof views)[number];

/** Names of one kind by id that were asked for just now. */
const rememberedAtMost = 256;

/**
 * Remembers the names it made last: a root asks for the same few a hundred times, and a text that was put together anew must be
 * read to its end by each look-up.
 */
function remembered(prefix: string): (id: Id) => Key {
  const names = new Map<Id, Key>();
  return (id) => {
    let name = names.get(id);
    if (name !== undefined) return name;
    if (names.size >= rememberedAtMost) names.clear();
    name = prefix + id;
    names.set(id, name);
    return name;
  };
}

export const key = {
  customer: remembered("customers/"),
  conversation: remembered("conversations/"),
  message: remembered("messages/"),
  /** a note on a customer */
  note: (id: Id): Key => `notes/${id}`,
  /** who has an address; kinds: those of `address/sender.ts`, and external */
  address: (kind: string, address: string): Key => `addresses/${kind}:${address}`,
  run: remembered("runs/"),
  /** the timer of a waiting run */
  timer: remembered("timers/"),
  effect: remembered("effects/"),
  /** how many open conversations a user holds */
  load: remembered("loads/"),
  presence: (user: Id): Key => `presences/${user}`,
  /** who of a team got the last conversation in turn */
  turn: (team: Id): Key => `turns/${team}`,
  /** who replied last in a conversation */
  replier: (conversation: Id): Key => `replier/${conversation}`,
  /** a bundle, never loaded by itself: the presence and the load of each member of a team, or of one user */
  team: (id: Id): Key => `team/${id}`,
  /** an item that waits for a person */
  parked: (id: Id): Key => `parked/${id}`,
  /** the customer's latest conversation that holds a channel: the one of the greatest id */
  latest: (customer: Id, channel: Id): Key => `latest/${customer}/${channel}`,
  /** a bundle, never read by itself: who has an address, with their latest conversation on a channel */
  sender: (channel: Id, kind: string, address: string): Key => `sender/${channel}/${kind}:${address}`,
  /** the customer's conversations that are not closed */
  open: remembered("open/"),
  /** the message that a provider knows by this id */
  provider: (channel: Id, providerId: string): Key => `provider/${channel}/${providerId}`,
  /** the runs that wait for a subject, and those of a customer's conversations that wait for an event of the customer */
  waiting: remembered("waiting/"),
  /** the receipt that a client's key left */
  receipt: (clientKey: string): Key => `receipt/${clientKey}`,
  /** an event of the log, by its id and the customer that its refs name: the log is found by customers */
  event: (id: Id, customer: Id | null): Key => `event/${customer ?? "-"}/${id}`,
  /** a workflow version that is no longer the published one */
  version: (id: Id): Key => `version/${id}`,
} as const;

/** The name of a logged row. */
export const rowKey: Readonly<Record<LoggedTable, (id: Id) => Key>> = {
  customers: key.customer,
  conversations: key.conversation,
  messages: key.message,
  notes: key.note,
};

/** Takes a key apart: the table or view, and the rest. */
export function splitKey(text: Key): { readonly table: RowTable | View | "version"; readonly rest: string } {
  const at = text.indexOf("/");
  return { table: text.slice(0, at) as RowTable | View, rest: text.slice(at + 1) };
}

/** The first and the third letter of a name, which no two tables and views share. */
const lettersOf = (name: Key): number => name.charCodeAt(0) * 128 + name.charCodeAt(2);
const byLetters = new Map([...rowTables, ...views, "version" as const].map((table) => [lettersOf(table), table]));

/** The table or view of a name that `key` gave, found without taking the name apart. */
export const tableOf = (name: Key): RowTable | View | "version" | undefined => byLetters.get(lettersOf(name));
