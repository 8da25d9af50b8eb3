import fc from "fast-check";
import { expect, test } from "vitest";
import { type ChannelKind, channelKinds } from "../model/settings.ts";
import { parseAddress } from "./address.ts";
import { type AddressKind, addressKindOf, parseSender } from "./sender.ts";

test.each<[ChannelKind, string, AddressKind, string]>([
  ["sms", "555 123 4567", "phone", "+15551234567"],
  ["sms", "12345", "short_code", "12345"],
  ["sms", "ACME", "alphanumeric", "ACME"],
  ["sms", "+Plus", "alphanumeric", "+Plus"],
  ["sms", "7-Eleven", "alphanumeric", "7-Eleven"],
  ["sms", "12", "other", "other:12"],
  ["sms", "?", "other", "other:?"],
  ["sms", "  ", "other", "other:unknown"],
  ["whatsapp", "+15551234567", "phone", "whatsapp:+15551234567"],
  ["whatsapp", "12345", "other", "other:12345"],
  ["email", "Ada@Example.com", "email", "ada@example.com"],
  ["email", '"ada love"@example', "other", 'other:"ada love"@example'],
  ["messenger", "77", "messenger", "messenger:77"],
  ["messenger", "ada", "other", "other:ada"],
  ["chat", "visitor", "chat", "visitor"],
  ["chat", "other:x", "other", "other:x"],
  ["chat", " other: ", "other", "other:unknown"],
  ["api", "", "other", "other:unknown"],
])("%s from %j is %s %j", (channel, text, kind, address) => {
  expect(parseSender(channel, text)).toBe(address);
  expect(addressKindOf(channel, address)).toBe(kind);
});

test("long senders are told apart and kept short", () => {
  const [one, two] = ["a", "b"].map((last) => parseSender("email", "😀".repeat(400) + last)) as [string, string];
  expect(one).not.toBe(two);
  for (const each of [one, two]) {
    expect(each.length).toBeLessThanOrEqual(206);
    expect(each.isWellFormed()).toBe(true);
  }
});

test("whoever writes has an address, the same for the same text, and of the kind `other` where the channel knows none such", () => {
  fc.assert(
    fc.property(fc.constantFrom(...channelKinds), fc.oneof(fc.string(), fc.emailAddress()), (channel, text) => {
      const address = parseSender(channel, text);
      expect(parseSender(channel, text)).toBe(address);
      expect(address.length).toBeGreaterThan(0);
      if (parseAddress(channel, text).ok) expect(addressKindOf(channel, address)).not.toBe("other");
      else expect(["other", "short_code", "alphanumeric"]).toContain(addressKindOf(channel, address));
    }),
    { numRuns: 1000 },
  );
});

test("a normal form is its own normal form, however long", () => {
  const texts = fc.oneof(fc.string(), fc.emailAddress(), fc.string({ unit: "binary", minLength: 190, maxLength: 230 }));
  const prefixed = fc.tuple(
    fc.constantFrom("", "other:", " other: ", "other:other:", "whatsapp:", "messenger:"),
    texts,
  );
  fc.assert(
    fc.property(fc.constantFrom(...channelKinds), prefixed, (channel, [prefix, text]) => {
      const address = parseSender(channel, prefix + text);
      expect(parseSender(channel, address)).toBe(address);
    }),
    { numRuns: 1000 },
  );
});
