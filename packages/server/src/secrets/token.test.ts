import { expect, test } from "vitest";
import { hashToken, newToken, sameSecret } from "./token.ts";

test("tokens are recognizable, long and never the same", () => {
  expect(newToken()).toMatch(/^tm_[A-Za-z0-9_-]{43}$/);
  expect(newToken()).not.toBe(newToken());
  expect(newToken((bytes) => new Uint8Array(bytes))).toBe(`tm_${"A".repeat(43)}`);
});

test("a hash is the SHA-256 of the token", () => {
  expect(hashToken("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

test("comparing takes texts of any length", () => {
  expect(sameSecret("abc", "abc")).toBe(true);
  expect(sameSecret("abc", "abd")).toBe(false);
  expect(sameSecret("abc", "abcd")).toBe(false);
  expect(sameSecret("", "")).toBe(true);
});
