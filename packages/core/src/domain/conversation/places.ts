import type { Id } from "../../model/common.ts";
import { membersOf } from "../../model/json.ts";
import type { Conversation, Places } from "../../model/conversation.ts";

type Whereabouts = Pick<Conversation, "channel" | "address" | "other_channels">;

/** Every channel that a conversation holds, with the customer's address on it. */
export const placesOf = ({ channel, address, other_channels }: Whereabouts): Places => ({
  ...other_channels,
  [channel]: address,
});

/** The places without one channel, in the order of their ids: the row must read the same however it came to be. */
function without(places: Places, channel: Id): Places {
  return Object.fromEntries(membersOf(places).filter(([id]) => id !== channel));
}

/** What becomes of a conversation's channels when the customer writes on one of them: replies go there from now on. */
export function wroteOn(row: Whereabouts, channel: Id, address: string): Partial<Conversation> {
  if (row.channel === channel) return { address };
  return { channel, address, other_channels: without(placesOf(row), channel) };
}

/** What becomes of a conversation's channels when we write on one of them: an answer must find it there. */
export function writtenToOn(row: Whereabouts, channel: Id, address: string): Partial<Conversation> {
  if (row.channel === channel) return {};
  return { other_channels: without({ ...row.other_channels, [channel]: address }, row.channel) };
}

/** The channels of two conversations that become one: where the later of them was written to counts, place by place. */
export function joinedPlaces(earlier: Whereabouts, later: Whereabouts): Whereabouts {
  const { channel, address } = later;
  return { channel, address, other_channels: without({ ...placesOf(earlier), ...placesOf(later) }, channel) };
}
