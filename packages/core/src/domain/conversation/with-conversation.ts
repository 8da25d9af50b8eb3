import { type Accepted, type Refusal, refuse } from "../../model/command.ts";
import { type Id, IdSchema } from "../../model/common.ts";
import type { Conversation, ConversationRow } from "../../model/conversation.ts";
import type { EventData, Refs } from "../../model/event.ts";
import { customerErased, isErased } from "../customer/with-customer.ts";
import { accept } from "../define.ts";
import type { Draft } from "../draft.ts";
import type { EventType } from "../events.ts";

/** The input field that names a conversation. */
export const conversationInput = { conversation: IdSchema };

export const conversationNotFound = (path = "/conversation"): Refusal =>
  refuse("not_found", "conversation_not_found", "There is no such conversation", path);

/**
 * Reads the conversation that a command names; the answer to a missing or merged one is the same for all. To a workflow a
 * merged one stands for the one it was merged into: its document cannot know of the merge, and its runs go on there.
 */
export function withConversation(
  draft: Draft,
  id: string,
  act: (conversation: ConversationRow) => Accepted | Refusal,
  path = "/conversation",
): Accepted | Refusal {
  const row = draft.actor.kind === "workflow" ? draft.conversationOf(id) : draft.conversation(id);
  if (row === null || !draft.reaches(row)) return conversationNotFound(path);
  if (row.merged_into !== null) {
    return refuse("conflict", "conversation_merged", `The conversation was merged into ${row.merged_into}`, path);
  }
  return act(row);
}

/** What an event of a conversation is about: its customer is the one that a merged one stands for. */
export function refsOfConversation(
  draft: Draft,
  row: Pick<Conversation, "id" | "customer">,
): Refs & { readonly customer: Id; readonly conversation: Id } {
  return { customer: draft.customerOf(row.customer)?.id ?? row.customer, conversation: row.id };
}

/**
 * As `change`, for words that anybody may have written: a conversation of an erased customer takes none, as that could
 * bring back what the erasing blanks, slice by slice, behind it.
 */
export function changeWords(
  draft: Draft,
  row: ConversationRow,
  type: EventType,
  patch: Partial<Conversation>,
  data?: EventData,
): Accepted | Refusal {
  const customer = draft.customerOf(row.customer);
  if (isErased(customer)) return customerErased("/conversation");
  const changes = draft.changeConversation(row, patch);
  const refs = { customer: customer?.id ?? row.customer, conversation: row.id };
  if (changes.length > 0) draft.emit(type, refs, changes, data);
  return accept({ conversation: row.id, changed: changes.length > 0 });
}

/**
 * Changes a conversation and tells of it; the answer names the conversation and whether anything changed. `data` goes
 * with the event only when there is one.
 */
export function change(
  draft: Draft,
  row: ConversationRow,
  type: EventType,
  patch: Partial<Conversation>,
  data?: EventData,
): Accepted {
  const changes = draft.changeConversation(row, patch);
  if (changes.length > 0) draft.emit(type, refsOfConversation(draft, row), changes, data);
  return accept({ conversation: row.id, changed: changes.length > 0 });
}
