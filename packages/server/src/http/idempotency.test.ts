import { expect, test } from "vitest";
import { keysOfScope, scopeKey } from "./idempotency.ts";

const request = { organization: "o", token: "t", method: "POST", url: "/a", clientKey: "k", body: "{}" };

test("the same request has the same key; the scope does not depend on the body", () => {
  const one = scopeKey(request);
  expect(scopeKey({ ...request, body: Buffer.from("{}") })).toEqual(one);
  const other = scopeKey({ ...request, body: "[]" });
  expect(other.scope).toBe(one.scope);
  expect(other.key).not.toBe(one.key);
  const [low, high] = keysOfScope(one);
  for (const { key } of [one, other]) expect(low <= key && key <= high && key.length === low.length).toBe(true);
});

test("organization, token, method, address and the client's key each make another scope", () => {
  const scopes = [
    {},
    { organization: "p" },
    { token: "u" },
    { method: "PUT" },
    { url: "/b" },
    { clientKey: "l" },
    { organization: "ot", token: "" },
  ].map((change) => scopeKey({ ...request, ...change }).scope);
  expect(new Set(scopes).size).toBe(scopes.length);
});
