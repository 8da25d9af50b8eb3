import { randomBytes } from "node:crypto";
import type { User } from "@threadmill/core";
import { freshId } from "../lanes/fresh-id.ts";
import { hashToken } from "../secrets/token.ts";
import { pageHeader } from "../identity/own-pages.ts";
import { sessionCookie } from "../identity/session.ts";
import { type ApiAnswer, type ApiRequest, type TestApi, testPublicUrl } from "./test-api.ts";

/** A person of a test who has signed in. */
export interface SignedIn {
  /** who they are in the organization */
  readonly user: string;
  readonly identity: string;
  readonly session: string;
  readonly email: string;
  /** what a page of ours sends with each request */
  readonly headers: Readonly<Record<string, string>>;
  /** Asks as their browser does. */
  call(method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE", path: string, request?: ApiRequest): Promise<ApiAnswer>;
}

/** How a person of a test comes to be. */
export interface SignInOptions {
  readonly name?: string;
  readonly email?: string;
  /** a user who is there already, instead of a new one */
  readonly user?: string;
  /** the token by whose organization and rights the user is made; default: the first organization's */
  readonly token?: string;
}

let made = 0;

/**
 * Makes a person who works in the organization with a role, and signs them in: a user, an identity that is that user, and
 * a session. Nothing of it goes through a password, so it costs a test a few rows.
 */
export async function signIn(api: TestApi, role: User["role"], options: SignInOptions = {}): Promise<SignedIn> {
  made += 1;
  const { name = `Person ${made}`, email = `person-${made}@example.com` } = options;
  const { pool } = api.server.database;
  const user = options.user ?? (await newUser(api, { name, email, role }, options.token));
  const [identity, session] = [freshId(), freshId()];
  const token = randomBytes(16).toString("hex");
  await pool.query("insert into directory_identities (id, name, email, email_verified) values ($1, $2, $3, true)", [
    identity,
    name,
    email,
  ]);
  await pool.query(
    `insert into directory_memberships (identity, organization, lane, user_id)
select $1, organization, lane, id from users where id = $2`,
    [identity, user],
  );
  await pool.query(
    `insert into directory_sessions (id, identity, token, organization, expires_at)
select $1, identity, $3, organization, now() + interval '1 day' from directory_memberships where identity = $2`,
    [session, identity, hashToken(token)],
  );
  const headers = { cookie: `${sessionCookie(testPublicUrl)}=${token}`, origin: testPublicUrl, [pageHeader]: "1" };
  const call: SignedIn["call"] = (method, path, request = {}) =>
    api.call(method, path, { ...request, token: null, headers: { ...headers, ...request.headers } });
  return { user, identity, session, email, headers, call };
}

async function newUser(api: TestApi, body: object, token: string | undefined): Promise<string> {
  const answer = await api.call("POST", "/users", { body, ...(token !== undefined && { token }) });
  if (answer.status !== 201) throw new Error(`The user was not made: ${answer.text}`);
  return answer.json.id as string;
}
