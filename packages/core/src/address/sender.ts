import { contentHash } from "../id/canonical.ts";
import type { ChannelKind } from "../model/settings.ts";
import { cut } from "../text/characters.ts";
import { parseAddress } from "./address.ts";
import { type CountryCode, normalizeSender } from "./phone.ts";

/**
 * What kinds of address there are: customers are found by (kind, address). SMS and WhatsApp share the telephone number.
 * `short_code` and `alphanumeric` are senders of SMS; `other` is whatever a channel calls a sender that it should not.
 */
export const addressKinds = [
  "phone",
  "short_code",
  "alphanumeric",
  "email",
  "messenger",
  "chat",
  "api",
  "other",
] as const;
export type AddressKind = (typeof addressKinds)[number];

/** Begins the address of a sender that is none of its channel's; no address that a channel takes begins so. */
export const otherPrefix = "other:";
const longest = 200;

/** The kind of an address in its normal form on a channel. */
export function addressKindOf(channel: ChannelKind, address: string): AddressKind {
  if (address.startsWith(otherPrefix)) return "other";
  if (channel === "whatsapp") return "phone";
  if (channel !== "sms") return channel;
  if (address.startsWith("+") && !/[A-Za-z]/.test(address)) return "phone";
  return /^\d+$/.test(address) ? "short_code" : "alphanumeric";
}

/**
 * The normal form of whoever a message came from. Nobody's message is refused for its sender: what is no address of the
 * channel becomes one of the kind `other`, the same for the same text, which cannot be answered. A normal form stays as it is.
 */
export function parseSender(channel: ChannelKind, text: string, country: CountryCode = "US"): string {
  const answer = channel === "sms" ? normalizeSender(text, country) : parseAddress(channel, text, country);
  return answer.ok ? answer.address : otherPrefix + shortened(unprefixed(text.trim()));
}

/** What an address of the kind `other` was made from, as what waited for a person comes here a second time. */
const unprefixed = (text: string): string =>
  text.startsWith(otherPrefix) ? text.slice(otherPrefix.length).trim() : text;

/** A text that fits an index, and tells apart what it was made from. */
function shortened(text: string): string {
  if (text === "") return "unknown";
  return text.length <= longest ? text : `${cut(text, longest - 33)}~${contentHash(text).slice(0, 32)}`;
}
