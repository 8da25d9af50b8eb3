import { Type } from "typebox";
import { type Call, type Route, route } from "../../http/route.ts";
import { ask, type Asked, libraryHeaders, passCookies } from "../../identity/ask.ts";
import { rememberDevice } from "../../identity/devices.ts";
import { forgetBrowsers } from "../../identity/people.ts";
import { countedBy, countTry, endSessionOf, type SigningIn } from "../../identity/signing-in.ts";
import { closed, CodeSchema, done, DoneSchema, NewPasswordSchema, PasswordSchema } from "../sessions/schemas.ts";
import { about, identityOf, sessionNeeded } from "./routes.ts";

const RecoveryCodes = Type.Array(Type.String(), { description: "shown once; kept are their hashes" });

/** The password and the second factor of whoever has signed in. Each asks for the password anew, and wrong ones count. */
export function securityRoutes(signing: SigningIn): Route[] {
  const { library, auth, attempts } = signing;

  /** Asks the library for something that takes the password; hands its cookies on, for it makes the session anew. */
  async function withPassword<T>(
    call: Call,
    act: (headers: Headers) => ReturnType<Parameters<typeof ask<T>>[0]>,
  ): Promise<Asked<T>> {
    const identity = await identityOf(signing, call);
    if (identity === null) return sessionNeeded;
    const { request } = call.reply;
    const counted = await countedBy(signing, request, identity.email);
    await countTry(signing, counted);
    const asked = await ask(() => act(libraryHeaders(request)));
    // only a wrong password counts against whoever gave it
    if (asked.ok || asked.code !== "wrong_password") await attempts.succeeded(counted);
    if (!asked.ok) return asked;
    passCookies(call.reply, asked.cookies);
    auth.forgetAll();
    return asked;
  }

  return [
    route({
      ...about,
      method: "POST",
      url: "/account/password",
      summary: "Changes the password, ends all other sessions and makes this one anew",
      body: closed({ password: PasswordSchema, new_password: NewPasswordSchema }),
      answer: DoneSchema,
      async handle(call) {
        const { password, new_password } = call.body;
        const asked = await withPassword(call, (headers) =>
          library.api.changePassword({
            body: { currentPassword: password, newPassword: new_password, revokeOtherSessions: true },
            headers,
            returnHeaders: true,
          }),
        );
        if (!asked.ok) return asked;
        const { request } = call.reply;
        const identity = call.caller.session?.identity ?? "";
        await forgetBrowsers(signing.pool, identity);
        await rememberDevice(signing.pool, { request, reply: call.reply, publicUrl: signing.publicUrl }, identity);
        return done;
      },
    }),
    route({
      ...about,
      method: "POST",
      url: "/account/second-factor",
      summary: "Begins with a second factor: an authenticator's secret, and recovery codes",
      description: "It is asked for at sign-in once a code of the authenticator has confirmed it.",
      body: closed({ password: PasswordSchema }),
      answer: Type.Object(
        {
          uri: Type.String({ description: "for the authenticator, as text or as a picture" }),
          recovery_codes: RecoveryCodes,
        },
        { title: "SecondFactorBegun" },
      ),
      async handle(call) {
        const asked = await withPassword(call, (headers) =>
          library.api.enableTwoFactor({
            body: { password: call.body.password, method: "totp" },
            headers,
            returnHeaders: true,
          }),
        );
        if (!asked.ok) return asked;
        const { totpURI = "", backupCodes = [] } = asked.value as { totpURI?: string; backupCodes?: string[] };
        return { uri: totpURI, recovery_codes: backupCodes };
      },
    }),
    route({
      ...about,
      method: "POST",
      url: "/account/second-factor/confirm",
      summary: "Confirms the second factor by a code; it is asked for from now on",
      body: closed({ code: CodeSchema }),
      answer: DoneSchema,
      async handle(call) {
        const identity = await identityOf(signing, call);
        if (identity === null) return sessionNeeded;
        const { reply } = call;
        const { request } = reply;
        const counted = [{ kind: "pair", of: `code ${identity.id}` }] as const;
        await countTry(signing, counted);
        const asked = await ask(() =>
          library.api.verifyTOTP({
            body: { code: call.body.code },
            headers: libraryHeaders(request),
            returnHeaders: true,
          }),
        );
        if (!asked.ok) return asked;
        await attempts.succeeded(counted);
        if (asked.cookies.length > 0) await endSessionOf(signing, request);
        passCookies(reply, asked.cookies);
        auth.forgetAll();
        return done;
      },
    }),
    route({
      ...about,
      method: "POST",
      url: "/account/second-factor/disable",
      summary: "Takes the second factor away",
      body: closed({ password: PasswordSchema }),
      answer: DoneSchema,
      async handle(call) {
        const asked = await withPassword(call, (headers) =>
          library.api.disableTwoFactor({ body: { password: call.body.password }, headers, returnHeaders: true }),
        );
        return asked.ok ? done : asked;
      },
    }),
    route({
      ...about,
      method: "POST",
      url: "/account/second-factor/recovery-codes",
      summary: "Makes new recovery codes; those of before are worth nothing then",
      body: closed({ password: PasswordSchema }),
      answer: Type.Object({ recovery_codes: RecoveryCodes }, { title: "RecoveryCodes" }),
      async handle(call) {
        const asked = await withPassword(call, (headers) =>
          library.api.generateBackupCodes({ body: { password: call.body.password }, headers, returnHeaders: true }),
        );
        return asked.ok ? { recovery_codes: asked.value.backupCodes } : asked;
      },
    }),
  ];
}
