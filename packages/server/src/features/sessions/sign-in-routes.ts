import { Type } from "typebox";
import { type PublicRoute, publicRoute } from "../../http/public-routes.ts";
import { ask, libraryHeaders, passCookies } from "../../identity/ask.ts";
import {
  endSessionOf,
  type SignInState,
  signInByPassword,
  signInBySecondFactor,
  type SigningIn,
} from "../../identity/signing-in.ts";
import type { Refused } from "../../http/route.ts";
import {
  closed,
  CodeSchema,
  done,
  DoneSchema,
  EmailSchema,
  PasswordSchema,
  RecoveryCodeSchema,
  SignInStateSchema,
} from "./schemas.ts";

/** What a caller hears of how it stands: the identity is for the server alone. */
export const told = (state: SignInState | Refused): object => {
  if ("ok" in state) return state;
  return state.status === "signed_in" ? { status: state.status } : state;
};

/** Signing in and out. */
export function signInRoutes(signing: SigningIn): PublicRoute[] {
  return [
    publicRoute({
      method: "GET",
      url: "/ways",
      summary: "Tells how people can sign in here",
      answer: Type.Object(
        {
          password: Type.Literal(true),
          single_sign_on: Type.Union([Type.Object({ name: Type.String() }), Type.Null()]),
          mail: Type.Boolean({ description: "whether links to reset a password can be sent" }),
        },
        { title: "WaysToSignIn" },
      ),
      async handle() {
        const { singleSignOn, mail } = signing;
        return {
          password: true,
          single_sign_on: singleSignOn === null ? null : { name: singleSignOn.name },
          mail: mail.configured,
        };
      },
    }),
    publicRoute({
      method: "POST",
      url: "/sign-in",
      summary: "Signs in by e-mail address and password",
      description:
        "Sets the session's cookie, or asks for the second factor. Whether an address is known here cannot be told from the answer.",
      body: closed({
        email: EmailSchema,
        password: PasswordSchema,
        remember: Type.Optional(
          Type.Boolean({ description: "whether the session outlasts the browser's; default: true" }),
        ),
      }),
      answer: SignInStateSchema,
      handle: async ({ request, reply, body: { email, password, remember = true } }) =>
        told(await signInByPassword(signing, { request, reply }, { email, password, remember })),
    }),
    publicRoute({
      method: "POST",
      url: "/second-factor",
      summary: "Goes on with signing in: a code of the authenticator, or a recovery code",
      body: Type.Union([
        closed({
          code: CodeSchema,
          trust: Type.Optional(Type.Boolean({ description: "ask for no code in this browser for 30 days" })),
        }),
        closed({ recovery_code: RecoveryCodeSchema }),
      ]),
      answer: SignInStateSchema,
      handle: async ({ request, reply, body }) => told(await signInBySecondFactor(signing, { request, reply }, body)),
    }),
    publicRoute({
      method: "POST",
      url: "/sign-out",
      summary: "Ends the session; this process refuses it at once, others within seconds",
      body: closed({}),
      answer: DoneSchema,
      async handle({ request, reply }) {
        await endSessionOf(signing, request);
        const asked = await ask(() =>
          signing.library.api.signOut({ headers: libraryHeaders(request), returnHeaders: true }),
        );
        if (asked.ok) passCookies(reply, asked.cookies);
        return done;
      },
    }),
  ];
}
