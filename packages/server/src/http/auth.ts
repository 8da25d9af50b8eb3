import type { Actor } from "@threadmill/core";
import type { FastifyRequest } from "fastify";
import type { Pool } from "pg";
import type { Place } from "../lanes/port.ts";
import { hashToken } from "../secrets/token.ts";
import { ProblemAnswer } from "./errors.ts";
import { problem } from "./problems.ts";
import { ttlCache } from "./ttl-cache.ts";

/** Who calls: a token for now; whatever signs in to a scope. */
export interface Caller {
  readonly place: Place;
  /** who the events name */
  readonly actor: Actor;
  /** tells the callers of a scope apart: limits count by it, and idempotency keys belong to it */
  readonly id: string;
  /** the user whose rights it has; null for those who are none */
  readonly user: string | null;
  /** null when it signed in by other means */
  readonly token: { readonly id: string; readonly name: string } | null;
}

/** Tells who calls. */
export interface Authenticator {
  /** The caller of a request. Throws the problem `unauthorized`. */
  caller(request: FastifyRequest): Promise<Caller>;
  /** Makes a revoked token stop at once in this process; in others it does within seconds. */
  forget(hash: string): void;
}

const rememberMs = 5000;
const mostRemembered = 10_000;

/** Looks tokens up in the directory, by their hash, and remembers them for a few seconds. */
export function createAuthenticator(pool: Pool, nowMs: () => number): Authenticator {
  const callers = ttlCache<Caller | null>({
    load: (hash) => findCaller(pool, hash),
    ttlMs: rememberMs,
    most: mostRemembered,
    nowMs,
  });
  return {
    async caller(request) {
      const token = tokenOf(request);
      if (token === null) throw new ProblemAnswer(problem("unauthorized"));
      // the form of every token, ours or preset; anything else is not worth a look-up
      const found = /^[\x21-\x7e]{24,200}$/.test(token) ? await callers.get(hashToken(token)) : null;
      if (found === null)
        throw new ProblemAnswer(problem("unauthorized", { detail: "The token is unknown or was revoked" }));
      return found;
    },
    forget: (hash) => callers.forget(hash),
  };
}

/** `Authorization: Bearer` or `X-Token`; null when neither is there. */
function tokenOf({ headers }: FastifyRequest): string | null {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1];
  if (bearer !== undefined) return bearer;
  const token = headers["x-token"];
  return typeof token === "string" && token !== "" ? token : null;
}

async function findCaller(pool: Pool, hash: string): Promise<Caller | null> {
  const { rows } = await pool.query<{ lane: number; organization: string; user_id: string; id: string; name: string }>({
    name: "find_token",
    text: "select lane, organization, user_id, id, name from directory_tokens where hash = $1 and revoked_at is null",
    values: [hash],
  });
  const [row] = rows;
  if (row === undefined) return null;
  return {
    place: { lane: row.lane, organization: row.organization },
    actor: { kind: "user", id: row.user_id },
    id: row.id,
    user: row.user_id,
    token: { id: row.id, name: row.name },
  };
}
