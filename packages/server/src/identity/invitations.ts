import { randomBytes } from "node:crypto";
import { refuse, type Refusal } from "@threadmill/core";
import type { Pool, PoolClient } from "pg";
import { freshId } from "../lanes/fresh-id.ts";
import type { Place } from "../lanes/port.ts";
import { hashToken } from "../secrets/token.ts";
import { emailForm, insertMembership } from "./people.ts";

type Queryable = Pick<Pool, "query"> | Pick<PoolClient, "query">;
const days = 14;

/** An invitation as people see it; its token is in the link alone. */
export interface Invitation {
  readonly id: string;
  readonly user: string;
  readonly email: string;
  readonly mailed: boolean;
  readonly created_at: string;
  readonly expires_at: string;
}

const columns = `id, user_id as "user", email, mailed, created_at, expires_at`;
const open = "accepted_at is null and revoked_at is null and expires_at > now()";

/** Whom to invite, and how. */
export interface Invited {
  readonly user: string;
  readonly email: string;
  /** whether the link goes to that address, so that accepting it proves whose it is */
  readonly mailed: boolean;
  /** the user who invites; null: the operator */
  readonly by: string | null;
}

/** Makes an invitation and the token of its link; those of before for the same user end. */
export async function invite(
  db: Queryable,
  { lane, organization }: Place,
  { user, email, mailed, by }: Invited,
): Promise<{ readonly invitation: Invitation; readonly token: string }> {
  const token = randomBytes(32).toString("base64url");
  await db.query(
    "update directory_invitations set revoked_at = now() where organization = $1 and user_id = $2 and accepted_at is null and revoked_at is null",
    [organization, user],
  );
  const { rows } = await db.query<Invitation>(
    `insert into directory_invitations (id, organization, lane, user_id, email, hash, mailed, invited_by, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, now() + make_interval(days => ${days})) returning ${columns}`,
    [freshId(), organization, lane, user, emailForm(email), hashToken(token), mailed, by],
  );
  return { invitation: rows[0] as Invitation, token };
}

/** The invitations of an organization that nobody has answered yet, newest first. */
export async function openInvitations(db: Queryable, { organization }: Place): Promise<Invitation[]> {
  const { rows } = await db.query<Invitation>(
    `select ${columns} from directory_invitations where organization = $1 and ${open} order by id desc limit 1000`,
    [organization],
  );
  return rows;
}

/** Takes an invitation back; false where there is none that is open. */
export async function revokeInvitation(db: Queryable, { organization }: Place, id: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `update directory_invitations set revoked_at = now() where organization = $1 and id = $2 and ${open}`,
    [organization, id],
  );
  return rowCount === 1;
}

/** What a link invites to; null for one that is none, was used or taken back, or is too old. */
export async function readInvitation(
  db: Queryable,
  token: string,
): Promise<{ readonly email: string; readonly organization: string } | null> {
  const { rows } = await db.query<{ email: string; organization: string }>(
    `select i.email, o.name as organization from directory_invitations i join directory_organizations o on o.id = i.organization
where i.hash = $1 and ${open}`,
    [hashToken(token)],
  );
  return rows[0] ?? null;
}

interface Taken extends Place {
  readonly user_id: string;
  readonly mailed: boolean;
}

const taken = refuse("conflict", "already_member", "One of you works there already");

/** Answers an invitation: its user is that identity from now on. Of several who answer it at once one does. */
export async function acceptInvitation(tx: PoolClient, token: string, identity: string): Promise<Refusal | null> {
  const { rows } = await tx.query<Taken>(
    `update directory_invitations set accepted_at = now() where hash = $1 and ${open} returning lane, organization, user_id, mailed`,
    [hashToken(token)],
  );
  const [row] = rows;
  if (row === undefined)
    return refuse("not_found", "link_not_found", "The link was used already, is too old, or was taken back", "/token");
  return join(tx, row, identity);
}

/** Answers all invitations of an address that a provider has vouched for. */
export async function acceptAllOf(tx: PoolClient, email: string, identity: string): Promise<void> {
  const { rows } = await tx.query<Taken>(
    `update directory_invitations set accepted_at = now() where email = $1 and ${open} returning lane, organization, user_id, mailed`,
    [emailForm(email)],
  );
  for (const row of rows) await join(tx, row, identity);
}

async function join(tx: PoolClient, row: Taken, identity: string): Promise<Refusal | null> {
  const { rows } = await tx.query(
    "select 1 from users where lane = $1 and organization = $2 and id = $3 and archived_at is null",
    [row.lane, row.organization, row.user_id],
  );
  if (rows.length === 0)
    return refuse("not_found", "link_not_found", "The user you were to be no longer works there", "/token");
  if (!(await insertMembership(tx, row, identity, row.user_id))) return taken;
  if (row.mailed) await tx.query("update directory_identities set email_verified = true where id = $1", [identity]);
  return null;
}
