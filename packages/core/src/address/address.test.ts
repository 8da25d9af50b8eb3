import fc from "fast-check";
import { expect, test } from "vitest";
import { type ChannelKind, channelKinds } from "../model/settings.ts";
import { parseAddress } from "./address.ts";

const long = "x".repeat(64);

test.each<[ChannelKind, string, string]>([
  ["sms", " (555) 123-4567 ", "+15551234567"],
  ["whatsapp", "whatsapp:+1 555 123 4567", "whatsapp:+15551234567"],
  ["whatsapp", "+15551234567", "whatsapp:+15551234567"],
  ["whatsapp", "WhatsApp:+15551234567", "whatsapp:+15551234567"],
  ["messenger", "messenger:1234567890123456", "messenger:1234567890123456"],
  ["messenger", "1234567890123456", "messenger:1234567890123456"],
  ["email", " Ada.Lovelace+x@Example.COM ", "ada.lovelace+x@example.com"],
  ["email", `${long}@b.co`, `${long}@b.co`],
  ["email", "o'brien@mail.xn--p1ai", "o'brien@mail.xn--p1ai"],
  ["email", "jürgen@MÜNCHEN.de", "jürgen@münchen.de"],
  ["chat", " visitor 7 ", "visitor 7"],
  ["api", "x".repeat(200), "x".repeat(200)],
])("%s %s", (kind, text, address) => {
  expect(parseAddress(kind, text)).toEqual({ ok: true, address });
});

test.each<[ChannelKind, string, string]>([
  ["sms", "ACME", "phone_not_possible"],
  ["whatsapp", "whatsapp:12", "phone_not_possible"],
  ["messenger", "messenger:", "messenger_id_invalid"],
  ["messenger", "ada", "messenger_id_invalid"],
  ["email", "ada", "email_invalid"],
  ["email", "ada@", "email_invalid"],
  ["email", "@example.com", "email_invalid"],
  ["email", "ada@localhost", "email_invalid"],
  ["email", "ada@example.c", "email_invalid"],
  ["email", "ada@-example.com", "email_invalid"],
  ["email", "ada@example-.com", "email_invalid"],
  ["email", "ada@exa_mple.com", "email_invalid"],
  ["email", "ada@b@example.com", "email_invalid"],
  ["email", "ada love@example.com", "email_invalid"],
  ["email", "Ada <ada@example.com>", "email_invalid"],
  ["email", ".ada@example.com", "email_invalid"],
  ["email", "ada.@example.com", "email_invalid"],
  ["email", "ada@example..com", "email_invalid"],
  ["email", "a\nb@example.com", "email_invalid"],
  ["email", `x${long}@example.com`, "email_invalid"],
  ["email", `a@${`${"y".repeat(60)}.`.repeat(5)}com`, "email_invalid"],
  ["chat", "  ", "address_length"],
  ["api", "x".repeat(201), "address_length"],
  ["chat", "other:visitor", "address_reserved"],
])("%s refuses %s", (kind, text, code) => {
  expect(parseAddress(kind, text)).toMatchObject({ ok: false, code, message: expect.any(String) });
});

test("numbers without a plus are of the country", () => {
  expect(parseAddress("sms", "0151 12345678", "DE")).toEqual({ ok: true, address: "+4915112345678" });
});

test("a normal form is its own normal form", () => {
  const text = fc.oneof(
    fc.string(),
    fc.emailAddress(),
    fc.bigInt({ min: 1_000_000n, max: 9_999_999_999_999n }).map((n) => `+${n}`),
  );
  let accepted = 0;
  fc.assert(
    fc.property(fc.constantFrom(...channelKinds), text, (kind, any) => {
      const answer = parseAddress(kind, any);
      if (!answer.ok) return;
      accepted += 1;
      expect(parseAddress(kind, answer.address)).toEqual(answer);
    }),
    { numRuns: 2000 },
  );
  expect(accepted).toBeGreaterThan(200);
});
