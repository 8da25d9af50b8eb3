import { Type } from "typebox";
import { parseSender } from "../../address/sender.ts";
import { refuse } from "../../model/command.ts";
import { orNull } from "../../model/common.ts";
import { MediaSchema } from "../../model/message.ts";
import { identityOf } from "../addressing.ts";
import { arrive } from "../conversation/arrival.ts";
import { wroteOn } from "../conversation/channels.ts";
import { accept, defineCommand } from "../define.ts";
import { key } from "../keys.ts";
import { findChannel, isRefusal } from "../naming.ts";

/** A customer's message comes in. Makes the customer and the conversation where there is none yet. */
export const receiveMessage = defineCommand({
  type: "message.receive",
  summary: "Takes in a message from a customer",
  permission: "messages.receive",
  target: null,
  action: false,
  events: [
    "customer.created",
    "conversation.opened",
    "conversation.reopened",
    "message.received",
    "customer.state_changed",
  ],
  input: Type.Object(
    {
      channel: Type.String({ description: "id or short name of the channel" }),
      from: Type.String({
        description: "the customer's address on the channel; whatever it is, the message is taken in",
      }),
      text: Type.String({ maxLength: 65_536 }),
      subject: Type.Optional(orNull(Type.String({ maxLength: 998 }))),
      media: Type.Optional(Type.Array(MediaSchema, { maxItems: 20 })),
      provider_id: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 200,
          description: "the provider's own id; the same id is taken in once",
        }),
      ),
      first_name: Type.Optional(Type.String({ maxLength: 200 })),
      last_name: Type.Optional(Type.String({ maxLength: 200 })),
    },
    { additionalProperties: false },
  ),
  prepare(input, settings) {
    const channel = settings.channel(input.channel);
    if (channel === null) return refuse("not_found", "channel_not_found", "There is no such channel", "/channel");
    return { ...input, channel: channel.id, from: parseSender(channel.kind, input.from) };
  },
  needs(input, settings) {
    const { kind, value } = identityOf(settings.channel(input.channel)?.kind ?? "api", input.from);
    const keys = [key.sender(input.channel, kind, value)];
    if (input.provider_id !== undefined) keys.push(key.provider(input.channel, input.provider_id));
    return keys;
  },
  decide(input, draft) {
    const channel = findChannel(draft.settings, input.channel);
    if (isRefusal(channel)) return channel;
    if (input.provider_id !== undefined) {
      const known = draft.messageByProvider(channel.id, input.provider_id);
      if (known !== null) {
        const message = draft.message(known);
        return accept({
          message: known,
          conversation: message?.conversation ?? null,
          customer: message?.customer ?? null,
          duplicate: true,
        });
      }
    }
    const { kind, value } = identityOf(channel.kind, input.from);
    const owner = draft.ownerOf(kind, value);
    const found = owner === null ? null : draft.customerOf(owner);
    const { customer, conversation } = arrive(draft, channel, found, { ...input, address: input.from, waiting: true });
    const { row, changes } = draft.createMessage({
      conversation: conversation.id,
      customer: customer.id,
      channel: channel.id,
      address: input.from,
      direction: "inbound",
      text: input.text,
      media: input.media ?? [],
      provider_id: input.provider_id ?? null,
    });
    changes.push(
      ...draft.changeConversation(conversation, {
        // a customer of several channels and addresses is answered where they wrote last
        ...wroteOn(conversation, channel.id, input.from),
        last_message_at: draft.at,
        last_inbound_at: draft.at,
        waiting_since: conversation.waiting_since ?? draft.at,
        inbound_count: conversation.inbound_count + 1,
      }),
    );
    draft.emit("message.received", { customer: customer.id, conversation: conversation.id, message: row.id }, changes);
    return accept({ message: row.id, conversation: conversation.id, customer: customer.id, duplicate: false });
  },
});
