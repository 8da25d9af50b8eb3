import { hashPassword } from "better-auth/crypto";
import type { Pool, PoolClient } from "pg";
import { freshId } from "../lanes/fresh-id.ts";
import type { Place } from "../lanes/port.ts";

type Queryable = Pick<Pool, "query"> | Pick<PoolClient, "query">;

/** Somebody who signs in. */
export interface Identity {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly email_verified: boolean;
  readonly two_factor: boolean;
}

const columns = "id, name, email, email_verified, two_factor";

/** Addresses are compared in one form. */
export const emailForm = (email: string): string => email.trim().toLowerCase();

/** Whether a text can be an e-mail address: the same for users, invitations and whoever signs in. */
export const isEmail = (text: string): boolean =>
  text.length <= 320 && /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/.test(text);

/** An identity by its address; null where there is none. */
export async function identityByEmail(db: Queryable, email: string): Promise<Identity | null> {
  const { rows } = await db.query<Identity>(`select ${columns} from directory_identities where email = $1`, [
    emailForm(email),
  ]);
  return rows[0] ?? null;
}

/** An identity by its id; null where there is none. */
export async function identityById(db: Queryable, id: string): Promise<Identity | null> {
  const { rows } = await db.query<Identity>(`select ${columns} from directory_identities where id = $1`, [id]);
  return rows[0] ?? null;
}

/** Makes an identity; null where the address has one. */
export async function insertIdentity(
  db: Queryable,
  given: { readonly name: string; readonly email: string; readonly verified: boolean },
): Promise<Identity | null> {
  const { rows } = await db.query<Identity>(
    `insert into directory_identities (id, name, email, email_verified) values ($1, $2, $3, $4)
on conflict (email) do nothing returning ${columns}`,
    [freshId(), given.name, emailForm(given.email), given.verified],
  );
  return rows[0] ?? null;
}

/** What is kept of a password. Takes a tenth of a second of one processor, on purpose. */
export const passwordHash = (password: string): Promise<string> => hashPassword(password);

/** Sets an identity's password, by its hash, whether it had one or not. */
export async function setPassword(db: Queryable, identity: string, hash: string): Promise<void> {
  await db.query(
    `insert into directory_accounts (id, identity, provider, account_id, password) values ($1, $2::uuid, 'credential', $2::uuid::text, $3)
on conflict (provider, account_id) do update set password = excluded.password, updated_at = now()`,
    [freshId(), identity, hash],
  );
}

/** Makes an identity a user of an organization; false where it is another one there, or another identity is that user. */
export async function insertMembership(
  db: Queryable,
  { lane, organization }: Place,
  identity: string,
  user: string,
): Promise<boolean> {
  const { rowCount } = await db.query(
    "insert into directory_memberships (identity, organization, lane, user_id) values ($1, $2, $3, $4) on conflict do nothing",
    [identity, organization, lane, user],
  );
  return rowCount === 1;
}

/** Ends sessions of an identity, all or all but one. Processes that remember them do so for seconds at most. */
export async function endSessions(db: Queryable, identity: string, but: string | null = null): Promise<number> {
  const { rowCount } = await db.query(
    "delete from directory_sessions where identity = $1 and ($2::uuid is null or id <> $2)",
    [identity, but],
  );
  return rowCount ?? 0;
}

/**
 * Forgets in which browsers an identity has proven itself, and which it trusts with the second factor: whoever got hold of
 * the old password in one of them begins anew.
 */
export async function forgetBrowsers(db: Queryable, identity: string): Promise<void> {
  await db.query("delete from directory_devices where identity = $1", [identity]);
  // a sign-in that waits for its second factor is among them, too
  await db.query("delete from directory_verifications where value = $1::uuid::text", [identity]);
}
