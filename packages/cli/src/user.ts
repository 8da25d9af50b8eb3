import {
  changeSettings,
  emailForm,
  endSessions,
  freshId,
  identityByEmail,
  inLaneAlone,
  invite,
  isEmail,
  issueLink,
  linkAddress,
  readServerVersion,
} from "@threadmill/server";
import type { Context, Outcome } from "./command.ts";
import { type Pool, withDatabase } from "./database.ts";
import { findOrganization, type OrganizationRow } from "./organizations.ts";
import { UserError } from "./user-error.ts";

const operator = { kind: "system", id: null } as const;
/** What an operator may make of somebody; the rest is for administrators, in the settings. */
const roles = ["admin", "agent"] as const;

/** Who is to work where. */
export interface UserInput {
  readonly email: string;
  readonly name?: string | undefined;
  readonly role?: string | undefined;
  readonly organization?: string | undefined;
}

/** Makes a user, or takes the one with that address, and the link by which they come in. No password is ever typed here. */
export async function createUser(
  context: Context,
  { email: given, name, role, organization }: UserInput,
): Promise<Outcome> {
  const email = addressOf(given);
  const wanted = roles.find((each) => each === (role ?? "agent"));
  if (wanted === undefined) throw new UserError("usage", `--role is one of ${roles.join(", ")}.`, { exit: "usage" });
  return withDatabase(context.config, { say: context.say }, async ({ pool }) => {
    const place = await findOrganization(pool, organization);
    const row =
      (await findUser(pool, place, email)) ??
      (await insertUser(pool, place, { email, name: name ?? email, role: wanted }));
    const member = await pool.query("select 1 from directory_memberships where organization = $1 and user_id = $2", [
      place.id,
      row.id,
    ]);
    if (member.rows.length > 0)
      throw new UserError("user_signs_in", `${email} signs in already.`, {
        hint: "`threadmill user reset-password` lets them in again.",
      });
    const at = { lane: place.lane, organization: place.id };
    const { invitation, token } = await invite(pool, at, { user: row.id, email, mailed: false, by: null });
    const link = linkAddress(context.config.publicUrl, "invitation", token);
    return {
      json: { user: row.id, email, organization: place.id, link, expires_at: invitation.expires_at },
      text: `${email} in ${place.name}. Open within 14 days, once:\n${link}`,
    };
  });
}

/** Makes a link by which somebody sets a new password; takes the second factor away where that is lost too. */
export async function resetPassword(
  context: Context,
  { email: given, secondFactor }: { readonly email: string; readonly secondFactor: boolean },
): Promise<Outcome> {
  return withIdentity(context, given, async (pool, identity) => {
    if (secondFactor) {
      await pool.query("delete from directory_second_factors where identity = $1", [identity.id]);
      await pool.query("update directory_identities set two_factor = false where id = $1", [identity.id]);
    }
    const token = await issueLink(pool, "reset", { identity: identity.id, mailed: false });
    const link = linkAddress(context.config.publicUrl, "reset", token);
    return {
      json: {
        identity: identity.id,
        email: identity.email,
        link,
        second_factor: secondFactor ? false : identity.two_factor,
      },
      text: `${secondFactor ? "The second factor is gone. " : ""}Open within an hour, once:\n${link}`,
    };
  });
}

/** Lists where somebody is signed in, or ends all of it. Servers refuse ended sessions within seconds. */
export async function listSessions(
  context: Context,
  { email: given, revoke }: { readonly email: string; readonly revoke: boolean },
): Promise<Outcome> {
  return withIdentity(context, given, async (pool, { id, email }) => {
    const { rows } = await pool.query<{
      id: string;
      created_at: string;
      last_seen_at: string;
      address: string | null;
      browser: string | null;
    }>(
      `select id, created_at, last_seen_at, expires_at, nullif(ip_address, '') as address, nullif(user_agent, '') as browser
from directory_sessions where identity = $1 and expires_at > now() order by last_seen_at desc, id`,
      [id],
    );
    const ended = revoke ? await endSessions(pool, id) : 0;
    const lines = rows.map((row) => `${row.id}  ${row.last_seen_at}  ${row.address ?? "-"}  ${row.browser ?? "-"}`);
    return {
      json: { identity: id, email, sessions: rows, ended },
      text: revoke
        ? `${ended} sessions of ${email} were ended.`
        : lines.length === 0
          ? `${email} is signed in nowhere.`
          : lines.join("\n"),
    };
  });
}

function addressOf(given: string): string {
  const email = emailForm(given);
  if (isEmail(email)) return email;
  throw new UserError("usage", `${given} is no e-mail address.`, { exit: "usage" });
}

interface Signer {
  readonly id: string;
  readonly email: string;
  readonly two_factor: boolean;
}

function withIdentity(
  context: Context,
  email: string,
  fn: (pool: Pool, identity: Signer) => Promise<Outcome>,
): Promise<Outcome> {
  return withDatabase(context.config, { say: context.say }, async ({ pool }) => {
    const identity = await identityByEmail(pool, addressOf(email));
    if (identity !== null) return fn(pool, identity);
    throw new UserError("identity_not_found", `Nobody signs in as ${email}.`, {
      hint: "`threadmill user create` makes a user and a link to come in by.",
    });
  });
}

async function findUser(pool: Pool, { lane, id }: OrganizationRow, email: string): Promise<{ id: string } | null> {
  const { rows } = await pool.query<{ id: string }>(
    "select id from users where lane = $1 and organization = $2 and lower(email) = $3 and kind = 'person' and archived_at is null",
    [lane, id, email],
  );
  return rows[0] ?? null;
}

/** Makes the user as the API does: under the organization's lane, with an entry in the log. */
async function insertUser(
  pool: Pool,
  { lane, id: organization }: OrganizationRow,
  { email, name, role }: { readonly email: string; readonly name: string; readonly role: string },
): Promise<{ id: string }> {
  const inLane = inLaneAlone(pool, await readServerVersion(pool));
  const answer = await changeSettings(inLane, { lane, organization }, operator, async (tx, at) => {
    const { rows } = await tx.query<{ id: string }>(
      `insert into users (lane, organization, id, kind, role, name, email, created_at)
values ($1, $2, $3, 'person', $4, $5, $6, $7) returning id, kind, role, name, email, archived_at`,
      [lane, organization, freshId(Date.parse(at)), role, name.slice(0, 200), email, at],
    );
    const after = rows[0] as { id: string };
    return { noun: "user", id: after.id, before: null, after, result: after };
  });
  if (!answer.ok) throw new UserError(answer.code, answer.message);
  return answer.result;
}
