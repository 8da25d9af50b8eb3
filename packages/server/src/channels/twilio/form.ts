import type { FormField } from "./signature.ts";

/** The fields of a form body, as they came. */
export const readForm = (text: string): FormField[] => [...new URLSearchParams(text)];

/** The first value of a field; empty ones count as not given. */
export const fieldOf = (fields: readonly FormField[], name: string): string | undefined =>
  fields.find(([each, value]) => each === name && value !== "")?.[1];

/** The input of `message.receive` for a message that Twilio hands over, or the name of a field that is missing. */
export function incomingMessage(
  fields: readonly FormField[],
  channel: string,
): { readonly input: Record<string, unknown> } | { readonly missing: string } {
  // a sender who hides is a sender all the same
  const from = fieldOf(fields, "From") ?? "";
  const id = fieldOf(fields, "MessageSid") ?? fieldOf(fields, "SmsMessageSid") ?? fieldOf(fields, "SmsSid");
  if (id === undefined) return { missing: "MessageSid" };
  const media = mediaOf(fields);
  const name = fieldOf(fields, "ProfileName");
  return {
    input: {
      channel,
      from,
      text: fieldOf(fields, "Body") ?? "",
      provider_id: id,
      ...(media.length > 0 && { media }),
      ...(name !== undefined && { first_name: name.slice(0, 200) }),
    },
  };
}

/** Pictures and other media; Twilio numbers them from 0 and says how many there are. */
function mediaOf(fields: readonly FormField[]): { url: string; content_type?: string }[] {
  const count = Math.min(Number(fieldOf(fields, "NumMedia") ?? 0) || 0, 20);
  return Array.from({ length: count }, (_, n) => {
    const url = fieldOf(fields, `MediaUrl${n}`);
    const type = fieldOf(fields, `MediaContentType${n}`);
    return url === undefined ? [] : [{ url, ...(type !== undefined && { content_type: type }) }];
  }).flat();
}

/** What Twilio's words for a message's way say of its delivery; words that are not here tell nothing new. */
const deliveryOf: Readonly<Record<string, string>> = {
  sent: "sent",
  delivered: "delivered",
  read: "read",
  undelivered: "failed",
  failed: "failed",
};

/**
 * The input of `message.record_delivery` for a status callback; null for news that changes nothing, such as `queued`. Where
 * the address names no message, it is found by Twilio's id, which is known only once our own call was answered.
 */
export function deliveryNews(
  fields: readonly FormField[],
  channel: string,
  message: string | null = null,
): { readonly input: Record<string, unknown> | null } | { readonly missing: string } {
  const id = fieldOf(fields, "MessageSid") ?? fieldOf(fields, "SmsSid");
  const status = fieldOf(fields, "MessageStatus") ?? fieldOf(fields, "SmsStatus");
  if (id === undefined) return { missing: "MessageSid" };
  if (status === undefined) return { missing: "MessageStatus" };
  const delivery = Object.hasOwn(deliveryOf, status) ? deliveryOf[status] : undefined;
  if (delivery === undefined) return { input: null };
  const code = fieldOf(fields, "ErrorCode");
  return {
    input: {
      ...(message === null ? { channel } : { message }),
      provider_id: id,
      delivery,
      ...(code !== undefined && { error: `twilio ${code}`.slice(0, 1000) }),
    },
  };
}
