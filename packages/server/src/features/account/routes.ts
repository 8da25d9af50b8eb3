import { IdSchema, refuse } from "@threadmill/core";
import { Type } from "typebox";
import { type Call, type Route, route } from "../../http/route.ts";
import { type Identity, endSessions, identityById } from "../../identity/people.ts";
import type { SigningIn } from "../../identity/signing-in.ts";
import { closed, done, DoneSchema, NameSchema, SessionSchema } from "../sessions/schemas.ts";

export const about = { tag: "Account", permission: null } as const;
export const sessionNeeded = refuse("forbidden", "session_needed", "Only a person who signed in can do this");

/** Who calls, as the person that they are beyond this organization; null for a token. */
export async function identityOf(
  { pool }: Pick<SigningIn, "pool">,
  { caller }: Pick<Call, "caller">,
): Promise<Identity | null> {
  return caller.session === null ? null : identityById(pool, caller.session.identity);
}

const IdentitySchema = Type.Object(
  {
    id: IdSchema,
    name: Type.String(),
    email: Type.String(),
    email_verified: Type.Boolean({ description: "whether they have shown that it is theirs" }),
    two_factor: Type.Boolean(),
  },
  { title: "Identity" },
);

/** Who I am, where I work, and in which browsers I am signed in. */
export function accountRoutes(signing: SigningIn): Route[] {
  const { pool, auth } = signing;
  return [
    route({
      ...about,
      method: "GET",
      url: "/account",
      summary: "Tells who has signed in, and in which organizations they work",
      answer: Type.Object(
        {
          identity: IdentitySchema,
          organizations: Type.Array(
            Type.Object({ id: IdSchema, name: Type.String(), user: IdSchema, current: Type.Boolean() }),
          ),
        },
        { title: "Account" },
      ),
      async handle(call) {
        const identity = await identityOf(signing, call);
        if (identity === null) return sessionNeeded;
        const { rows } = await pool.query<{ id: string; name: string; user: string; current: boolean }>(
          `select o.id, o.name, m.user_id as "user", o.id = $2 as current
from directory_memberships m join directory_organizations o on o.id = m.organization
where m.identity = $1 order by m.created_at, o.id`,
          [identity.id, call.place.organization],
        );
        return { identity, organizations: rows };
      },
    }),
    route({
      ...about,
      method: "PATCH",
      url: "/account",
      summary: "Changes what one is called beyond one organization",
      body: closed({ name: NameSchema }),
      answer: IdentitySchema,
      async handle(call) {
        const identity = await identityOf(signing, call);
        if (identity === null) return sessionNeeded;
        await pool.query("update directory_identities set name = $2, updated_at = now() where id = $1", [
          identity.id,
          call.body.name,
        ]);
        return { ...identity, name: call.body.name };
      },
    }),
    route({
      ...about,
      method: "POST",
      url: "/account/organization",
      summary: "Goes to another organization that one works in",
      description:
        "The session works there from now on, in all of its browser's pages. A request that names its organization in the header `X-Threadmill-Organization` is meant there, whatever the session says.",
      body: closed({ organization: IdSchema }),
      answer: DoneSchema,
      async handle({ caller: { session }, body }) {
        if (session === null) return sessionNeeded;
        const { rowCount } = await pool.query(
          `update directory_sessions s set organization = $2, updated_at = now() where s.id = $1
and exists (select from directory_memberships m where m.identity = s.identity and m.organization = $2)`,
          [session.id, body.organization],
        );
        if (rowCount === 0)
          return refuse("not_found", "organization_not_found", "There is no such organization", "/organization");
        auth.forgetAll();
        return done;
      },
      problems: [404],
    }),
    route({
      ...about,
      method: "GET",
      url: "/account/sessions",
      summary: "Lists where one is signed in, the latest first",
      answer: Type.Object({ items: Type.Array(SessionSchema) }, { title: "Sessions" }),
      async handle({ caller: { session } }) {
        if (session === null) return sessionNeeded;
        const { rows } = await pool.query(
          `select id, id = $2 as current, created_at, last_seen_at, expires_at, nullif(ip_address, '') as address,
  nullif(user_agent, '') as browser from directory_sessions
where identity = $1 and expires_at > now() order by last_seen_at desc, id limit 200`,
          [session.identity, session.id],
        );
        return { items: rows };
      },
    }),
    route({
      ...about,
      method: "POST",
      url: "/account/sessions/:id/revoke",
      summary: "Ends a session of one's own; this process refuses it at once, others within seconds",
      params: Type.Object({ id: IdSchema }),
      body: closed({}),
      answer: DoneSchema,
      async handle({ caller: { session }, params }) {
        if (session === null) return sessionNeeded;
        const { rowCount } = await pool.query("delete from directory_sessions where id = $1 and identity = $2", [
          params.id,
          session.identity,
        ]);
        if (rowCount === 0) return refuse("not_found", "session_not_found", "There is no such session");
        auth.forgetAll();
        return done;
      },
    }),
    route({
      ...about,
      method: "POST",
      url: "/account/sessions/revoke-others",
      summary: "Ends all other sessions of one's own",
      body: closed({}),
      answer: DoneSchema,
      async handle({ caller: { session } }) {
        if (session === null) return sessionNeeded;
        await endSessions(pool, session.identity, session.id);
        auth.forgetAll();
        return done;
      },
    }),
  ];
}
