import { refuse } from "@threadmill/core";
import { Type } from "typebox";
import { transaction } from "../../db/transaction.ts";
import { type PublicRoute, publicRoute } from "../../http/public-routes.ts";
import { passwordLength } from "../../identity/engine.ts";
import { acceptInvitation, readInvitation } from "../../identity/invitations.ts";
import { checkPassword } from "../../identity/passwords.ts";
import { identityByEmail, insertIdentity, passwordHash, setPassword } from "../../identity/people.ts";
import { Refuses } from "../../identity/refuses.ts";
import { signInByPassword, type SigningIn } from "../../identity/signing-in.ts";
import { closed, LinkTokenSchema, NameSchema, PasswordSchema, SignInStateSchema } from "../sessions/schemas.ts";
import { linkSpent } from "../sessions/setup-routes.ts";
import { told } from "../sessions/sign-in-routes.ts";

const tooShort = refuse(
  "invalid",
  "password_too_short",
  `A password has ${passwordLength.least} characters at least`,
  "/password",
);

/** Answering an invitation. */
export function acceptRoutes(signing: SigningIn): PublicRoute[] {
  const { pool, auth } = signing;
  return [
    publicRoute({
      method: "POST",
      url: "/invitation",
      summary: "Tells what an invitation's link invites to",
      body: closed({ token: LinkTokenSchema }),
      answer: Type.Object(
        {
          organization: Type.String(),
          email: Type.String(),
          known: Type.Boolean({ description: "whether that address signs in here already, and so has a password" }),
        },
        { title: "InvitationLink" },
      ),
      problems: [404],
      async handle({ body: { token } }) {
        const found = await readInvitation(pool, token);
        if (found === null) return linkSpent;
        return { ...found, known: (await identityByEmail(pool, found.email)) !== null };
      },
    }),
    publicRoute({
      method: "POST",
      url: "/invitation/accept",
      summary: "Accepts an invitation, and signs in",
      description: "With a name and a new password; or, who signs in here already, with the password that they have.",
      body: closed({ token: LinkTokenSchema, name: Type.Optional(NameSchema), password: PasswordSchema }),
      answer: SignInStateSchema,
      problems: [404],
      async handle({ request, reply, body: { token, name, password } }) {
        const found = await readInvitation(pool, token);
        if (found === null) return linkSpent;
        const { email } = found;
        const known = await identityByEmail(pool, email);
        if (known !== null) {
          const wrong = await checkPassword(signing, request, known, password);
          if (wrong !== null) return wrong;
        } else if (password.length < passwordLength.least) return tooShort;
        const hash = known === null ? await passwordHash(password) : null;
        const refused = await Refuses.caught(() =>
          transaction(pool, async (tx) => {
            const identity = known ?? (await insertIdentity(tx, { name: name ?? email, email, verified: false }));
            if (identity === null) throw new Refuses(linkSpent);
            if (hash !== null) await setPassword(tx, identity.id, hash);
            const problem = await acceptInvitation(tx, token, identity.id);
            if (problem !== null) throw new Refuses(problem);
          }),
        );
        if (refused !== null) return refused;
        auth.forgetAll();
        return told(await signInByPassword(signing, { request, reply }, { email, password, remember: true }));
      },
    }),
  ];
}
