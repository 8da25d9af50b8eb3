import type { Conversation } from "../model/conversation.ts";
import type { Customer, CustomerState } from "../model/customer.ts";
import { type Key, key } from "./keys.ts";

/** Whether a conversation still needs someone. */
export const isOpen = (row: Pick<Conversation, "status">): boolean =>
  row.status === "open" || row.status === "pending" || row.status === "snoozed";

/** Whether a customer waits for us in a conversation. */
export const isUnreplied = (row: Pick<Conversation, "status" | "waiting_since">): boolean =>
  row.waiting_since !== null && isOpen(row);

/** The state that a customer's counts stand for. */
export function stateOf(counts: Pick<Customer, "open_conversations" | "unreplied_conversations">): CustomerState {
  if (counts.open_conversations === 0) return "closed";
  return counts.unreplied_conversations > 0 ? "unreplied" : "replied";
}

/** The keys under which a customer is found by address. A customer that was merged or erased has none. */
export function addressesOf(customer: Customer): Key[] {
  if (customer.merged_into !== null || customer.erased_at !== null) return [];
  const found: Key[] = [];
  if (customer.phone !== null) found.push(key.address("phone", customer.phone));
  if (customer.email !== null) found.push(key.address("email", customer.email));
  if (customer.external_id !== null) found.push(key.address("external", customer.external_id));
  for (const handle of customer.handles) found.push(`addresses/${handle}`);
  return found;
}
