import type { Id } from "../model/common.ts";

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
  "addresses",
  "runs",
  "timers",
  "effects",
  "loads",
  "presences",
] as const;
export type RowTable = (typeof rowTables)[number];

export const views = ["latest", "sender", "open", "provider", "waiting", "receipt"] as const;
export type View = (typeof views)[number];

export const key = {
  customer: (id: Id): Key => `customers/${id}`,
  conversation: (id: Id): Key => `conversations/${id}`,
  message: (id: Id): Key => `messages/${id}`,
  /** who has an address; kinds: those of `address/sender.ts`, and external */
  address: (kind: string, address: string): Key => `addresses/${kind}:${address}`,
  run: (id: Id): Key => `runs/${id}`,
  /** the timer of a waiting run */
  timer: (run: Id): Key => `timers/${run}`,
  effect: (id: Id): Key => `effects/${id}`,
  /** how many open conversations a user holds */
  load: (user: Id): Key => `loads/${user}`,
  presence: (user: Id): Key => `presences/${user}`,
  /** the customer's latest conversation that holds a channel: the one of the greatest id */
  latest: (customer: Id, channel: Id): Key => `latest/${customer}/${channel}`,
  /** a bundle, never read by itself: who has an address, with their latest conversation on a channel */
  sender: (channel: Id, kind: string, address: string): Key => `sender/${channel}/${kind}:${address}`,
  /** the customer's conversations that are not closed */
  open: (customer: Id): Key => `open/${customer}`,
  /** the message that a provider knows by this id */
  provider: (channel: Id, providerId: string): Key => `provider/${channel}/${providerId}`,
  /** the runs that wait for a subject */
  waiting: (subject: Id): Key => `waiting/${subject}`,
  /** the receipt that a client's key left */
  receipt: (clientKey: string): Key => `receipt/${clientKey}`,
  /** a workflow version that is no longer the published one */
  version: (id: Id): Key => `version/${id}`,
} as const;

/** Takes a key apart: the table or view, and the rest. */
export function splitKey(text: Key): { readonly table: RowTable | View | "version"; readonly rest: string } {
  const at = text.indexOf("/");
  return { table: text.slice(0, at) as RowTable | View, rest: text.slice(at + 1) };
}
