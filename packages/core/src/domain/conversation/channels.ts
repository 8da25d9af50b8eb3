import type { Id } from "../../model/common.ts";
import { membersOf } from "../../model/json.ts";
import type { Conversation, ChannelAddresses } from "../../model/conversation.ts";

type Whereabouts = Pick<Conversation, "channel" | "address" | "other_channels">;

/** Every channel that a conversation holds, with the customer's address on it. */
export const addressesByChannel = ({ channel, address, other_channels }: Whereabouts): ChannelAddresses => ({
  ...other_channels,
  [channel]: address,
});

/** The addresses without those of one channel, in the order of their ids: the row must read the same however it came to be. */
function without(addresses: ChannelAddresses, channel: Id): ChannelAddresses {
  return Object.fromEntries(membersOf(addresses).filter(([id]) => id !== channel));
}

/** What becomes of a conversation's channels when the customer writes on one of them: replies go there from now on. */
export function wroteOn(row: Whereabouts, channel: Id, address: string): Partial<Conversation> {
  if (row.channel === channel) return { address };
  return { channel, address, other_channels: without(addressesByChannel(row), channel) };
}

/** What becomes of a conversation's channels when we write on one of them: an answer must find it there. */
export function writtenToOn(row: Whereabouts, channel: Id, address: string): Partial<Conversation> {
  if (row.channel === channel) return {};
  return { other_channels: without({ ...row.other_channels, [channel]: address }, row.channel) };
}

/** The channels of two conversations that become one: on a channel that both hold, the address in the later counts. */
export function joinedChannels(earlier: Whereabouts, later: Whereabouts): Whereabouts {
  const { channel, address } = later;
  return {
    channel,
    address,
    other_channels: without({ ...addressesByChannel(earlier), ...addressesByChannel(later) }, channel),
  };
}
