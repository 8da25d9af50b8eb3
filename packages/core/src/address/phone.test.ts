import fc from "fast-check";
import { getCountries, getCountryCallingCode, parsePhoneNumberFromString } from "libphonenumber-js/min";
import { expect, test } from "vitest";
import { type CountryCode, normalizePhone, normalizeSender } from "./phone.ts";

test.each([
  ["5551234567", "+15551234567"],
  ["(555) 123-4567", "+15551234567"],
  ["555.123.4567", "+15551234567"],
  ["1 555 123 4567", "+15551234567"],
  ["+1 (555) 123\u20114567", "+15551234567"],
  ["\u202a+1 555 123 4567\u202c", "+15551234567"],
  ["+15551234567", "+15551234567"],
  ["+1 1 555 123 4567", "+15551234567"],
  ["011 49 151 12345678", "+4915112345678"],
  ["+49 151 12345678", "+4915112345678"],
  ["+44 (0)20 7946 0958", "+442079460958"],
  ["+1\u00a0242 555 1234", "+12425551234"],
  ["\uff0b15551234567", "+15551234567"],
  ["+\u0661\u0665\u0665\u0665\u0661\u0662\u0663\u0664\u0665\u0666\u0667", "+15551234567"],
])("%s is %s", (text, e164) => {
  expect(normalizePhone(text)).toEqual({ ok: true, e164 });
});

test("without a plus the country decides", () => {
  expect(normalizePhone("0151 12345678", "DE")).toEqual({ ok: true, e164: "+4915112345678" });
  expect(normalizePhone("020 7946 0958", "GB")).toEqual({ ok: true, e164: "+442079460958" });
  expect(normalizePhone("+15551234567", "DE")).toEqual({ ok: true, e164: "+15551234567" });
  expect(normalizePhone("5551234567", "XX" as CountryCode)).toMatchObject({ ok: false });
});

test.each([
  "",
  "+",
  "5",
  "555",
  "5551234",
  "55512345678",
  "+1555123456",
  "+155512345678",
  "+999123456789",
  "1-800-FLOWERS",
  "call 555 123 4567",
  "555 123 4567 ext. 9",
  "tel:+15551234567",
  "+1+5551234567",
  "555+1234567",
  "1".repeat(300),
])("%s is not possible", (text) => {
  expect(normalizePhone(text)).toMatchObject({ ok: false, code: "phone_not_possible", message: expect.any(String) });
});

test("the short ways agree with the library", () => {
  const ten = fc.integer({ min: 1_000_000_000, max: 9_999_999_999 }).map(String);
  let short = 0;
  fc.assert(
    fc.property(ten, fc.constantFrom("+1", "1", ""), (digits, prefix) => {
      const phone = parsePhoneNumberFromString(prefix + digits, { defaultCountry: "US", extract: false });
      const answer = normalizePhone(prefix + digits);
      expect(answer.ok ? answer.e164 : null).toBe(phone?.isPossible() ? phone.number : null);
      if (answer.ok) short += 1;
    }),
    { numRuns: 3000 },
  );
  expect(short).toBeGreaterThan(1000);
});

test("a normal form is its own normal form", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1_000_000n, max: 999_999_999_999_999n }), (digits) => {
      const answer = normalizePhone(`+${digits}`);
      if (answer.ok) expect(normalizePhone(answer.e164)).toEqual(answer);
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ["+15551234567", "phone", "+15551234567"],
  ["5551234567", "phone", "+15551234567"],
  [" 12345 ", "short_code", "12345"],
  ["123", "short_code", "123"],
  ["12345678", "short_code", "12345678"],
  ["ACME", "alphanumeric", "ACME"],
  ["My Bank 24", "alphanumeric", "My Bank 24"],
])("%s is a %s", (text, kind, address) => {
  expect(normalizeSender(text)).toEqual({ ok: true, kind, address });
});

test.each(["", "12", "123456789", "A name too long", "<b>", "---"])("%s is no sender", (text) => {
  expect(normalizeSender(text)).toMatchObject({ ok: false, code: "sender_not_possible", message: expect.any(String) });
});

test("holds for every country: what is accepted stays, whoever asks again", () => {
  // zeros abound, as they are the prefixes that the library takes off
  const digit = fc.oneof(fc.constant("0"), fc.nat(9).map(String));
  const digits = fc.array(digit, { minLength: 5, maxLength: 14 }).map((parts) => parts.join(""));
  let settled = 0;
  fc.assert(
    fc.property(fc.constantFrom(...getCountries()), digits, fc.boolean(), (country, text, plus) => {
      const answer = normalizePhone(plus ? `+${getCountryCallingCode(country)}${text}` : text, country);
      if (!answer.ok) return;
      settled += 1;
      expect(normalizePhone(answer.e164, country)).toEqual(answer);
      expect(normalizePhone(answer.e164)).toEqual(answer);
    }),
    { numRuns: 3000 },
  );
  expect(settled).toBeGreaterThan(300);
});

test("a national number that is possible only without its country is refused", () => {
  expect(normalizePhone("9002300", "CA")).toMatchObject({ ok: false });
});
