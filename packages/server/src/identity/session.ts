import type { FastifyRequest } from "fastify";
import type { Pool } from "pg";

/** The user that an identity is in one organization. */
export interface Member {
  readonly lane: number;
  readonly organization: string;
  readonly user: string;
}

/** A session that goes on, and where its identity works. */
export interface SessionFound {
  readonly id: string;
  readonly identity: string;
  /** the organization in which it works now */
  readonly organization: string | null;
  readonly expires_at: string;
  readonly last_seen_at: string;
  /** how long it lasts when nothing is heard of it, in milliseconds */
  readonly lasts_ms: number;
  /** the oldest first */
  readonly members: readonly Member[];
}

/** How long a session lasts without use, in seconds; half a day where it was not to be remembered. */
export const sessionSeconds = 14 * 86_400;
export const briefSessionSeconds = 43_200;

/** With this header a request says in which of its identity's organizations it is meant; without, in the session's. */
export const organizationHeader = "x-threadmill-organization";

/** The name of the cookie; a browser keeps one that begins with `__Secure-` off connections without TLS. */
export const sessionCookie = (publicUrl: string): string =>
  `${publicUrl.startsWith("https:") ? "__Secure-" : ""}threadmill_session`;

/** The token of a request's session cookie, in front of its signature; null without one of the right form. */
export function sessionTokenOf({ headers }: FastifyRequest, publicUrl: string): string | null {
  const name = sessionCookie(publicUrl);
  for (const part of headers.cookie?.split(";") ?? []) {
    const [key, value = ""] = part.trim().split("=", 2) as [string, string?];
    if (key === name) return /^([A-Za-z0-9]{32,64})(?:\.|%2E|$)/i.exec(value)?.[1] ?? null;
  }
  return null;
}

/** Finds a session by its token's hash; null where there is none, or where its identity works nowhere. */
export async function findSession(pool: Pool, hash: string): Promise<SessionFound | null> {
  const { rows } = await pool.query<SessionFound & Member>({
    name: "find_session",
    text: `select s.id, s.identity, s.organization, s.expires_at, s.last_seen_at,
  case when s.brief then ${briefSessionSeconds} else ${sessionSeconds} end * 1000 as lasts_ms,
  (select coalesce(json_agg(json_build_object('lane', m.lane, 'organization', m.organization, 'user', m.user_id)
    order by m.created_at, m.organization), '[]') from directory_memberships m where m.identity = s.identity) as members
from directory_sessions s where s.token = $1 and s.expires_at > now()`,
    values: [hash],
  });
  const [row] = rows;
  return row === undefined || row.members.length === 0 ? null : row;
}

/**
 * Where a session works: in the organization that the request names, or else in its own. One whose own organization let
 * the person go works in the oldest that is left. Null where the person works not in the named one.
 */
export function memberOf(
  { organization, members }: Pick<SessionFound, "organization" | "members">,
  named: string | readonly string[] | undefined,
): Member | null {
  if (named !== undefined) return members.find((each) => each.organization === named) ?? null;
  return members.find((each) => each.organization === organization) ?? members[0] ?? null;
}
