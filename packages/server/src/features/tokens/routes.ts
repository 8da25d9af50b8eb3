import {
  type Grants,
  grantsOf,
  idSchema,
  IdSchema,
  InstantSchema,
  isPermission,
  orNull,
  refuse,
  type User,
} from "@threadmill/core";
import { Type } from "typebox";
import type { Authenticator, Caller } from "../../http/auth.ts";
import { byId, list, pageById } from "../../http/pages.ts";
import type { AppPorts } from "../../http/ports.ts";
import { userOf } from "../../http/rights.ts";
import { type Route, route } from "../../http/route.ts";
import { type Giver, giverIn } from "../../rights/granting.ts";
import { newToken } from "../../secrets/token.ts";
import { type Change, NothingToChange } from "../settings/change.ts";
import { insertToken, readToken, readTokens, markRevoked } from "./store.ts";

const name = Type.String({ minLength: 1, maxLength: 200, description: "what it is for" });
const fields = {
  id: IdSchema,
  name,
  user: idSchema("it acts with this user's current rights"),
  hint: Type.String({ description: "how it begins" }),
  created_at: InstantSchema,
  revoked_at: orNull(InstantSchema),
  expires_at: orNull(InstantSchema),
  scopes: Type.Union([Type.Array(Type.String()), Type.Null()], {
    description: "the only permissions that it may use, of those that its user has; null: all",
  }),
  last_used_at: Type.Union([InstantSchema, Type.Null()], {
    description: "to within an hour; null: not known to be used",
  }),
};
const TokenSchema = Type.Object(fields, { title: "Token" });

/**
 * What a token gives to whoever holds it. Another's mailboxes may be others than one's own: what that one has in some
 * takes somebody who has it everywhere.
 */
function givenBy(user: User, scopes: readonly string[] | null, caller: Caller, { settings }: Giver): Grants {
  const all = [...grantsOf(user, settings.all.roles)].filter(([name]) => scopes === null || scopes.includes(name));
  return new Map(all.map(([name, scope]) => [name, user.id === caller.user ? scope : "everywhere"]));
}

/** Routes of the API's tokens. */
export function tokenRoutes({ pool }: Pick<AppPorts, "pool">, change: Change, auth: Authenticator): Route[] {
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
        const found = await readTokens(pool, place, {
          revoked: query.revoked === true,
          before: page.after?.[0],
          most: page.rows,
        });
        return pageById(found, page);
      },
    }),
    route({
      ...about,
      method: "POST",
      url: "/tokens",
      summary: "Makes a token",
      description:
        "The token itself is in this answer and nowhere else: what is kept is its hash. Nobody can make one that may do more than they may themselves.",
      body: Type.Object(
        {
          name,
          user: Type.Optional(Type.String({ maxLength: 320, description: "id or e-mail address; default: yourself" })),
          expires_at: Type.Optional(orNull(InstantSchema)),
          scopes: Type.Optional(
            orNull(
              Type.Array(Type.String({ maxLength: 64 }), {
                maxItems: 200,
                description: "the only permissions that it may use; default: all that its user has, now and later",
              }),
            ),
          ),
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
        const { expires_at = null } = body;
        const scopes = body.scopes ? [...new Set(body.scopes)] : null;
        const unknown = scopes?.findIndex((word) => !isPermission(word)) ?? -1;
        if (unknown >= 0)
          return refuse("invalid", "permission_unknown", "There is no such permission", `/scopes/${unknown}`);
        return change(call, async (tx, at) => {
          const giver = await giverIn(tx, caller);
          const refused = giver.refusal(givenBy(user, scopes, caller, giver), "/user");
          if (refused !== null) return refused;
          if (expires_at !== null && expires_at <= at)
            return refuse("invalid", "expiry_past", "The token would have expired already", "/expires_at");
          const token = newToken();
          const after = await insertToken(tx, place, { token, user: user.id, name: body.name, at, expires_at, scopes });
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
          const found = await readToken(tx, call.place, call.params.id);
          if (found === null) return refuse("not_found", "token_not_found", "There is no such token");
          const before = found.shown;
          if (before.revoked_at !== null) throw new NothingToChange(before);
          hash = found.hash;
          const after = await markRevoked(tx, call.place, before, at);
          return { noun: "token", id: before.id, before, after, result: after };
        });
        if (hash !== undefined) auth.forget(hash);
        return answer;
      },
    }),
  ];
}
