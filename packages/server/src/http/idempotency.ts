import { createHash } from "node:crypto";
import { ProblemAnswer } from "./errors.ts";
import { problem } from "./problems.ts";

/**
 * A client's `Idempotency-Key` as it is kept. Both are hashes in hex: `key` of organization, caller, route and the client's
 * key, `fingerprint` of the body. Whoever holds the lane compares them: the same key with another fingerprint is refused.
 */
export interface ScopedKey {
  readonly key: string;
  readonly fingerprint: string;
}

/** What a key is scoped by. */
export interface KeyedRequest {
  readonly organization: string;
  readonly caller: string;
  readonly method: string;
  readonly url: string;
  readonly clientKey: string;
  readonly body: Uint8Array | string;
}

/** 128 bits each are far beyond chance, and keep the index small. */
const half = (...parts: readonly (string | Uint8Array)[]): string => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex").slice(0, 32);
};

/** Scopes a client's key. Throws a problem for a key that is empty, too long or holds other than visible ASCII. */
export function scopeKey({ organization, caller, method, url, clientKey, body }: KeyedRequest): ScopedKey {
  if (!/^[\x21-\x7e]{1,255}$/.test(clientKey)) {
    throw new ProblemAnswer(
      problem("invalid_input", { detail: "An Idempotency-Key has 1 to 255 visible ASCII characters" }),
    );
  }
  return { key: half(organization, caller, method, url, clientKey), fingerprint: half(body) };
}
