import type { Conversation } from "../model/conversation.ts";
import type { Customer, CustomerState } from "../model/customer.ts";
import type { Key } from "./keys.ts";

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
  return identitiesOf(customer).map((identity) => `addresses/${identity}`);
}

/** All addresses of a customer, each as "kind:address". */
export function identitiesOf(customer: Pick<Customer, "phone" | "email" | "external_id" | "handles">): string[] {
  const { phone, email, external_id, handles } = customer;
  const found = [...handles];
  if (external_id !== null) found.unshift(`external:${external_id}`);
  if (email !== null) found.unshift(`email:${email}`);
  if (phone !== null) found.unshift(`phone:${phone}`);
  return found;
}
