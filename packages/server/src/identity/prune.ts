import type { Pool } from "pg";

/**
 * Takes away what is over: sessions and proofs past their time, tries and browsers that nobody remembers, answered and old
 * invitations. Nothing of it says who works here.
 */
export async function pruneSignIn(pool: Pool): Promise<void> {
  for (const statement of [
    "delete from directory_sessions where expires_at < now()",
    "delete from directory_verifications where expires_at < now()",
    "delete from directory_attempts where last_at < now() - interval '1 day' and (blocked_until is null or blocked_until < now())",
    "delete from directory_devices where last_used_at < now() - interval '400 days'",
    "delete from directory_invitations where least(expires_at, coalesce(accepted_at, revoked_at, expires_at)) < now() - interval '400 days'",
  ])
    await pool.query(statement);
}
