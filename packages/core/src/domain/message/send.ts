import { type Static, Type } from "typebox";
import { type Accepted, type Refusal, refuse } from "../../model/command.ts";
import { IdSchema } from "../../model/common.ts";
import type { ConversationRow } from "../../model/conversation.ts";
import type { CustomerRow } from "../../model/customer.ts";
import { MediaSchema } from "../../model/message.ts";
import { addressOn, unanswerable } from "../addressing.ts";
import { addressesByChannel, writtenToOn } from "../conversation/channels.ts";
import { withConversation } from "../conversation/with-conversation.ts";
import { accept, defineCommand } from "../define.ts";
import type { Draft } from "../draft.ts";
import { key } from "../keys.ts";
import { findChannel, isRefusal } from "../naming.ts";

const hourMs = 3_600_000;

const Input = Type.Object(
  {
    conversation: IdSchema,
    channel: Type.Optional(
      Type.String({
        maxLength: 64,
        description: "id or short name of the channel to write on; default: the one on which the customer last wrote",
      }),
    ),
    text: Type.String({ maxLength: 65_536 }),
    media: Type.Optional(Type.Array(MediaSchema, { maxItems: 20 })),
    counts_as_reply: Type.Optional(
      Type.Boolean({
        description: "whether the customer no longer waits for us; default: only when a person or the API writes",
      }),
    ),
  },
  { additionalProperties: false },
);

/** We write to a customer in a conversation. What leaves the house is an effect; its outcome comes back as an event. */
export const sendMessage = defineCommand({
  type: "message.send",
  summary: "Sends a message to the customer of a conversation",
  permission: "messages.send",
  target: "conversation",
  action: true,
  events: ["message.sent", "customer.state_changed"],
  input: Input,
  prepare(input, settings) {
    if (input.channel === undefined) return input;
    const channel = findChannel(settings, input.channel);
    return isRefusal(channel) ? channel : { ...input, channel: channel.id };
  },
  needs: (input) => [key.conversation(input.conversation)],
  decide: (input, draft) =>
    withConversation(draft, input.conversation, (conversation) => send(input, draft, conversation)),
});

function send(input: Static<typeof Input>, draft: Draft, conversation: ConversationRow): Accepted | Refusal {
  if (input.text.trim() === "" && (input.media ?? []).length === 0) {
    return refuse("invalid", "message_empty", "A message needs a text or a medium", "/text");
  }
  const path = input.channel === undefined ? "/conversation" : "/channel";
  const channel = findChannel(draft.settings, input.channel ?? conversation.channel, path);
  if (isRefusal(channel)) return channel;
  // a merged customer's conversations still point at it, but the wishes and limits are those of whom it stands for
  const customer = draft.customerOf(conversation.customer) as CustomerRow;
  if (customer.erased_at !== null) return refuse("conflict", "customer_erased", "The customer was erased");
  const address = addressesByChannel(conversation)[channel.id] ?? addressOn(channel.kind, customer);
  if (address === null)
    return refuse("conflict", "address_missing", "The customer has no address on a channel of this kind", path);
  const nowhere = unanswerable(channel.kind, address, path);
  if (nowhere !== null) return nowhere;
  const automated = draft.actor.kind === "workflow" || draft.actor.kind === "system";
  const stopped = automated ? guard(draft, customer) : null;
  if (stopped !== null) return stopped;
  const refs = { customer: customer.id, conversation: conversation.id };
  const reply = input.counts_as_reply ?? !automated;
  const { row, changes } = draft.createMessage({
    conversation: conversation.id,
    customer: customer.id,
    channel: channel.id,
    address,
    direction: "outbound",
    author: authorOf(draft),
    text: input.text,
    media: input.media ?? [],
    automated,
    delivery: "queued",
  });
  changes.push(
    ...draft.changeConversation(conversation, {
      ...writtenToOn(conversation, channel.id, address),
      last_message_at: draft.at,
      outbound_count: conversation.outbound_count + 1,
      ...(reply && { last_reply_at: draft.at, waiting_since: null }),
    }),
  );
  if (automated) draft.noteAutomatedSend(draft.customer(customer.id) as CustomerRow);
  draft.emit("message.sent", { ...refs, message: row.id }, changes);
  const effect = draft.effect({
    kind: "message.deliver",
    order_key: conversation.id,
    payload: {
      message: row.id,
      channel: row.channel,
      to: address,
      text: row.text,
      media: row.media as never,
    },
    refs: { ...refs, message: row.id },
  });
  return accept({ message: row.id, conversation: conversation.id, customer: customer.id, effect });
}

/** The user who writes; for a workflow or the system it is the robot user. */
export const authorOf = (draft: Draft): string | null =>
  draft.actor.kind === "user" ? draft.actor.id : draft.settings.organization.workflow_user;

/** What stops an automated message: the customer wants none, or had too many within the hour. */
function guard(draft: Draft, customer: CustomerRow) {
  if (!customer.subscribed)
    return refuse("limited", "customer_unsubscribed", "The customer wants no automated messages");
  const limit = draft.settings.organization.limits.automated_messages_per_hour;
  const since = Date.parse(draft.at) - hourMs;
  const sends = customer.guards?.sends.filter((at) => Date.parse(at) > since) ?? [];
  return sends.length < limit
    ? null
    : refuse(
        "limited",
        "too_many_automated_messages",
        `The customer got ${sends.length} automated messages within an hour; the limit is ${limit}`,
      );
}
