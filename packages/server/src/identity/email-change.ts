import { refuse } from "@threadmill/core";
import { isUniqueViolation } from "../db/unique.ts";
import type { LinkFacts } from "./one-time.ts";
import type { SigningIn } from "./signing-in.ts";

/**
 * Makes an identity sign in with another address, and the users that it is have it too where they had the old one. Answers
 * the old one; null where somebody else has the new one.
 */
export async function changeEmail(
  { pool, engine, log }: Pick<SigningIn, "pool" | "engine" | "log">,
  { identity, email, mailed }: LinkFacts["email"],
): Promise<string | null> {
  const { rows } = await pool
    .query<{ before: string }>(
      `update directory_identities i set email = $2, email_verified = $3, updated_at = now()
from (select id, email from directory_identities where id = $1 for update) o where o.id = i.id returning o.email as before`,
      [identity, email, mailed],
    )
    .catch((error: unknown) => {
      if (isUniqueViolation(error)) return { rows: [] };
      throw error;
    });
  const before = rows[0]?.before;
  if (before === undefined) return null;
  const members = await pool.query<{ lane: number; organization: string; user_id: string }>(
    "select lane, organization, user_id from directory_memberships where identity = $1",
    [identity],
  );
  for (const { lane, organization, user_id } of members.rows) {
    const place = { lane, organization };
    const actor = { kind: "user", id: user_id } as const;
    // where another user has the address already, an administrator has to see to it
    await engine
      .changeSettings(place, actor, async (tx) => {
        const found = await tx.query<{ id: string; email: string | null }>(
          "select id, kind, role, name, email, archived_at from users where lane = $1 and organization = $2 and id = $3",
          [lane, organization, user_id],
        );
        const [row] = found.rows;
        if (row?.email?.toLowerCase() !== before) return refuse("conflict", "email_differs", "It had another address");
        await tx.query("update users set email = $4 where lane = $1 and organization = $2 and id = $3", [
          lane,
          organization,
          user_id,
          email,
        ]);
        return { noun: "user", id: user_id, before: row, after: { ...row, email }, result: null };
      })
      .catch((error: unknown) => log.warn({ err: error, organization }, "a user kept the e-mail address of before"));
  }
  return before;
}
