import {
  changeSettings,
  inLaneAlone,
  insertToken,
  newToken,
  readServerVersion,
  readToken,
  readTokens,
  markRevoked,
  type TokenShown,
} from "@threadmill/server";
import type { Context, Outcome } from "./command.ts";
import { type Pool, withDatabase } from "./database.ts";
import { findOrganization, type OrganizationRow } from "./organizations.ts";
import { UserError } from "./user-error.ts";

/** Which organization is meant; the only one when not given. */
export interface TokenScope {
  readonly organization?: string | undefined;
}

const operator = { kind: "system", id: null } as const;
/** More than anybody has; a list without end would be no help on a terminal. */
const mostListed = 10_000;
/** A hundred years. */
const mostDays = 36_500;

/** Makes a token directly in the database, for whoever lost theirs or never had one. */
export async function createToken(
  context: Context,
  input: TokenScope & { readonly name: string; readonly user?: string | undefined; readonly days?: number | undefined },
): Promise<Outcome> {
  if (input.name.trim() === "" || input.name.length > 200)
    throw new UserError("usage", "A name has 1 to 200 characters.", { exit: "usage" });
  if (input.days !== undefined && input.days > mostDays)
    throw new UserError("usage", `--days is ${mostDays} at most.`, { exit: "usage" });
  return inOrganization(context, input, async (pool, place) => {
    const user = await findUser(pool, place, input.user);
    const token = newToken();
    const row = await change(pool, place, async (tx, at) => {
      const expires_at =
        input.days === undefined ? null : new Date(Date.parse(at) + input.days * 86_400_000).toISOString();
      const given = { token, user: user.id, name: input.name, at, expires_at };
      return { before: null, after: await insertToken(tx, { lane: place.lane, organization: place.id }, given) };
    });
    return {
      json: { ...row, organization: place.id, token },
      text: `Token ${row.id} of ${user.name} in ${place.name}\n(shown once): ${token}`,
    };
  });
}

/** Lists the tokens of an organization, newest first; never the tokens themselves, which are not kept. */
export async function listTokens(context: Context, input: TokenScope): Promise<Outcome> {
  return inOrganization(context, input, async (pool, place) => {
    const rows = await readTokens(pool, { organization: place.id }, { revoked: true, most: mostListed });
    const lines = rows.map(
      ({ id, hint, name, created_at, revoked_at, expires_at, last_used_at }) =>
        `${id}  ${hint}...  ${created_at}  ${name}${[
          ["revoked", revoked_at],
          ["expires", expires_at],
          ["last used", last_used_at],
        ]
          .map(([word, at]) => (at === null ? "" : ` (${word} ${at})`))
          .join("")}`,
    );
    return {
      json: { organization: place.id, tokens: rows },
      text: lines.length === 0 ? "There are no tokens." : lines.join("\n"),
    };
  });
}

/** Revokes a token. Servers refuse it within seconds. */
export async function revokeToken(context: Context, input: TokenScope & { readonly id: string }): Promise<Outcome> {
  return inOrganization(context, input, async (pool, place) => {
    const found = await readToken(pool, { organization: place.id }, input.id);
    if (found === null)
      throw new UserError("token_not_found", `${place.name} has no token ${input.id}.`, {
        hint: "`threadmill token list` shows them.",
      });
    const before = found.shown;
    if (before.revoked_at !== null) return { json: before, text: `It was revoked ${before.revoked_at} already.` };
    const row = await change(pool, place, async (tx, at) => {
      return { before, after: await markRevoked(tx, { organization: place.id }, before, at) };
    });
    return { json: row, text: `Token ${row.id} (${row.name}) is revoked.` };
  });
}

function inOrganization(
  context: Context,
  { organization }: TokenScope,
  fn: (pool: Pool, place: OrganizationRow) => Promise<Outcome>,
): Promise<Outcome> {
  return withDatabase(context.config, { say: context.say }, async ({ pool }) =>
    fn(pool, await findOrganization(pool, organization)),
  );
}

type Changed = { readonly before: TokenShown | null; readonly after: TokenShown };
type Tx = { readonly query: Pool["query"] };

/** Changes a token as the API does: under the organization's lane, with an entry in the log. */
async function change(
  pool: Pool,
  { lane, id: organization }: OrganizationRow,
  fn: (tx: Tx, at: string) => Promise<Changed>,
): Promise<TokenShown> {
  const inLane = inLaneAlone(pool, await readServerVersion(pool));
  const answer = await changeSettings(inLane, { lane, organization }, operator, async (tx, at) => {
    const { before, after } = await fn(tx, at);
    return { noun: "token", id: after.id, before, after, result: after };
  });
  if (!answer.ok) throw new UserError(answer.code, answer.message);
  return answer.result;
}

async function findUser(
  pool: Pool,
  { id, lane }: OrganizationRow,
  wanted: string | undefined,
): Promise<{ id: string; name: string }> {
  const which = wanted === undefined ? "role in ('owner', 'admin')" : "(id::text = $3 or lower(email) = lower($3))";
  const { rows } = await pool.query<{ id: string; name: string }>(
    `select id, name from users where lane = $1 and organization = $2 and archived_at is null and kind <> 'robot' and ${which} order by role <> 'owner', id limit 1`,
    [lane, id, ...(wanted === undefined ? [] : [wanted])],
  );
  if (rows[0] !== undefined) return rows[0];
  throw new UserError(
    "user_not_found",
    wanted === undefined ? "The organization has no owner or admin." : `There is no user ${wanted}.`,
    { hint: "Give --user an id or an e-mail address." },
  );
}
