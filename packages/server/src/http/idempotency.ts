import { createHash } from "node:crypto";
import type { Pool } from "pg";
import type { Place } from "../lanes/port.ts";
import { ProblemAnswer } from "./errors.ts";
import { problem } from "./problems.ts";

/**
 * A client's `Idempotency-Key` as it is kept. Both halves are hex of one length: `scope` is a hash of organization, token,
 * route and the client's key, `key` is the scope followed by a hash of the body. So the same request has the same `key`,
 * and one index range finds whether the client's key was used for another body.
 */
export interface ScopedKey {
  readonly scope: string;
  readonly key: string;
}

/** What a key is scoped by. */
export interface KeyedRequest {
  readonly organization: string;
  readonly token: string;
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
export function scopeKey({ organization, token, method, url, clientKey, body }: KeyedRequest): ScopedKey {
  if (!/^[\x21-\x7e]{1,255}$/.test(clientKey)) {
    throw new ProblemAnswer(
      problem("invalid_input", { detail: "An Idempotency-Key has 1 to 255 visible ASCII characters" }),
    );
  }
  const scope = half(organization, token, method, url, clientKey);
  return { scope, key: scope + half(body) };
}

/** The lowest and highest key of a scope, whatever the body. */
export const keysOfScope = ({ scope }: ScopedKey): [string, string] => [scope + "0".repeat(32), scope + "f".repeat(32)];

/** Refuses a key that was used with another body; what the key was used for is told by the command's receipt. */
export async function refuseReusedKey(pool: Pool, { lane, organization }: Place, scoped: ScopedKey): Promise<void> {
  const { rows } = await pool.query<{ key: string }>({
    name: "find_receipts_of_key",
    text: "select key from receipts where lane = $1 and organization = $2 and key between $3 and $4 limit 2",
    values: [lane, organization, ...keysOfScope(scoped)],
  });
  if (rows.some(({ key }) => key !== scoped.key)) throw reusedKey();
}

/** The answer to a key that belongs to another request. */
export const reusedKey = (): ProblemAnswer => new ProblemAnswer(problem("idempotency_key_reused"));
