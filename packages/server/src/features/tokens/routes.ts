import { IdSchema, InstantSchema, orNull, refuse } from "@threadmill/core";
import { Type } from "typebox";
import type { Authenticator } from "../../http/auth.ts";
import { byId, list, pageById } from "../../http/pages.ts";
import type { AppPorts } from "../../http/ports.ts";
import { userOf } from "../../http/rights.ts";
import { type Route, route } from "../../http/route.ts";
import { hashToken, newToken, tokenPrefix } from "../../secrets/token.ts";
import { freshId } from "../../lanes/fresh-id.ts";
import { type Change, NothingToChange } from "../settings/change.ts";
import type { Tables } from "../tables.ts";

const name = Type.String({ minLength: 1, maxLength: 200, description: "what it is for" });
const fields = {
  id: IdSchema,
  name,
  user: Type.String({ format: "uuid", description: "it acts with this user's current rights" }),
  hint: Type.String({ description: "how it begins" }),
  created_at: InstantSchema,
  revoked_at: orNull(InstantSchema),
};
const TokenSchema = Type.Object(fields, { title: "Token" });

type Row = Tables["directory_tokens"];
const shown = ({ id, name, user_id, hint, created_at, revoked_at }: Row) => ({
  id,
  name,
  user: user_id,
  hint,
  created_at,
  revoked_at,
});

/** Enough to tell tokens apart, and far too little to guess one. */
const hintLength = tokenPrefix.length + 4;

/** Routes of the API's tokens. */
export function tokenRoutes({ db }: Pick<AppPorts, "db">, change: Change, auth: Authenticator): Route[] {
  const about = { tag: "Tokens", permission: "tokens.write" } as const;
  return [
    list({
      ...about,
      url: "/tokens",
      summary: "Lists tokens, newest first",
      query: { revoked: Type.Optional(Type.Boolean({ description: "revoked ones too" })) },
      item: TokenSchema,
      title: "TokenPage",
      spot: byId,
      async read({ place, query }, page) {
        let rows = db.selectFrom("directory_tokens").selectAll().where("organization", "=", place.organization);
        if (query.revoked !== true) rows = rows.where("revoked_at", "is", null);
        if (page.after !== undefined) rows = rows.where("id", "<", page.after[0]);
        return pageById(await rows.orderBy("id", "desc").limit(page.rows).execute(), page, shown);
      },
    }),
    route({
      ...about,
      method: "POST",
      url: "/tokens",
      summary: "Makes a token",
      description: "The token itself is in this answer and nowhere else: what is kept is its hash.",
      body: Type.Object(
        {
          name,
          user: Type.Optional(Type.String({ maxLength: 320, description: "id or e-mail address; default: yourself" })),
        },
        { additionalProperties: false },
      ),
      answer: Type.Object({ ...fields, token: Type.String() }, { title: "NewToken" }),
      status: 201,
      async handle(call) {
        const { place, body, caller } = call;
        const user = (await call.settings()).user(body.user ?? userOf(caller));
        if (user === null) return refuse("invalid", "user_not_found", "There is no such user", "/user");
        if (user.archived_at !== null) return refuse("conflict", "user_archived", "The user is archived", "/user");
        return change(call, async (tx, at) => {
          const token = newToken();
          const { rows } = await tx.query<Row>(
            `insert into directory_tokens (hash, id, organization, lane, user_id, name, hint, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8) returning *`,
            [
              hashToken(token),
              freshId(Date.parse(at)),
              place.organization,
              place.lane,
              user.id,
              body.name,
              token.slice(0, hintLength),
              at,
            ],
          );
          const after = shown(rows[0] as Row);
          return { noun: "token", id: after.id, before: null, after, result: { ...after, token } };
        });
      },
    }),
    route({
      ...about,
      method: "POST",
      url: "/tokens/:id/revoke",
      summary: "Revokes a token",
      description: "This process refuses it at once, others within seconds.",
      params: Type.Object({ id: IdSchema }),
      body: Type.Object({}, { additionalProperties: false }),
      answer: TokenSchema,
      async handle(call) {
        let hash: string | undefined;
        const answer = await change(call, async (tx, at) => {
          const own = [call.params.id, call.place.organization];
          const { rows } = await tx.query<Row>(
            "select * from directory_tokens where id = $1 and organization = $2",
            own,
          );
          const [before] = rows;
          if (before === undefined) return refuse("not_found", "token_not_found", "There is no such token");
          if (before.revoked_at !== null) throw new NothingToChange(shown(before));
          hash = before.hash;
          await tx.query("update directory_tokens set revoked_at = $3 where id = $1 and organization = $2", [
            ...own,
            at,
          ]);
          const after = shown({ ...before, revoked_at: at });
          return { noun: "token", id: before.id, before: shown(before), after, result: after };
        });
        if (hash !== undefined) auth.forget(hash);
        return answer;
      },
    }),
  ];
}
