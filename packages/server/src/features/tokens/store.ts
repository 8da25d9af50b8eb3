import type { Pool, PoolClient } from "pg";
import { freshId } from "../../lanes/fresh-id.ts";
import type { Place } from "../../lanes/port.ts";
import { hashToken, hintOf } from "../../secrets/token.ts";

/** A token as people see it; the token itself is kept nowhere. */
export interface TokenShown {
  readonly id: string;
  readonly name: string;
  /** it acts with this user's current rights */
  readonly user: string;
  /** how it begins */
  readonly hint: string;
  readonly created_at: string;
  readonly revoked_at: string | null;
  /** from then on it does nothing; null: never */
  readonly expires_at: string | null;
  /** to within an hour or so; null: never, as far as is known */
  readonly last_used_at: string | null;
  /** the only permissions that it may use; null: all that its user has */
  readonly scopes: readonly string[] | null;
}

/** Which of an organization's tokens are listed: newest first, behind an id where one is given. */
export interface TokensAsked {
  readonly revoked: boolean;
  readonly before?: string | undefined;
  readonly most: number;
}

type Queryable = Pick<Pool, "query"> | Pick<PoolClient, "query">;
const columns = `id, name, user_id as "user", hint, created_at, revoked_at, expires_at, last_used_at, scopes`;

/** Keeps a new token, by its hash. */
export async function insertToken(
  tx: Queryable,
  { lane, organization }: Place,
  {
    token,
    user,
    name,
    at,
    expires_at = null,
    scopes = null,
  }: {
    readonly token: string;
    readonly user: string;
    readonly name: string;
    readonly at: string;
    readonly expires_at?: string | null;
    readonly scopes?: readonly string[] | null;
  },
): Promise<TokenShown> {
  const { rows } = await tx.query<TokenShown>(
    `insert into directory_tokens (hash, id, organization, lane, user_id, name, hint, created_at, expires_at, scopes)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning ${columns}`,
    [hashToken(token), freshId(Date.parse(at)), organization, lane, user, name, hintOf(token), at, expires_at, scopes],
  );
  return rows[0] as TokenShown;
}

/** An organization's tokens, newest first. */
export async function readTokens(
  db: Queryable,
  { organization }: Pick<Place, "organization">,
  { revoked, before, most }: TokensAsked,
): Promise<TokenShown[]> {
  const { rows } = await db.query<TokenShown>(
    `select ${columns} from directory_tokens
where organization = $1 and ($2 or revoked_at is null) and ($3::uuid is null or id < $3) order by id desc limit $4`,
    [organization, revoked, before ?? null, most],
  );
  return rows;
}

/** A token of an organization by its id, with the hash that it is found by. */
export async function readToken(
  db: Queryable,
  { organization }: Pick<Place, "organization">,
  id: string,
): Promise<{ readonly shown: TokenShown; readonly hash: string } | null> {
  const { rows } = await db.query<TokenShown & { readonly hash: string }>(
    `select ${columns}, hash from directory_tokens where organization = $1 and id::text = $2`,
    [organization, id],
  );
  if (rows[0] === undefined) return null;
  const { hash, ...shown } = rows[0];
  return { shown, hash };
}

/** Revokes a token. */
export async function markRevoked(
  tx: Queryable,
  { organization }: Pick<Place, "organization">,
  token: TokenShown,
  at: string,
): Promise<TokenShown> {
  await tx.query("update directory_tokens set revoked_at = $3 where id = $1 and organization = $2", [
    token.id,
    organization,
    at,
  ]);
  return { ...token, revoked_at: at };
}
