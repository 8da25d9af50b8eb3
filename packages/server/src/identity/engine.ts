import { kyselyAdapter } from "@better-auth/kysely-adapter";
import { betterAuth, type BetterAuthOptions } from "better-auth";
import { genericOAuth, twoFactor } from "better-auth/plugins";
import { Kysely, type KyselyPlugin, PostgresDialect } from "kysely";
import type { Pool } from "pg";
import { freshId } from "../lanes/fresh-id.ts";
import type { Log } from "../observe/log.ts";
import { hashedSessions } from "./hashed-sessions.ts";
import { newRecoveryCodes, storedRecoveryCodes } from "./recovery-codes.ts";
import { briefSessionSeconds, sessionSeconds } from "./session.ts";

/** A provider of single sign-on, by OpenID Connect. */
export interface SingleSignOn {
  /** its address, below which `.well-known/openid-configuration` stands */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** as people call it */
  readonly name: string;
}

/** What signing in is made of. */
export interface EngineOptions {
  readonly pool: Pool;
  readonly log: Log;
  /** signs cookies and seals what must be read again */
  readonly secret: string;
  readonly publicUrl: string;
  readonly singleSignOn: SingleSignOn | null;
  /** Whether somebody whom nobody knows may come in by single sign-on: those who were invited. */
  readonly mayJoin: (email: string) => Promise<boolean>;
}

/** Below it stand the routes of signing in. */
export const authPath = "/api/v2/auth";
/** What the provider of single sign-on is called in addresses and rows. */
export const ssoId = "oidc";
/** The shortest and the longest password. */
export const passwordLength = { least: 10, most: 200 } as const;
/** In which header it is told from where a request came. */
export const addressHeader = "x-threadmill-address";

/** Its dates are objects; those of everything else here are texts. */
const dates: KyselyPlugin = {
  transformQuery: ({ node }) => node,
  async transformResult({ result }) {
    const rows = result.rows.map((row) => Object.fromEntries(Object.entries(row).map(dated)));
    return { ...result, rows };
  },
};
const dated = ([name, value]: [string, unknown]): [string, unknown] =>
  typeof value === "string" && /(?:_at|locked_until)$/.test(name) ? [name, new Date(value)] : [name, value];

const times = { createdAt: "created_at", updatedAt: "updated_at" };

/**
 * The library's part of signing in: passwords and their hashes, sessions, the second factor, single sign-on. None of its
 * own routes is open: ours call it. It reads and writes the directory's tables, sessions by the hashes of their tokens.
 */
