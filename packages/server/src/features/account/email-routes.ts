import { Type } from "typebox";
import { type Route, route } from "../../http/route.ts";
import { letters } from "../../identity/letters.ts";
import { dropLinks, issueLink, linkAddress } from "../../identity/one-time.ts";
import { checkPassword } from "../../identity/passwords.ts";
import { emailForm, isEmail } from "../../identity/people.ts";
import type { SigningIn } from "../../identity/signing-in.ts";
import { closed, EmailSchema, PasswordSchema } from "../sessions/schemas.ts";
import { emailInvalid } from "../sessions/setup-routes.ts";
import { about, identityOf, sessionNeeded } from "./routes.ts";

/** The address that one signs in with. */
export function emailRoutes(signing: SigningIn): Route[] {
  const { pool, mail, publicUrl } = signing;
  return [
    route({
      ...about,
      method: "POST",
      url: "/account/email",
      summary: "Asks for another e-mail address, or to confirm the present one",
      description:
        "It takes effect when the link that is sent to the new address is opened. Without mail the link is in the answer. Whether somebody else has the address is not told here.",
      body: closed({ email: EmailSchema, password: PasswordSchema }),
      answer: Type.Object(
        { mailed: Type.Boolean(), link: Type.Union([Type.String(), Type.Null()]) },
        { title: "EmailChange" },
      ),
      async handle(call) {
        const identity = await identityOf(signing, call);
        if (identity === null) return sessionNeeded;
        const email = emailForm(call.body.email);
        if (!isEmail(email)) return emailInvalid;
        const wrong = await checkPassword(signing, call.reply.request, identity, call.body.password);
        if (wrong !== null) return wrong;
        await dropLinks(pool, "email", "identity", identity.id);
        const token = await issueLink(pool, "email", { identity: identity.id, email, mailed: mail.configured });
        const link = linkAddress(publicUrl, "email", token);
        if (!mail.configured) return { mailed: false, link };
        return { mailed: await mail.send(letters.email(email, link)), link: null };
      },
    }),
  ];
}
