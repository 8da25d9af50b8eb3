import { type Static, Type } from "typebox";
import { refuse } from "../../model/command.ts";
import { IdSchema, oneOf } from "../../model/common.ts";
import type { Delivery, Message } from "../../model/message.ts";
import { blankPatch } from "../blank.ts";
import { isErased } from "../customer/with-customer.ts";
import { accept, defineCommand } from "../define.ts";
import { key } from "../keys.ts";
import { messageRefs, withMessage } from "./tags.ts";

const reported = ["sent", "delivered", "read", "failed", "held", "unsubscribed"] as const;

/** How far a message has come. News of an earlier point is late news, as providers tell in any order. */
const progress: Record<Delivery, number> = {
  none: 0,
  queued: 0,
  held: 1,
  sent: 2,
  failed: 3,
  unsubscribed: 3,
  delivered: 4,
  read: 5,
};

const Input = Type.Object(
  {
    message: Type.Optional(IdSchema),
    channel: Type.Optional(Type.String({ description: "id or short name; with provider_id in place of message" })),
    delivery: oneOf(reported),
    provider_id: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    error: Type.Optional(Type.String({ maxLength: 1000 })),
  },
  { additionalProperties: false },
);
type DeliveryInput = Static<typeof Input>;

/** The outcome of an effect, which names the message, or a provider's news, which names its own id of it. */
export const recordDelivery = defineCommand({
  type: "message.record_delivery",
  summary: "Notes what became of a message that we sent",
  permission: "messages.receive",
  target: null,
  action: false,
  events: ["message.delivery_changed"],
  input: Input,
  prepare(input, settings) {
    if (input.message !== undefined) return input;
    if (input.channel === undefined || input.provider_id === undefined) {
      return refuse("invalid", "message_unidentified", "A message is named by message, or by channel and provider_id");
    }
    // news of an archived channel is still news
    const channel = settings.channel(input.channel);
    return channel === null
      ? refuse("not_found", "channel_not_found", "There is no such channel", "/channel")
      : { ...input, channel: channel.id };
  },
  needs: (input) => [
    input.message === undefined
      ? key.provider(input.channel as string, input.provider_id as string)
      : key.message(input.message),
  ],
  decide(input, draft) {
    const id = input.message ?? draft.messageByProvider(input.channel as string, input.provider_id as string);
    if (id === null)
      return refuse("not_found", "message_not_found", "The provider's id names no message", "/provider_id");
    return withMessage(draft, id, (row) => {
      if (row.direction !== "outbound") {
        return refuse("conflict", "message_not_outbound", "Only a message that we sent is delivered", "/message");
      }
      const refs = messageRefs(draft, row);
      const patch = patchOf(row, input);
      // of an erased customer's message only the state is news: others' ids and words may name them
      const erased = isErased(draft.customer(refs.customer));
      const changes = draft.changeMessage(row, erased ? blankPatch("messages", patch) : patch);
      draft.emit("message.delivery_changed", refs, changes);
      return accept({
        message: row.id,
        changed: changes.length > 0,
        delivery: (draft.message(row.id) as Message).delivery,
      });
    });
  },
});

/**
 * Where news takes a message. Providers tell in any order, and their callbacks may come before our own call is answered:
 * the furthest point counts. Another id of the provider's is another attempt: one that gets through makes good what failed,
 * and one that fails says nothing of the attempt that the message goes by.
 */
function patchOf(row: Message, input: DeliveryInput): Partial<Message> {
  const { delivery, provider_id } = input;
  const bad = delivery === "failed" || delivery === "held";
  const error = bad ? (input.error ?? null) : null;
  const other = provider_id !== undefined && provider_id !== row.provider_id;
  if (other && bad && row.provider_id !== null) return {};
  const again = other && row.delivery === "failed";
  const onward = progress[delivery] > progress[row.delivery] || again;
  if (!onward) return row.provider_id === null && provider_id !== undefined ? { provider_id } : {};
  return { delivery, delivery_error: error, ...(provider_id !== undefined && { provider_id }) };
}
