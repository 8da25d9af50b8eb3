// "min" is the metadata with number lengths and prefixes only, half the size of "max", whose patterns by type answer
// whether a number is in use. We ask only whether one is possible: new ranges open faster than metadata is updated.
import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from "libphonenumber-js/min";

export type { CountryCode };

export type PhoneAnswer =
  | { readonly ok: true; readonly e164: string }
  | { readonly ok: false; readonly code: "phone_not_possible"; readonly message: string };

export type SenderKind = "phone" | "short_code" | "alphanumeric";

export type SenderAnswer =
  | { readonly ok: true; readonly kind: SenderKind; readonly address: string }
  | { readonly ok: false; readonly code: "sender_not_possible"; readonly message: string };

/** Marks of writing direction and width that come along when a number is copied out of a page or a contact. */
const invisible = /[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g;
const separators = /[\s().\-/\u2010-\u2015\u2212]/g;
/** Digits of any script the library knows, after a plus or none; so letters, extensions and "tel:" are refused. */
const digits = /^[+\uff0b]?\p{Nd}{2,20}$/u;

/**
 * Ten digits of the North American plan, whose national numbers have no other length from outside and never start with
 * 0 or 1; here nothing is left for the library to decide. It takes 18 to 30 us for them, this 0.1 to 0.3; a test compares both.
 */
const northAmerican = /^\+1[2-9]\d{9}$/;
const nationalNorthAmerican = /^1?([2-9]\d{9})$/;

/**
 * The E.164 form of a phone number as people write it: "(555) 123-4567", "+49 151 12345678". Without a plus it is read
 * as of `country`. Refuses what no phone number of its country can look like, by length; whether it is in use is not asked.
 */
export function normalizePhone(text: string, country: CountryCode = "US"): PhoneAnswer {
  if (northAmerican.test(text)) return { ok: true, e164: text };
  if (text.length > 100) return refused;
  const bare = text.replace(invisible, "").replace(separators, "");
  if (northAmerican.test(bare)) return { ok: true, e164: bare };
  const national = country === "US" ? nationalNorthAmerican.exec(bare) : null;
  if (national) return { ok: true, e164: `+1${national[1]}` };
  if (!digits.test(bare) || !isSupportedCountry(country)) return refused;
  return settled(bare, country);
}

/**
 * The library forgives national prefixes after a plus ("+44 020 ..."), and takes off one more each time it is asked
 * where digits look like several. So it is asked until nothing changes: a normal form must be its own normal form, or
 * one number would become two customers. Most numbers take one or two rounds; what does not settle is refused.
 */
function settled(text: string, country: CountryCode, rounds = 12): PhoneAnswer {
  const phone = parsePhoneNumberFromString(text, { defaultCountry: country, extract: false });
  if (!phone?.isPossible() || rounds === 0) return refused;
  return phone.number === text ? { ok: true, e164: text } : settled(phone.number, country, rounds - 1);
}

/**
 * Who an inbound SMS is from: a phone number, a short code (3 to 8 digits) or an alphanumeric sender (1 to 11
 * characters, at least one letter, kept as written). Only the first two can be answered.
 */
export function normalizeSender(text: string, country: CountryCode = "US"): SenderAnswer {
  const trimmed = text.trim();
  if (/^\d{3,8}$/.test(trimmed)) return { ok: true, kind: "short_code", address: trimmed };
  const phone = normalizePhone(trimmed, country);
  if (phone.ok) return { ok: true, kind: "phone", address: phone.e164 };
  if (/^(?=.*[A-Za-z])[A-Za-z0-9 &'+._-]{1,11}$/.test(trimmed))
    return { ok: true, kind: "alphanumeric", address: trimmed };
  return {
    ok: false,
    code: "sender_not_possible",
    message: "a sender is a phone number, a short code of 3 to 8 digits, or up to 11 letters and digits",
  };
}

const refused: PhoneAnswer = {
  ok: false,
  code: "phone_not_possible",
  message: 'no phone number can look like this; write it with its country as "+15551234567"',
};
