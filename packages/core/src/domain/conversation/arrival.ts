import type { Instant } from "../../model/common.ts";
import type { ConversationRow } from "../../model/conversation.ts";
import type { CustomerRow } from "../../model/customer.ts";
import type { Channel, Mailbox } from "../../model/settings.ts";
import { customerFieldFor } from "../addressing.ts";
import type { Draft } from "../draft.ts";

const dayMs = 86_400_000;

/** Somebody is to be talked with on a channel: they wrote to us, or we are about to write to them. */
export interface Arrival {
  readonly address: string;
  /** whether they wrote, and so wait for us */
  readonly waiting: boolean;
  readonly subject?: string | null;
  readonly first_name?: string;
  readonly last_name?: string;
}

/** Where the talk goes on, and what had to be made for it. */
export interface Arrived {
  readonly customer: CustomerRow;
  readonly conversation: ConversationRow;
  readonly madeCustomer: boolean;
  readonly madeConversation: boolean;
}

/** Makes the customer where there is none, and joins, re-opens or starts the conversation. */
export function arrive(draft: Draft, channel: Channel, found: CustomerRow | null, arrival: Arrival): Arrived {
  const customer = found ?? makeCustomer(draft, channel, arrival);
  const joined = found === null ? null : join(draft, channel, found, arrival);
  const conversation = joined ?? start(draft, channel, customer, arrival, found === null);
  return { customer, conversation, madeCustomer: found === null, madeConversation: joined === null };
}

function makeCustomer(
  draft: Draft,
  channel: Channel,
  { address, waiting, first_name, last_name }: Arrival,
): CustomerRow {
  // the conversation that follows in the same decision is counted here, so that the row is written and logged once
  const { row, changes } = draft.createCustomer({
    ...customerFieldFor(channel.kind, address),
    first_name: first_name ?? null,
    last_name: last_name ?? null,
    state: waiting ? "unreplied" : "replied",
    open_conversations: 1,
    unreplied_conversations: waiting ? 1 : 0,
  });
  draft.emit("customer.created", { customer: row.id }, changes);
  return row;
}

function start(
  draft: Draft,
  channel: Channel,
  customer: CustomerRow,
  arrival: Arrival,
  counted: boolean,
): ConversationRow {
  const { row, changes } = draft.createConversation(
    {
      customer: customer.id,
      mailbox: channel.mailbox,
      channel: channel.id,
      address: arrival.address,
      subject: arrival.subject ?? null,
      waiting_since: arrival.waiting ? draft.at : null,
    },
    { counted },
  );
  draft.emit("conversation.opened", { customer: customer.id, conversation: row.id }, changes);
  return row;
}

/** The customer's newest conversation that holds the channel, open again; null when another is to be started: its mailbox says which. */
function join(draft: Draft, channel: Channel, customer: CustomerRow, arrival: Arrival): ConversationRow | null {
  const latest = draft.latestConversation(customer.id, channel.id);
  const newest = latest === null ? null : draft.conversationOf(latest);
  if (newest === null || newest.status === "spam") return null;
  // who writes first means that very place; who answers is answered where they wrote last
  if (!arrival.waiting && (newest.channel !== channel.id || newest.address !== arrival.address)) return null;
  if (newest.status === "closed" && !mayReopen(draft.settings.mailbox(newest.mailbox), newest, draft.at)) return null;
  if (newest.status === "open") return newest;
  const changes = draft.changeConversation(newest, { status: "open", closed_at: null, snoozed_until: null });
  draft.emit("conversation.reopened", { customer: customer.id, conversation: newest.id }, changes);
  return draft.conversation(newest.id);
}

function mayReopen(mailbox: Mailbox | null, conversation: ConversationRow, at: Instant): boolean {
  if (mailbox === null || mailbox.reopen === "always") return true;
  if (mailbox.reopen === "never" || conversation.closed_at === null) return false;
  return Date.parse(at) - Date.parse(conversation.closed_at) <= mailbox.reopen_days * dayMs;
}
