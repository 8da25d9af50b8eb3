import { type Static, Type } from "typebox";
import { parseAddress } from "../../address/address.ts";
import { type Refusal, refuse } from "../../model/command.ts";
import { IdSchema, orNull } from "../../model/common.ts";
import type { CustomerRow } from "../../model/customer.ts";
import type { Channel } from "../../model/settings.ts";
import { addressKey, addressOn, customerFieldFor, identityOf } from "../addressing.ts";
import { accept, defineCommand } from "../define.ts";
import type { Draft } from "../draft.ts";
import { key } from "../keys.ts";
import { findChannel, isRefusal, missing } from "../naming.ts";
import { customerErased, customerNotFound, tell } from "../customer/with-customer.ts";
import { arrive } from "./arrival.ts";

const Input = Type.Object(
  {
    channel: Type.String({ description: "id or short name of the channel" }),
    to: Type.Optional(
      Type.String({ minLength: 1, maxLength: 320, description: "the customer's address on the channel" }),
    ),
    customer: Type.Optional(IdSchema),
    subject: Type.Optional(orNull(Type.String({ maxLength: 998 }))),
    first_name: Type.Optional(Type.String({ maxLength: 200 })),
    last_name: Type.Optional(Type.String({ maxLength: 200 })),
  },
  { additionalProperties: false },
);
type StartInput = Static<typeof Input>;

/** We write first: the place for it is found as it is for a message that comes in. The message itself is sent after. */
export const startConversation = defineCommand({
  type: "conversation.start",
  summary: "Finds or makes the conversation, and the customer, to write to first",
  permission: "conversations.write",
  target: null,
  action: true,
  events: [
    "customer.created",
    "customer.updated",
    "conversation.opened",
    "conversation.reopened",
    "customer.state_changed",
  ],
  input: Input,
  prepare(input, settings) {
    const channel = findChannel(settings, input.channel);
    if (isRefusal(channel)) return channel;
    if (input.to === undefined) return { ...input, channel: channel.id };
    const address = parseAddress(channel.kind, input.to);
    if (!address.ok) return refuse("invalid", address.code, address.message, "/to");
    return { ...input, channel: channel.id, to: address.address };
  },
  needs: (input, settings) => [
    ...(input.customer === undefined ? [] : [key.customer(input.customer)]),
    ...(input.to === undefined ? [] : [addressKey(settings.channel(input.channel)?.kind ?? "api", input.to)]),
  ],
  decide(input, draft) {
    const channel = findChannel(draft.settings, input.channel);
    if (isRefusal(channel)) return channel;
    if (!draft.reachesMailbox(channel.mailbox)) return missing("channel", "/channel");
    const found = recipient(input, draft, channel);
    if (isRefusal(found)) return found;
    const place = arrive(draft, channel, found.customer, { ...input, address: found.address, waiting: false });
    const { customer, conversation, madeCustomer, madeConversation } = place;
    if (!madeConversation && !draft.reaches(conversation)) {
      const message = "The customer has a conversation on this channel already, which others look after";
      return refuse("conflict", "conversation_elsewhere", message, input.to === undefined ? "/customer" : "/to");
    }
    return accept({
      conversation: conversation.id,
      customer: customer.id,
      created: madeConversation,
      customer_created: madeCustomer,
    });
  },
});

/** Who is meant and where to write to them; a new address of a known customer becomes theirs. */
function recipient(
  input: StartInput,
  draft: Draft,
  channel: Channel,
): { readonly customer: CustomerRow | null; readonly address: string } | Refusal {
  const named = input.customer === undefined ? null : draft.customerOf(input.customer);
  if (input.customer !== undefined && named === null) return customerNotFound();
  if (named !== null && named.erased_at !== null) return customerErased();
  const address = input.to ?? (named === null ? null : addressOn(channel.kind, named));
  if (address === null) {
    return named === null
      ? refuse("invalid", "recipient_missing", "A conversation starts with an address or a customer", "/to")
      : refuse("conflict", "address_missing", "The customer has no address on a channel of this kind", "/customer");
  }
  const { kind, value } = identityOf(channel.kind, address);
  const owner = draft.ownerOf(kind, value);
  if (named === null) return { customer: owner === null ? null : draft.customerOf(owner), address };
  if (owner !== null && owner !== named.id)
    return refuse("conflict", "address_taken", "Another customer has this address", "/to");
  if (owner === null) tell(draft, named, "customer.updated", customerFieldFor(channel.kind, address, named));
  return { customer: named, address };
}
