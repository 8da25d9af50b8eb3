import type { FastifyReply, FastifyRequest } from "fastify";
import { isAPIError } from "better-auth/api";
import type { Refused } from "../http/route.ts";
import { refuse } from "@threadmill/core";
import { ProblemAnswer } from "../http/errors.ts";
import { problem } from "../http/problems.ts";
import { addressHeader } from "./engine.ts";

/** The request's headers as the library is to see them: what it reads of them, and nothing that a client could make up. */
export function libraryHeaders({ headers, ip }: FastifyRequest): Headers {
  const given = new Headers({ [addressHeader]: ip });
  if (headers.cookie !== undefined) given.set("cookie", headers.cookie);
  if (headers["user-agent"] !== undefined) given.set("user-agent", headers["user-agent"].slice(0, 400));
  return given;
}

/** What the library's refusals are in our words. What is not here is a fault. */
const refusals: Readonly<Record<string, Refused>> = {
  INVALID_EMAIL_OR_PASSWORD: refuse("forbidden", "wrong_credentials", "The e-mail address or the password is wrong"),
  INVALID_EMAIL: refuse("forbidden", "wrong_credentials", "The e-mail address or the password is wrong"),
  INVALID_PASSWORD: refuse("forbidden", "wrong_password", "The password is wrong", "/password"),
  CREDENTIAL_ACCOUNT_NOT_FOUND: refuse("conflict", "no_password", "You sign in without a password"),
  INVALID_CODE: refuse("forbidden", "wrong_code", "The code is wrong", "/code"),
  INVALID_BACKUP_CODE: refuse("forbidden", "wrong_code", "The code is wrong, or was used before", "/code"),
  INVALID_TWO_FACTOR_COOKIE: refuse("forbidden", "sign_in_expired", "It took too long; begin anew with the password"),
  TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE: refuse(
    "forbidden",
    "sign_in_expired",
    "Too many codes; begin anew with the password",
  ),
  ACCOUNT_TEMPORARILY_LOCKED: refuse("limited", "too_many_attempts", "Too many wrong codes; wait a quarter of an hour"),
  TOTP_ALREADY_ENABLED: refuse("conflict", "second_factor_on", "There is a second factor already"),
  TOTP_NOT_ENABLED: refuse("conflict", "second_factor_off", "There is no second factor"),
  TWO_FACTOR_NOT_ENABLED: refuse("conflict", "second_factor_off", "There is no second factor"),
  BACKUP_CODES_NOT_ENABLED: refuse("conflict", "second_factor_off", "There is no second factor"),
  PROVIDER_NOT_FOUND: refuse("not_found", "single_sign_on_away", "The provider of single sign-on does not answer"),
  PASSWORD_TOO_SHORT: refuse("invalid", "password_too_short", "The password is too short", "/password"),
  PASSWORD_TOO_LONG: refuse("invalid", "password_too_long", "The password is too long", "/password"),
};

/** What the library answered: its value with the cookies that come with it, or a refusal of ours. */
export type Asked<T> = { readonly ok: true; readonly value: T; readonly cookies: readonly string[] } | Refused;

interface Answered<T> {
  readonly headers?: Headers | null | undefined;
  readonly response: T;
}

/** Asks the library something. Throws its faults. */
export async function ask<T>(call: () => Promise<Answered<T>>): Promise<Asked<T>> {
  try {
    const { headers, response } = await call();
    return { ok: true, value: response, cookies: headers?.getSetCookie() ?? [] };
  } catch (error) {
    if (!isAPIError(error)) throw error;
    const code = (error.body as { readonly code?: string } | undefined)?.code ?? "";
    const refusal = refusals[code];
    if (refusal !== undefined) return refusal;
    if (error.statusCode === 401) throw new ProblemAnswer(problem("unauthorized"));
    throw new Error(`Signing in failed: ${error.statusCode} ${code}`, { cause: error });
  }
}

/** As long as browsers keep a cookie: how long a session lasts is said by the database, and moves on while it is used. */
const longestSeconds = 400 * 86_400;

/** Hands cookies of the library on to the caller. */
export function passCookies(reply: FastifyReply, cookies: readonly string[]): void {
  for (const cookie of cookies) {
    const session = /^(?:__Secure-)?threadmill_session=[^;]/.test(cookie);
    void reply.header(
      "set-cookie",
      session ? cookie.replace(/; Max-Age=[1-9]\d*/i, `; Max-Age=${longestSeconds}`) : cookie,
    );
  }
}