export function createEngine({ pool, log, secret, publicUrl, singleSignOn, mayJoin }: EngineOptions) {
  const db = new Kysely<Record<string, never>>({ dialect: new PostgresDialect({ pool }), plugins: [dates] });
  const adapter = kyselyAdapter(db, { type: "postgres" });
  return betterAuth({
    appName: "Threadmill",
    baseURL: publicUrl,
    basePath: authPath,
    secret,
    database: (options: BetterAuthOptions) => hashedSessions(adapter(options)),
    telemetry: { enabled: false },
    onAPIError: { errorURL: `${publicUrl}/welcome` },
    // our own limits count, by person and address; see attempts.ts
    rateLimit: { enabled: false },
    logger: {
      // its words for people who mistyped a password are no event of ours, and may quote what they typed
      level: "error",
      log: (level, message) => {
        if (level === "error") log.warn({ said: message.slice(0, 300) }, "signing in");
      },
    },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: passwordLength.least,
      maxPasswordLength: passwordLength.most,
    },
    user: {
      modelName: "directory_identities",
      fields: { emailVerified: "email_verified", ...times },
    },
    account: {
      modelName: "directory_accounts",
      fields: {
        userId: "identity",
        providerId: "provider",
        accountId: "account_id",
        accessToken: "access_token",
        refreshToken: "refresh_token",
        idToken: "id_token",
        accessTokenExpiresAt: "access_token_expires_at",
        refreshTokenExpiresAt: "refresh_token_expires_at",
        ...times,
      },
      updateAccountOnSignIn: false,
      accountLinking: { enabled: true, requireLocalEmailVerified: true },
    },
    session: {
      modelName: "directory_sessions",
      fields: {
        userId: "identity",
        expiresAt: "expires_at",
        ipAddress: "ip_address",
        userAgent: "user_agent",
        ...times,
      },
      additionalFields: {
        organization: { type: "string", required: false, input: false },
        brief: { type: "boolean", required: false, input: false },
      },
      expiresIn: sessionSeconds,
      // our own look-up lets it last on; see http/use.ts
      disableSessionRefresh: true,
      cookieCache: { enabled: false },
    },
    verification: {
      modelName: "directory_verifications",
      fields: { expiresAt: "expires_at", ...times },
      storeIdentifier: "hashed",
    },
    advanced: {
      useSecureCookies: publicUrl.startsWith("https:"),
      cookiePrefix: "threadmill",
      cookies: { session_token: { name: "threadmill_session" } },
      defaultCookieAttributes: { httpOnly: true, sameSite: "lax", path: "/" },
      ipAddress: { ipAddressHeaders: [addressHeader] },
      database: { generateId: () => freshId() },
    },
    databaseHooks: {
      // nobody is made an identity here but who was invited, and whose address the provider vouches for
      user: {
        create: { before: async (user) => (user.emailVerified && (await mayJoin(user.email)) ? undefined : false) },
      },
      account: {
        // nothing is asked of the provider later, so nothing is kept that would allow it
        create: {
          before: async (account) => ({
            data: {
              ...account,
              accessToken: null,
              refreshToken: null,
              idToken: null,
              accessTokenExpiresAt: null,
              refreshTokenExpiresAt: null,
            },
          }),
        },
      },
      session: {
        create: {
          before: async (session) => {
            const lastsMs = session.expiresAt.getTime() - Date.now();
            const brief = lastsMs < (sessionSeconds * 1000) / 2;
            const expiresAt = brief ? new Date(Date.now() + briefSessionSeconds * 1000) : session.expiresAt;
            return { data: { ...session, expiresAt, brief, organization: await workplaceOf(pool, session.userId) } };
          },
        },
      },
    },
    plugins: [
      twoFactor({
        issuer: "Threadmill",
        backupCodeOptions: {
          customBackupCodesGenerate: newRecoveryCodes,
          storeBackupCodes: { encrypt: storedRecoveryCodes, decrypt: async (kept) => kept },
        },
        schema: {
          user: { fields: { twoFactorEnabled: "two_factor" } },
          twoFactor: {
            modelName: "directory_second_factors",
            fields: {
              userId: "identity",
              backupCodes: "backup_codes",
              failedVerificationCount: "failed_verification_count",
              lockedUntil: "locked_until",
            },
          },
        },
      }),
      ...(singleSignOn === null
        ? []
        : [
            genericOAuth({
              config: [
                {
                  providerId: ssoId,
                  name: singleSignOn.name,
                  discoveryUrl: `${singleSignOn.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`,
                  clientId: singleSignOn.clientId,
                  clientSecret: singleSignOn.clientSecret,
                  scopes: ["openid", "email", "profile"],
                  requireIdTokenVerification: true,
                  pkce: true,
                },
              ],
            }),
          ]),
    ],
  });
}

export type AuthEngine = ReturnType<typeof createEngine>;

/** Where an identity worked last, or else where it has worked the longest. */
async function workplaceOf(pool: Pool, identity: string): Promise<string | null> {
  const { rows } = await pool.query<{ organization: string }>(
    `select m.organization from directory_memberships m where m.identity = $1
order by m.organization = (select s.organization from directory_sessions s where s.identity = $1 and s.organization is not null
  order by s.created_at desc limit 1) desc nulls last, m.created_at, m.organization limit 1`,
    [identity],
  );
  return rows[0]?.organization ?? null;
}
