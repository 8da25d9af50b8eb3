import { changeSettings, freshId, hashToken, inLaneAlone, newToken, readServerVersion } from "@threadmill/server";
import type { Context, Outcome } from "./command.ts";
import { type Pool, withDatabase } from "./database.ts";
import { findOrganization, type OrganizationRow } from "./organizations.ts";
import { UserError } from "./user-error.ts";

/** Which organization is meant; the only one when not given. */
export interface TokenScope {
  readonly organization?: string | undefined;
}

interface TokenRow {
  readonly id: string;
  readonly name: string;
  readonly user: string;
  readonly hint: string;
  readonly created_at: string;
  readonly revoked_at: string | null;
}

const columns = `id, name, user_id as "user", hint, created_at, revoked_at`;
const operator = { kind: "system", id: null } as const;
const hintLength = 7;

/** Makes a token directly in the database, for whoever lost theirs or never had one. */
export async function createToken(
  context: Context,
  input: TokenScope & { readonly name: string; readonly user?: string | undefined },
): Promise<Outcome> {
  if (input.name.trim() === "" || input.name.length > 200)
    throw new UserError("usage", "A name has 1 to 200 characters.", { exit: "usage" });
  return inOrganization(context, input, async (pool, place) => {
    const user = await findUser(pool, place, input.user);
    const token = newToken();
    const row = await change(pool, place, async (tx, at) => {
      const { rows } = await tx.query<TokenRow>(
        `insert into directory_tokens (hash, id, organization, lane, user_id, name, hint, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8) returning ${columns}`,
        [
          hashToken(token),
          freshId(Date.parse(at)),
          place.id,
          place.lane,
          user.id,
          input.name,
          token.slice(0, hintLength),
          at,
        ],
      );
      return { before: null, after: rows[0] as TokenRow };
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
    const { rows } = await pool.query<TokenRow>(
      `select ${columns} from directory_tokens where organization = $1 order by id desc`,
      [place.id],
    );
    const lines = rows.map(
      ({ id, hint, name, created_at, revoked_at }) =>
        `${id}  ${hint}...  ${created_at}  ${name}${revoked_at === null ? "" : ` (revoked ${revoked_at})`}`,
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
    const { rows } = await pool.query<TokenRow>(
      `select ${columns} from directory_tokens where organization = $1 and id::text = $2`,
      [place.id, input.id],
    );
    const [before] = rows;
    if (before === undefined)
      throw new UserError("token_not_found", `${place.name} has no token ${input.id}.`, {
        hint: "`threadmill token list` shows them.",
      });
    if (before.revoked_at !== null) return { json: before, text: `It was revoked ${before.revoked_at} already.` };
    const row = await change(pool, place, async (tx, at) => {
      await tx.query("update directory_tokens set revoked_at = $2 where id = $1", [before.id, at]);
      return { before, after: { ...before, revoked_at: at } };
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

type Changed = { readonly before: TokenRow | null; readonly after: TokenRow };
type Tx = { readonly query: Pool["query"] };

/** Changes a token as the API does: under the organization's lane, with an entry in the log. */
async function change(
  pool: Pool,
  { lane, id: organization }: OrganizationRow,
  fn: (tx: Tx, at: string) => Promise<Changed>,
): Promise<TokenRow> {
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
  const which = wanted === undefined ? "role = 'admin'" : "(id::text = $3 or lower(email) = lower($3))";
  const { rows } = await pool.query<{ id: string; name: string }>(
    `select id, name from users where lane = $1 and organization = $2 and archived_at is null and kind <> 'robot' and ${which} order by id limit 1`,
    [lane, id, ...(wanted === undefined ? [] : [wanted])],
  );
  if (rows[0] !== undefined) return rows[0];
  throw new UserError(
    "user_not_found",
    wanted === undefined ? "The organization has no admin." : `There is no user ${wanted}.`,
    { hint: "Give --user an id or an e-mail address." },
  );
}
