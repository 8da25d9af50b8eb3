import { expect, test } from "vitest";
import { customerRow } from "../testing/world.ts";
import { addressKey, addressOn, customerFieldFor, mergedAddresses, unanswerable } from "./addressing.ts";
import { addressesOf } from "./derived.ts";

const nobody = customerRow({ id: "a" });

test.each([
  { channel: "sms", address: "+14155550101", key: "addresses/phone:+14155550101" },
  { channel: "whatsapp", address: "whatsapp:+14155550101", key: "addresses/phone:+14155550101" },
  { channel: "messenger", address: "messenger:77", key: "addresses/messenger:77" },
  { channel: "email", address: "a@example.com", key: "addresses/email:a@example.com" },
  { channel: "chat", address: "visitor", key: "addresses/chat:visitor" },
  { channel: "api", address: "a:b", key: "addresses/api:a:b" },
  { channel: "sms", address: "12345", key: "addresses/short_code:12345" },
] as const)("an address on $channel is found, and written to, as the channel does", ({ channel, address, key }) => {
  expect(addressKey(channel, address)).toBe(key);
  for (const has of [
    nobody,
    customerRow({ id: "a", phone: "+14155550999", email: "z@example.com", handles: ["api:first"] }),
  ]) {
    const row = { ...has, ...customerFieldFor(channel, address, has) };
    expect(addressesOf(row)).toEqual(expect.arrayContaining([...addressesOf(has), key]));
  }
  expect(addressOn(channel, { ...nobody, ...customerFieldFor(channel, address) })).toBe(address);
  expect(addressOn(channel, nobody)).toBeNull();
});

test.each([
  { channel: "sms", address: "ACME", key: "addresses/alphanumeric:ACME" },
  { channel: "sms", address: "other:?", key: "addresses/other:sms:?" },
  { channel: "email", address: "other:?", key: "addresses/other:email:?" },
] as const)("a sender that cannot be answered is found again: $key", ({ channel, address, key }) => {
  expect(addressKey(channel, address)).toBe(key);
  const row = { ...nobody, ...customerFieldFor(channel, address) };
  expect(addressesOf(row)).toEqual([key]);
  expect(addressOn(channel, row)).toBeNull();
  expect(unanswerable(channel, address, "/x")).toMatchObject({ code: "sender_unanswerable", path: "/x" });
});

test("telephone numbers, short codes and mail can be answered", () => {
  for (const address of ["+14155550101", "12345"]) expect(unanswerable("sms", address, "")).toBeNull();
  expect(unanswerable("email", "a@example.com", "")).toBeNull();
});

test("a second address of a kind is a handle, and used where there is no first", () => {
  expect(addressOn("sms", customerRow({ id: "a", handles: ["phone:+14155550102"] }))).toBe("+14155550102");
  expect(addressOn("sms", customerRow({ id: "a", phone: "+14155550101", handles: ["phone:+14155550102"] }))).toBe(
    "+14155550101",
  );
});

test("merging keeps the target's addresses first and each once", () => {
  const target = customerRow({ id: "a", phone: "+1", handles: ["chat:v", "email:b@example.com"] });
  const source = customerRow({
    id: "b",
    phone: "+2",
    email: "b@example.com",
    external_id: "e",
    handles: ["chat:v", "api:x"],
  });
  expect(mergedAddresses(target, source)).toEqual({
    phone: "+1",
    email: "b@example.com",
    external_id: "e",
    handles: ["chat:v", "email:b@example.com", "api:x", "phone:+2"],
  });
});

test("who was merged or erased is found under none", () => {
  const row = customerRow({ id: "a", phone: "+1", email: "a@example.com", external_id: "e", handles: ["chat:v"] });
  expect(addressesOf(row)).toEqual([
    "addresses/phone:+1",
    "addresses/email:a@example.com",
    "addresses/external:e",
    "addresses/chat:v",
  ]);
  expect(addressesOf({ ...row, merged_into: "b" })).toEqual([]);
  expect(addressesOf({ ...row, erased_at: "2026-01-01T00:00:00.000Z" })).toEqual([]);
});
