import { randomBytes } from "node:crypto";
import type { Pool, PoolClient } from "pg";
import { freshId } from "../lanes/fresh-id.ts";
import { hashToken } from "../secrets/token.ts";

/** What a link can be for, and for how many seconds it is good. */
const lasts = {
  setup: 7 * 86_400,
  reset: 3600,
  email: 86_400,
} as const;
export type LinkKind = keyof typeof lasts;

/** What each kind of link carries; it stays here, and only its token travels. */
export interface LinkFacts {
  /** the organization whose owner is to be set */
  readonly setup: { readonly organization: string; readonly lane: number };
  /** whose password is to be set; whether the link went to their address, which using it then proves */
  readonly reset: { readonly identity: string; readonly mailed: boolean };
  /** whose address is to be another */
  readonly email: { readonly identity: string; readonly email: string; readonly mailed: boolean };
}

type Queryable = Pick<Pool, "query"> | Pick<PoolClient, "query">;
const identifierOf = (kind: LinkKind, token: string): string => `${kind}:${hashToken(token)}`;

/** Makes the token of a link that works once. What is kept is its hash. */
export async function issueLink<K extends LinkKind>(db: Queryable, kind: K, facts: LinkFacts[K]): Promise<string> {
  const token = randomBytes(32).toString("base64url");
  await db.query(
    `insert into directory_verifications (id, identifier, value, expires_at)
values ($1, $2, $3, now() + make_interval(secs => $4))`,
    [freshId(), identifierOf(kind, token), JSON.stringify(facts), lasts[kind]],
  );
  return token;
}

/** What a link is for, without using it up; null for one that is none, was used, or is too old. */
export async function readLink<K extends LinkKind>(
  db: Queryable,
  kind: K,
  token: string,
): Promise<LinkFacts[K] | null> {
  const { rows } = await db.query<{ value: string }>(
    "select value from directory_verifications where identifier = $1 and expires_at > now()",
    [identifierOf(kind, token)],
  );
  return rows[0] === undefined ? null : (JSON.parse(rows[0].value) as LinkFacts[K]);
}

/** Uses a link up: of two who come with it at once one gets it, and the other null. */
export async function takeLink<K extends LinkKind>(
  db: Queryable,
  kind: K,
  token: string,
): Promise<LinkFacts[K] | null> {
  const { rows } = await db.query<{ value: string }>(
    "delete from directory_verifications where identifier = $1 and expires_at > now() returning value",
    [identifierOf(kind, token)],
  );
  return rows[0] === undefined ? null : (JSON.parse(rows[0].value) as LinkFacts[K]);
}

/** Ends all links of a kind whose facts have a value in a member: the others that wait for the same. */
export async function dropLinks(db: Queryable, kind: LinkKind, member: string, value: string): Promise<void> {
  await db.query("delete from directory_verifications where identifier like $1 and value::jsonb ->> $2 = $3", [
    `${kind}:%`,
    member,
    value,
  ]);
}

/** The address of a link. The token stands behind `#`, which no server and no log ever sees. */
export const linkAddress = (publicUrl: string, kind: LinkKind | "invitation", token: string): string =>
  `${publicUrl}/welcome#${kind}=${token}`;
