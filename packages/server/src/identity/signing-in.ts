import { refuse } from "@threadmill/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Pool } from "pg";
import type { Authenticator } from "../http/auth.ts";
import { ProblemAnswer } from "../http/errors.ts";
import type { AppPorts, EnginePort } from "../http/ports.ts";
import { problem } from "../http/problems.ts";
import type { Refused } from "../http/route.ts";
import type { SystemMail } from "../mail/mail.ts";
import type { Log } from "../observe/log.ts";
import { hashToken } from "../secrets/token.ts";
import { ask, type Asked, libraryHeaders, passCookies } from "./ask.ts";
import { type Attempts, type Counted, countedFor, createAttempts } from "./attempts.ts";
import { knownDevice, rememberDevice } from "./devices.ts";
import { type AuthEngine, createEngine, type SingleSignOn } from "./engine.ts";
import { mayJoin } from "./joining.ts";
import { emailForm } from "./people.ts";
import { hashRecoveryCode } from "./recovery-codes.ts";
import { sessionTokenOf } from "./session.ts";

/** All that routes about signing in work with. */
export interface SigningIn {
  readonly library: AuthEngine;
  readonly attempts: Attempts;
  readonly pool: Pool;
  readonly engine: EnginePort;
  readonly auth: Authenticator;
  readonly mail: SystemMail;
  readonly log: Log;
  readonly publicUrl: string;
  readonly singleSignOn: SingleSignOn | null;
}

/** Puts it together. */
export function createSigningIn(ports: AppPorts, auth: Authenticator): SigningIn {
  const { pool, engine, mail, log, publicUrl, singleSignOn, secretBox } = ports;
  const library = createEngine({
    pool,
    log,
    secret: secretBox.derive("sign-in"),
    publicUrl,
    singleSignOn,
    mayJoin: (email) => mayJoin(pool, email),
  });
  return { library, attempts: createAttempts(pool), pool, engine, auth, mail, log, publicUrl, singleSignOn };
}

/** A request and its answer. */
export interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** How a sign-in stands. */
export type SignInState =
  | { readonly status: "signed_in"; readonly identity: string }
  | { readonly status: "second_factor"; readonly methods: readonly ("code" | "recovery_code")[] };

/** What somebody says who signs in by a password. */
export interface Credentials {
  readonly email: string;
  readonly password: string;
  /** whether the session lasts beyond the browser's */
  readonly remember: boolean;
}

/** Counts a try against all that it counts for. Throws the problem `too_many_attempts`. */
export async function countTry({ attempts }: SigningIn, counted: readonly Counted[]): Promise<void> {
  const wait = await attempts.begin(counted);
  if (wait > 0) throw new ProblemAnswer(problem("too_many_attempts"), wait);
}

/** What counts when this request says that it is of an account. */
export async function countedBy(signing: SigningIn, request: FastifyRequest, email: string): Promise<Counted[]> {
  const { pool, publicUrl } = signing;
  const account = emailForm(email);
  return countedFor(account, request.ip, await knownDevice(pool, request, publicUrl, account));
}

/** Signs somebody in by a password; all answers but a success are the same for addresses that nobody has. */
export async function signInByPassword(
  signing: SigningIn,
  { request, reply }: Exchange,
  { email, password, remember }: Credentials,
): Promise<SignInState | Refused> {
  const { library, attempts } = signing;
  const counted = await countedBy(signing, request, email);
  await countTry(signing, counted);
  const asked = await ask(() =>
    library.api.signInEmail({
      body: { email: emailForm(email), password, rememberMe: remember },
      headers: libraryHeaders(request),
      returnHeaders: true,
    }),
  );
  if (!asked.ok) return asked;
  await attempts.succeeded(counted);
  if ("twoFactorRedirect" in asked.value) {
    passCookies(reply, asked.cookies);
    return { status: "second_factor", methods: ["code", "recovery_code"] };
  }
  return welcome(signing, { request, reply }, asked);
}

/** A code of the second factor, or one of those for when it is lost. */
export interface SecondProof {
  readonly code?: string;
  readonly recovery_code?: string;
  /** whether this browser is asked for none in the next month */
  readonly trust?: boolean;
}

/** The second half of signing in, after the password. */
export async function signInBySecondFactor(
  signing: SigningIn,
  { request, reply }: Exchange,
  { code, recovery_code, trust = false }: SecondProof,
): Promise<SignInState | Refused> {
  const { library, pool } = signing;
  // a session of before would make it look like somebody who proves again who they are
  const headers = withoutSession(libraryHeaders(request), signing);
  const asked = await ask(() =>
    recovery_code === undefined
      ? library.api.verifyTOTP({ body: { code: code ?? "", trustDevice: trust }, headers, returnHeaders: true })
      : library.api.verifyBackupCode({
          body: { code: hashRecoveryCode(recovery_code), trustDevice: trust },
          headers,
          returnHeaders: true,
        }),
  );
  if (!asked.ok) return asked;
  const { token, user } = asked.value as { readonly token: string; readonly user: { readonly id: string } };
  if (code !== undefined && !(await firstUse(pool, user.id, code))) {
    await pool.query("delete from directory_sessions where token = $1", [hashToken(token)]);
    return refuse("forbidden", "wrong_code", "The code was used already; wait for the next", "/code");
  }
  return welcome(signing, { request, reply }, { ...asked, value: { token, user } });
}

/** Of two who come with the same code, one is somebody who looked over a shoulder. */
async function firstUse(pool: Pool, identity: string, code: string): Promise<boolean> {
  const { rows } = await pool.query(
    `insert into directory_attempts (key) values ($1)
on conflict (key) do update set last_at = now() where directory_attempts.last_at < now() - interval '3 minutes' returning 1`,
    [hashToken(`code ${identity} ${code}`)],
  );
  return rows.length > 0;
}

type Welcomed = Extract<Asked<{ readonly token: string; readonly user: { readonly id: string } }>, { ok: true }>;

/** Hands the session over, and ends the one that was there: what somebody else put into this browser is worth nothing. */
export async function welcome(
  signing: SigningIn,
  { request, reply }: Exchange,
  { value: { token, user }, cookies }: Welcomed,
): Promise<SignInState | Refused> {
  const { pool, publicUrl, auth } = signing;
  const { rows } = await pool.query("select 1 from directory_memberships where identity = $1 limit 1", [user.id]);
  if (rows.length === 0) {
    await pool.query("delete from directory_sessions where token = $1", [hashToken(token)]);
    return refuse("forbidden", "works_nowhere", "You work in no organization now; ask to be invited");
  }
  await endSessionOf(signing, request);
  passCookies(reply, cookies);
  await rememberDevice(pool, { request, reply, publicUrl }, user.id);
  auth.forget(hashToken(token));
  return { status: "signed_in", identity: user.id };
}

/** Ends the session that a request brings, if it brings one. */
export async function endSessionOf({ pool, publicUrl, auth }: SigningIn, request: FastifyRequest): Promise<void> {
  const token = sessionTokenOf(request, publicUrl);
  if (token === null) return;
  await pool.query("delete from directory_sessions where token = $1", [hashToken(token)]);
  auth.forget(hashToken(token));
}

function withoutSession(headers: Headers, { publicUrl }: SigningIn): Headers {
  const name = `${publicUrl.startsWith("https:") ? "__Secure-" : ""}threadmill_session`;
  const cookies = (headers.get("cookie") ?? "").split(";").filter((part) => part.trim().split("=", 1)[0] !== name);
  headers.set("cookie", cookies.join(";"));
  return headers;
}
