import { refuse } from "@threadmill/core";
import { type PublicRoute, publicRoute } from "../../http/public-routes.ts";
import { isEmail, passwordHash } from "../../identity/people.ts";
import { readLink } from "../../identity/one-time.ts";
import { setUpOwner } from "../../identity/setup.ts";
import { signInByPassword, type SigningIn } from "../../identity/signing-in.ts";
import { closed, EmailSchema, LinkTokenSchema, NameSchema, NewPasswordSchema, SignInStateSchema } from "./schemas.ts";
import { told } from "./sign-in-routes.ts";

export const linkSpent = refuse(
  "not_found",
  "link_not_found",
  "The link was used already, is too old, or was never made",
  "/token",
);
export const emailInvalid = refuse("invalid", "email_invalid", "This is no e-mail address", "/email");

/** The first start: whoever opens the link that the terminal showed becomes the owner. */
export function setupRoutes(signing: SigningIn): PublicRoute[] {
  return [
    publicRoute({
      method: "POST",
      url: "/setup",
      summary: "Makes whoever has the first start's link the owner, and signs them in",
      body: closed({ token: LinkTokenSchema, name: NameSchema, email: EmailSchema, password: NewPasswordSchema }),
      answer: SignInStateSchema,
      problems: [404],
      async handle({ request, reply, body: { token, name, email, password } }) {
        if (!isEmail(email)) return emailInvalid;
        // hashing is dear: nobody makes us do it without a link
        if ((await readLink(signing.pool, "setup", token)) === null) return linkSpent;
        const hash = await passwordHash(password);
        const refused = await setUpOwner(signing, token, { name, email, hash });
        if (refused !== null) return refused;
        return told(await signInByPassword(signing, { request, reply }, { email, password, remember: true }));
      },
    }),
  ];
}
