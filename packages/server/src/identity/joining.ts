import type { Pool } from "pg";
import { emailForm } from "./people.ts";

/** Whether an address was invited somewhere and has not answered yet. */
export async function mayJoin(pool: Pool, email: string): Promise<boolean> {
  const { rows } = await pool.query(
    `select 1 from directory_invitations
where email = $1 and accepted_at is null and revoked_at is null and expires_at > now() limit 1`,
    [emailForm(email)],
  );
  return rows.length > 0;
}
