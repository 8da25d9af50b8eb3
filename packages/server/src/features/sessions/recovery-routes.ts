import { refuse } from "@threadmill/core";
import { transaction } from "../../db/transaction.ts";
import { type PublicRoute, publicRoute } from "../../http/public-routes.ts";
import { networkOf } from "../../identity/attempts.ts";
import { rememberDevice } from "../../identity/devices.ts";
import { changeEmail } from "../../identity/email-change.ts";
import { letters } from "../../identity/letters.ts";
import { dropLinks, issueLink, linkAddress, readLink, takeLink } from "../../identity/one-time.ts";
import {
  emailForm,
  endSessions,
  forgetBrowsers,
  identityByEmail,
  identityById,
  isEmail,
  passwordHash,
  setPassword,
} from "../../identity/people.ts";
import { Refuses } from "../../identity/refuses.ts";
import type { SigningIn } from "../../identity/signing-in.ts";
import { closed, done, DoneSchema, EmailSchema, LinkTokenSchema, NewPasswordSchema } from "./schemas.ts";
import { linkSpent } from "./setup-routes.ts";

/** Getting in again without the password, and confirming an address. */
export function recoveryRoutes(signing: SigningIn): PublicRoute[] {
  const { pool, mail, publicUrl, attempts, auth, log } = signing;

  /** Behind the answer, which is the same and as quick whether anybody has the address or not. */
  async function sendReset(email: string, address: string): Promise<void> {
    const counted = [
      { kind: "link", of: `reset ${email}` },
      { kind: "address", of: `reset ${networkOf(address)}` },
    ] as const;
    if (!mail.configured || !isEmail(email) || (await attempts.begin(counted)) > 0) return;
    const identity = await identityByEmail(pool, email);
    if (identity === null) return;
    const token = await issueLink(pool, "reset", { identity: identity.id, mailed: true });
    await mail.send(letters.reset(identity.email, linkAddress(publicUrl, "reset", token)));
  }

  return [
    publicRoute({
      method: "POST",
      url: "/password-reset",
      summary: "Asks for a link to set a new password",
      description:
        "Sent if somebody signs in with that address; the answer is the same if not. Without mail nothing is sent: an administrator, or an operator by `threadmill user reset-password`, makes the link.",
      body: closed({ email: EmailSchema }),
      answer: DoneSchema,
      async handle({ request, body }) {
        void sendReset(emailForm(body.email), request.ip).catch((error: unknown) =>
          log.error({ err: error }, "a link to reset a password could not be made"),
        );
        return done;
      },
    }),
    publicRoute({
      method: "POST",
      url: "/password-reset/confirm",
      summary: "Sets a new password by such a link, and ends all sessions",
      description: "The second factor stays, and is asked for at the next sign-in.",
      body: closed({ token: LinkTokenSchema, password: NewPasswordSchema }),
      answer: DoneSchema,
      problems: [404],
      async handle({ request, reply, body: { token, password } }) {
        if ((await readLink(pool, "reset", token)) === null) return linkSpent;
        const hash = await passwordHash(password);
        let who: string | null = null;
        const refused = await Refuses.caught(() =>
          transaction(pool, async (tx) => {
            const facts = await takeLink(tx, "reset", token);
            if (facts === null) throw new Refuses(linkSpent);
            await dropLinks(tx, "reset", "identity", facts.identity);
            await setPassword(tx, facts.identity, hash);
            await endSessions(tx, facts.identity);
            await forgetBrowsers(tx, facts.identity);
            if (facts.mailed)
              await tx.query("update directory_identities set email_verified = true where id = $1", [facts.identity]);
            who = facts.identity;
          }),
        );
        if (refused !== null || who === null) return refused ?? linkSpent;
        auth.forgetAll();
        // this browser has shown whose it is: nobody who guesses meanwhile keeps the person out of it
        await rememberDevice(pool, { request, reply, publicUrl }, who);
        const identity = await identityById(pool, who);
        if (mail.configured && identity !== null) void mail.send(letters.passwordChanged(identity.email));
        return done;
      },
    }),
    publicRoute({
      method: "POST",
      url: "/email/confirm",
      summary: "Confirms an e-mail address by the link that was sent there; it is signed in with from now on",
      body: closed({ token: LinkTokenSchema }),
      answer: DoneSchema,
      problems: [404],
      async handle({ body: { token } }) {
        const facts = await takeLink(pool, "email", token);
        if (facts === null) return linkSpent;
        const before = await changeEmail(signing, facts);
        if (before === null)
          return refuse("conflict", "email_taken", "Somebody else signs in with this address", "/token");
        if (mail.configured && before !== facts.email) void mail.send(letters.emailChanged(before, facts.email));
        return done;
      },
    }),
  ];
}
