import type { Id } from "../model/common.ts";
import type { ConversationRow } from "../model/conversation.ts";
import type { CustomerRow } from "../model/customer.ts";
import type { Message } from "../model/message.ts";
import type { Run } from "../model/run.ts";
import { addressesOf, isOpen } from "./derived.ts";
import { key } from "./keys.ts";
import type { Ledger } from "./ledger.ts";
import { type Merge, movedRun } from "../run/move.ts";

/** Moves the addresses under which a customer is found. */
export function claimAddresses(ledger: Ledger, before: CustomerRow | null, after: CustomerRow): void {
  const had = before === null ? [] : addressesOf(before);
  const has = addressesOf(after);
  for (const name of had) if (!has.includes(name)) ledger.set(name, null);
  for (const name of has) if (!had.includes(name)) ledger.set(name, { customer: after.id });
}

/** The newest is the one with the greatest id, in a batch as in the table. */
export function setLatest(ledger: Ledger, customer: Id, channel: Id, id: Id): void {
  const name = key.latest(customer, channel);
  const newest = ledger.view<{ readonly id: Id }>(name, customer);
  if (newest === null || newest.id < id) ledger.set(name, { id });
}

/** Puts a conversation on its customer's list of those that are open, or takes it off. */
export function listOpen(ledger: Ledger, customer: Id, row: ConversationRow): void {
  ledger.updateList(key.open(customer), customer, (list) =>
    isOpen(row) ? [...list, row.id] : list.filter((id) => id !== row.id),
  );
}

/** Counts a conversation among those that its assignee holds open. */
export function countLoads(ledger: Ledger, before: ConversationRow | null, after: ConversationRow): void {
  const held = before !== null && isOpen(before) ? before.assignee : null;
  const holds = isOpen(after) ? after.assignee : null;
  if (held === holds) return;
  if (held !== null) addLoad(ledger, held, -1);
  if (holds !== null) addLoad(ledger, holds, 1);
}

function addLoad(ledger: Ledger, user: Id, by: number): void {
  const open = ledger.get<{ readonly open: number }>(key.load(user))?.open ?? 0;
  ledger.set(key.load(user), { user_id: user, open: open + by });
}

/** Who replied last in the message's conversation, when a user wrote it; nothing else needs to be known for that. */
export function noteReply(ledger: Ledger, { conversation, automated, author }: Message): void {
  if (!automated && author !== null) ledger.set(key.replier(conversation), { user: author });
}

/** The runs that wait for what was merged wait for what it was merged into; their timers name the run and go with it. */
export function moveRuns(ledger: Ledger, merge: Merge): void {
  const ids = [...ledger.list(key.waiting(merge.from), merge.from)].sort();
  ledger.expect(ids.map(key.run));
  for (const id of ids) ledger.set(key.run(id), movedRun(ledger.get<Run>(key.run(id)) as Run, merge));
  ledger.set(key.waiting(merge.from), []);
  ledger.updateList(key.waiting(merge.to), merge.to, (list) => [...list, ...ids]);
}
