import { expect, test } from "vitest";
import { scopeKey } from "./idempotency.ts";

const request = { organization: "o", caller: "t", method: "POST", url: "/a", clientKey: "k", body: "{}" };

test("the same request has the same key and fingerprint; the key does not depend on the body", () => {
  const one = scopeKey(request);
  expect(scopeKey({ ...request, body: Buffer.from("{}") })).toEqual(one);
  const other = scopeKey({ ...request, body: "[]" });
  expect(other.key).toBe(one.key);
  expect(other.fingerprint).not.toBe(one.fingerprint);
});

test("organization, caller, method, address and the client's key each make another key", () => {
  const keys = [
    {},
    { organization: "p" },
    { caller: "u" },
    { method: "PUT" },
    { url: "/b" },
    { clientKey: "l" },
    { organization: "ot", caller: "" },
  ].map((change) => scopeKey({ ...request, ...change }).key);
  expect(new Set(keys).size).toBe(keys.length);
});
