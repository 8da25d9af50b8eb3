import type { Actor } from "@threadmill/core";
import type { FastifyRequest } from "fastify";
import type { Pool } from "pg";
import { checkOwnPage } from "../identity/own-pages.ts";
import { findSession, memberOf, organizationHeader, type SessionFound, sessionTokenOf } from "../identity/session.ts";
import type { Place } from "../lanes/port.ts";
import { hashToken } from "../secrets/token.ts";
import { ProblemAnswer } from "./errors.ts";
import { problem } from "./problems.ts";
import { ttlCache } from "./ttl-cache.ts";
import { createUse } from "./use.ts";

/** Who calls: by a token, by the session of a person, or whatever else signs in to a scope. */
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
  /** the only permissions that it may use of those that the user has; null: all. Those of a token are said when it is made */
  readonly scopes: ReadonlySet<string> | null;
  /** the session of a person who signed in, and which identity that is; null when it signed in by other means */
  readonly session: { readonly id: string; readonly identity: string } | null;
}

/** Tells who calls. */
export interface Authenticator {
  /** The caller of a request. Throws the problems `unauthorized`, `page_not_ours` and `not_a_member`. */
  caller(request: FastifyRequest): Promise<Caller>;
  /** Makes a revoked token or session, by its hash, stop at once in this process; in others it does within seconds. */
  forget(hash: string): void;
  /** Makes everything remembered be asked anew: for what changes many sessions at once. */
  forgetAll(): void;
}

/** What an authenticator works with. */
export interface AuthenticatorPorts {
  readonly pool: Pool;
  readonly nowMs: () => number;
  /** the address whose pages may act for a session */
  readonly publicUrl: string;
}

const rememberMs = 5000;
const mostRemembered = 10_000;

/** Looks tokens and sessions up in the directory, by their hash, and remembers them for a few seconds. */
export function createAuthenticator({ pool, nowMs, publicUrl }: AuthenticatorPorts): Authenticator {
  const use = createUse(pool, nowMs);
  const remember = { ttlMs: rememberMs, most: mostRemembered, nowMs };
  const callers = ttlCache<Caller | null>({
    load: (hash) => findCaller(pool, hash, (row) => use.token(row)),
    ...remember,
  });
  const sessions = ttlCache<SessionFound | null>({
    load: async (hash) => {
      const found = await findSession(pool, hash);
      if (found !== null) use.session(found);
      return found;
    },
    ...remember,
  });

  const byToken = async (token: string): Promise<Caller> => {
    // the form of every token, ours or preset; anything else is not worth a look-up
    const found = /^[\x21-\x7e]{24,200}$/.test(token) ? await callers.get(hashToken(token)) : null;
    if (found === null)
      throw new ProblemAnswer(problem("unauthorized", { detail: "The token is unknown, expired or was revoked" }));
    return found;
  };

  const bySession = async (request: FastifyRequest, token: string): Promise<Caller> => {
    const found = await sessions.get(hashToken(token));
    if (found === null || Date.parse(found.expires_at) <= nowMs())
      throw new ProblemAnswer(problem("unauthorized", { detail: "The session has ended; sign in again" }));
    checkOwnPage(request, publicUrl);
    const member = memberOf(found, request.headers[organizationHeader]);
    if (member === null) throw new ProblemAnswer(problem("not_a_member"));
    const { id, identity } = found;
    const { lane, organization, user } = member;
    return {
      place: { lane, organization },
      actor: { kind: "user", id: user, session: id },
      id,
      user,
      token: null,
      scopes: null,
      session: { id, identity },
    };
  };

  return {
    async caller(request) {
      const token = tokenOf(request);
      if (token !== null) return byToken(token);
      const session = sessionTokenOf(request, publicUrl);
      if (session !== null) return bySession(request, session);
      throw new ProblemAnswer(problem("unauthorized"));
    },
    forget(hash) {
      callers.forget(hash);
      sessions.forget(hash);
    },
    forgetAll() {
      callers.clear();
      sessions.clear();
    },
  };
}

/** `Authorization: Bearer` or `X-Token`; null when neither is there. */
function tokenOf({ headers }: FastifyRequest): string | null {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1];
  if (bearer !== undefined) return bearer;
  const token = headers["x-token"];
  return typeof token === "string" && token !== "" ? token : null;
}

interface TokenRow {
  readonly lane: number;
  readonly organization: string;
  readonly user_id: string;
  readonly id: string;
  readonly name: string;
  readonly last_used_at: string | null;
  readonly scopes: readonly string[] | null;
}

async function findCaller(pool: Pool, hash: string, used: (row: TokenRow) => void): Promise<Caller | null> {
  const { rows } = await pool.query<TokenRow>({
    name: "find_token",
    text: `select lane, organization, user_id, id, name, last_used_at, scopes from directory_tokens
where hash = $1 and revoked_at is null and (expires_at is null or expires_at > now())`,
    values: [hash],
  });
  const [row] = rows;
  if (row === undefined) return null;
  used(row);
  return {
    place: { lane: row.lane, organization: row.organization },
    actor: { kind: "user", id: row.user_id, token: row.id },
    id: row.id,
    user: row.user_id,
    token: { id: row.id, name: row.name },
    scopes: row.scopes === null ? null : new Set(row.scopes),
    session: null,
  };
}
