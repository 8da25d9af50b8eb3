import { refuse } from "@threadmill/core";
import type { FastifyReply } from "fastify";
import { Type } from "typebox";
import { transaction } from "../../db/transaction.ts";
import { type PublicRoute, publicRoute } from "../../http/public-routes.ts";
import { ask, libraryHeaders, passCookies } from "../../identity/ask.ts";
import { ssoId } from "../../identity/engine.ts";
import { acceptAllOf } from "../../identity/invitations.ts";
import { identityById } from "../../identity/people.ts";
import { sessionCookie } from "../../identity/session.ts";
import { type SigningIn, welcome } from "../../identity/signing-in.ts";
import { hashToken } from "../../secrets/token.ts";
import { closed } from "./schemas.ts";

/** Signing in by a provider of OpenID Connect. Its own second factor is the second factor then. */
export function singleSignOnRoutes(signing: SigningIn): PublicRoute[] {
  const { library, publicUrl, pool } = signing;
  const back = (reply: FastifyReply, error: string): object =>
    reply.redirect(`${publicUrl}/welcome?error=${encodeURIComponent(error)}`);

  return [
    publicRoute({
      method: "POST",
      url: "/single-sign-on",
      summary: "Begins to sign in by the provider of single sign-on",
      body: closed({}),
      answer: Type.Object(
        { url: Type.String({ description: "where the browser is to go" }) },
        { title: "SingleSignOn" },
      ),
      problems: [404],
      async handle({ request, reply }) {
        if (signing.singleSignOn === null)
          return refuse("not_found", "no_single_sign_on", "There is no single sign-on here");
        const asked = await ask(() =>
          library.api.signInSocial({
            body: {
              provider: ssoId,
              callbackURL: `${publicUrl}/`,
              errorCallbackURL: `${publicUrl}/welcome`,
              disableRedirect: true,
            },
            headers: libraryHeaders(request),
            returnHeaders: true,
          }),
        );
        if (!asked.ok) return asked;
        passCookies(reply, asked.cookies);
        return { url: asked.value.url ?? "" };
      },
    }),
    publicRoute({
      method: "GET",
      url: `/callback/${ssoId}`,
      hidden: true,
      summary: "Where the provider sends the browser back to",
      answer: Type.Unknown(),
      async handle({ request, reply, query }) {
        const answer = await library.api.callbackOAuth({
          params: { id: ssoId },
          query,
          method: "GET",
          headers: libraryHeaders(request),
          asResponse: true,
        });
        const cookies = answer.headers.getSetCookie();
        const token = tokenIn(cookies);
        if (token === null) {
          passCookies(reply, cookies);
          return reply.redirect(answer.headers.get("location") ?? `${publicUrl}/welcome?error=unknown`);
        }
        const { rows } = await pool.query<{ identity: string }>(
          "select identity from directory_sessions where token = $1",
          [hashToken(token)],
        );
        const identity = rows[0] === undefined ? null : await identityById(pool, rows[0].identity);
        if (identity === null) return back(reply, "unknown");
        if (identity.email_verified) await transaction(pool, (tx) => acceptAllOf(tx, identity.email, identity.id));
        const state = await welcome(
          signing,
          { request, reply },
          { ok: true, value: { token, user: { id: identity.id } }, cookies },
        );
        return "ok" in state ? back(reply, state.code) : reply.redirect(`${publicUrl}/`);
      },
    }),
  ];

  function tokenIn(cookies: readonly string[]): string | null {
    const name = `${sessionCookie(publicUrl)}=`;
    const value =
      cookies
        .find((one) => one.startsWith(name))
        ?.slice(name.length)
        .split(";", 1)[0] ?? "";
    const token = decodeURIComponent(value).split(".")[0] ?? "";
    return token === "" ? null : token;
  }
}
