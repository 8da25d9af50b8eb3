import { refuse, type Refusal } from "@threadmill/core";
import type { Pool, PoolClient } from "pg";
import type { Place } from "../lanes/port.ts";
import { dropLinks, issueLink, linkAddress, readLink, takeLink } from "./one-time.ts";
import { identityByEmail, insertIdentity, insertMembership, setPassword } from "./people.ts";
import type { SigningIn } from "./signing-in.ts";

/**
 * The link by which the first person comes in, as long as nobody can: whoever opens it becomes the owner of the oldest
 * organization in which no one signs in yet. A new one with each start, since only its hash is kept; null when it is late.
 */
export async function setupLink(pool: Pool, publicUrl: string): Promise<string | null> {
  const { rows } = await pool.query<{ id: string; lane: number }>(
    `select id, lane from directory_organizations o
where not exists (select from directory_memberships) order by created_at, id limit 1`,
  );
  const [row] = rows;
  if (row === undefined) return null;
  const token = await issueLink(pool, "setup", { organization: row.id, lane: row.lane });
  return linkAddress(publicUrl, "setup", token);
}

/** What the owner says of themselves. */
export interface Owner {
  readonly name: string;
  readonly email: string;
  /** of a password for a new identity */
  readonly hash: string;
}

const spent = refuse(
  "not_found",
  "link_not_found",
  "The link was used already, is too old, or was never made",
  "/token",
);

/** Makes whoever has the link the owner, all of it or nothing. */
export async function setUpOwner({ pool, engine }: SigningIn, token: string, owner: Owner): Promise<Refusal | null> {
  const facts = await readLink(pool, "setup", token);
  if (facts === null) return spent;
  const answer = await engine.changeSettings(facts, { kind: "system", id: null }, async (tx) => {
    const taken = await takeLink(tx, "setup", token);
    if (taken === null || (await someoneWorks(tx, facts))) return spent;
    await dropLinks(tx, "setup", "organization", facts.organization);
    const before = await ownerOf(tx, facts);
    if (before === null)
      return refuse("conflict", "owner_missing", "The organization has no user who could be its owner");
    if ((await identityByEmail(tx, owner.email)) !== null)
      return refuse("conflict", "email_taken", "Somebody signs in with this address already", "/email");
    const identity = await insertIdentity(tx, { ...owner, verified: false });
    if (identity === null)
      return refuse("conflict", "email_taken", "Somebody signs in with this address already", "/email");
    await setPassword(tx, identity.id, owner.hash);
    await insertMembership(tx, facts, identity.id, before.id);
    const after = { ...before, name: owner.name, email: identity.email };
    await tx.query("update users set name = $4, email = $5 where lane = $1 and organization = $2 and id = $3", [
      facts.lane,
      facts.organization,
      before.id,
      after.name,
      after.email,
    ]);
    return { noun: "user", id: before.id, before, after, result: null };
  });
  return answer.ok ? null : answer;
}

async function someoneWorks(tx: PoolClient, { organization }: Place): Promise<boolean> {
  const { rows } = await tx.query("select 1 from directory_memberships where organization = $1 limit 1", [
    organization,
  ]);
  return rows.length > 0;
}

interface UserRow {
  readonly id: string;
  readonly name: string;
  readonly email: string | null;
}

/** The person with whom the organization was made: the oldest of those who may do everything. */
async function ownerOf(tx: PoolClient, { lane, organization }: Place): Promise<UserRow | null> {
  const { rows } = await tx.query<UserRow>(
    `select id, kind, role, name, email, archived_at from users
where lane = $1 and organization = $2 and kind = 'person' and role in ('owner', 'admin') and archived_at is null
order by role = 'owner' desc, created_at, id limit 1`,
    [lane, organization],
  );
  return rows[0] ?? null;
}
