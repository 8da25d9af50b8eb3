import type { ChannelKind } from "../model/settings.ts";
import { type CountryCode, normalizePhone } from "./phone.ts";

export type AddressProblemCode =
  | "phone_not_possible"
  | "messenger_id_invalid"
  | "email_invalid"
  | "address_length"
  | "address_reserved";

export type AddressAnswer =
  | { readonly ok: true; readonly address: string }
  | { readonly ok: false; readonly code: AddressProblemCode; readonly message: string };

/** Letters are those of any script, as domains of other scripts are written so; no quotes, comments or display names. */
const emailForm =
  /^[^\s"(),:;<>@[\\\]\p{Cc}]{1,64}@((?:[\p{L}\p{N}\p{M}](?:[\p{L}\p{N}\p{M}-]{0,61}[\p{L}\p{N}\p{M}])?\.)+[\p{L}\p{N}\p{M}][\p{L}\p{N}\p{M}-]{0,61}[\p{L}\p{N}\p{M}])$/u;

/** One table: how each kind of channel writes an address. */
const readers: Record<ChannelKind, (text: string, country: CountryCode) => AddressAnswer> = {
  sms: phone,
  whatsapp: (text, country) => prefixed("whatsapp:", phone(withoutPrefix("whatsapp:", text), country)),
  messenger: (text) => prefixed("messenger:", messengerId(withoutPrefix("messenger:", text))),
  email,
  chat: free,
  api: free,
};

/**
 * The normal form of a customer's address on a channel: equal addresses come out as equal texts. SMS and WhatsApp
 * numbers without a plus are read as of `country`.
 */
export function parseAddress(kind: ChannelKind, text: string, country: CountryCode = "US"): AddressAnswer {
  return readers[kind](text.trim(), country);
}

function phone(text: string, country: CountryCode): AddressAnswer {
  const answer = normalizePhone(text, country);
  return answer.ok ? { ok: true, address: answer.e164 } : answer;
}

function messengerId(text: string): AddressAnswer {
  if (/^\d{1,30}$/.test(text)) return { ok: true, address: text };
  return problem("messenger_id_invalid", 'a Messenger address is "messenger:" and digits');
}

/** In lower case: a server may tell "Ada@" from "ada@", but none that people use does, and one person is one customer. */
function email(text: string): AddressAnswer {
  if (text.length <= 254 && !dotsMisplaced(text) && emailForm.test(text))
    return { ok: true, address: text.toLowerCase() };
  return problem("email_invalid", 'an e-mail address looks like "ada@example.com"');
}

const dotsMisplaced = (text: string): boolean => text.startsWith(".") || text.includes("..") || text.includes(".@");

function free(text: string): AddressAnswer {
  if (text.startsWith("other:")) return problem("address_reserved", 'an address does not begin with "other:"');
  if (text.length >= 1 && text.length <= 200) return { ok: true, address: text };
  return problem("address_length", "an address has 1 to 200 characters");
}

const withoutPrefix = (prefix: string, text: string): string =>
  text.toLowerCase().startsWith(prefix) ? text.slice(prefix.length) : text;

function prefixed(prefix: string, answer: AddressAnswer): AddressAnswer {
  return answer.ok ? { ok: true, address: prefix + answer.address } : answer;
}

function problem(code: AddressProblemCode, message: string): AddressAnswer {
  return { ok: false, code, message };
}
