import type { Pool } from "pg";
import type { Caller } from "../http/auth.ts";

/** Tells callers apart: a session may be used in several organizations. */
export const callerName = ({ id, place }: Pick<Caller, "id" | "place">): string => `${place.organization}/${id}`;

/**
 * Which callers, by name, may not be here any more: their token was revoked or has expired, their session has ended, or they
 * work in the organization no more. One look-up for all.
 */
export async function endedCallers(pool: Pool, callers: readonly Caller[]): Promise<ReadonlySet<string>> {
  const tokens = callers.filter(({ token }) => token !== null);
  const sessions = callers.filter(({ session }) => session !== null);
  const { rows } = await pool.query<{ name: string }>({
    name: "live_ended",
    text: `select k.name from unnest($1::text[], $2::uuid[]) as k(name, id)
where not exists (select from directory_tokens t
  where t.id = k.id and t.revoked_at is null and (t.expires_at is null or t.expires_at > now()))
union all
select k.name from unnest($3::text[], $4::uuid[], $5::uuid[]) as k(name, session, organization)
where not exists (select from directory_sessions s
  join directory_memberships m on m.identity = s.identity and m.organization = k.organization
  where s.id = k.session and s.expires_at > now())`,
    values: [
      tokens.map(callerName),
      tokens.map(({ token }) => token?.id),
      sessions.map(callerName),
      sessions.map(({ session }) => session?.id),
      sessions.map(({ place }) => place.organization),
    ],
  });
  return new Set(rows.map((row) => row.name));
}
