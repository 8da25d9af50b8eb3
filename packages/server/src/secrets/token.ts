import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** How every token of ours begins, so that people and scanners recognize one that leaked. */
export const tokenPrefix = "tm_";

/** Makes a token: the prefix and 256 random bits in base64url, 46 characters. `random` is replaced only by tests. */
export function newToken(random: (bytes: number) => Uint8Array = randomBytes): string {
  return tokenPrefix + Buffer.from(random(32)).toString("base64url");
}

/** How a token begins, for people to tell tokens apart: far too little to guess one. */
export const hintOf = (token: string): string => token.slice(0, tokenPrefix.length + 4);

/**
 * What is stored and looked up instead of a token: its SHA-256 in hex. Fast on purpose: tokens are random, so there is
 * nothing to guess, and every request pays for it.
 */
export function hashToken(token: string): string {
  return createHash("sha256").update(token, "utf8").digest("hex");
}

/** Whether two texts are equal, in a time that tells nothing about where they differ or how long they are. */
export function sameSecret(left: string, right: string): boolean {
  return timingSafeEqual(digest(left), digest(right));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}
