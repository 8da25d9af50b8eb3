import { connectionsAtLeast } from "../db/connections.ts";
import type { OptionType } from "./option-types.ts";
import {
  addressRanges,
  allowedAddresses,
  integer,
  oneOf,
  postgresAddress,
  secretKeyText,
  smtpAddress,
  text,
  tokenText,
  webAddress,
} from "./option-types.ts";

/** One row of the option table. */
export interface Option<T> {
  readonly type: OptionType<T>;
  /** Environment variable. */
  readonly env: string;
  /** Command-line flag without its dashes. Secrets have none: other users of the machine can read a command line. */
  readonly flag?: string;
  /** Never shown, logged or repeated in a problem. */
  readonly secret?: true;
  /** Value when nothing is given. Without `fallback` and `derive` the option is undefined then. */
  readonly fallback?: T;
  /** Value when nothing is given, from the options it depends on. */
  readonly derive?: (base: { readonly port: number }) => T;
  /** What the documentation says about the value when nothing is given, where that is not the fallback itself. */
  readonly otherwise?: string;
  /** A sentence or two for help and documentation. */
  readonly about: string;
}

const localAddress = ({ port }: { readonly port: number }) => `http://localhost:${port}`;

/**
 * Every option there is. The `Config` type, reading the environment and the command line, `--help`, docs/options.md and
 * what the log shows of a configuration all come from this table.
 */
export const options = {
  port: {
    type: integer(0, 65535),
    env: "PORT",
    flag: "port",
    fallback: 3000,
    about: "Port of the HTTP server. 0 takes a free one.",
  },
  host: {
    type: text("host"),
    env: "THREADMILL_HOST",
    flag: "host",
    fallback: "localhost",
    about:
      "Address the HTTP server listens on. The default can be reached from this machine only; 0.0.0.0 or :: opens it to others, which should come through a proxy that speaks TLS.",
  },
  publicUrl: {
    type: webAddress,
    env: "THREADMILL_PUBLIC_URL",
    flag: "public-url",
    derive: localAddress,
    otherwise: "http://localhost:<port>",
    about:
      "Address under which others reach this server: links are made with it, and signatures of incoming webhooks are checked against it, so it must be the one that providers were given.",
  },
  trustedProxies: {
    type: addressRanges,
    env: "THREADMILL_TRUSTED_PROXIES",
    flag: "trusted-proxies",
    fallback: Object.freeze([]),
    otherwise: "none",
    about:
      "Addresses of the proxies in front of the server. Only from these is X-Forwarded-For believed; anybody else could invent an address.",
  },
  dataDir: {
    type: text("path"),
    env: "THREADMILL_DATA_DIR",
    flag: "data-dir",
    fallback: "./.threadmill",
    about:
      "Directory for what this machine keeps: the embedded database and the secret key. A relative path starts at the working directory. Back it up.",
  },
  databaseUrl: {
    type: postgresAddress,
    env: "DATABASE_URL",
    secret: true,
    otherwise: "a PostgreSQL server of our own in the data directory",
    about: "PostgreSQL database to use. Several processes may share one.",
  },
  databaseDirectUrl: {
    type: postgresAddress,
    env: "DATABASE_DIRECT_URL",
    secret: true,
    otherwise: "the same as DATABASE_URL",
    about:
      "The same database without a pooler between. Needed beside a DATABASE_URL that goes through PgBouncer, because LISTEN does not work there.",
  },
  databasePoolSize: {
    type: integer(connectionsAtLeast, 1000),
    env: "THREADMILL_DATABASE_POOL_SIZE",
    flag: "database-pool-size",
    fallback: 24,
    about:
      "Most database connections that one process opens, all told; docs/operations.md says what they are for. PostgreSQL must allow as many for each process, and a few more for commands such as backup.",
  },
  waitingMegabytes: {
    type: integer(8, 100_000),
    env: "THREADMILL_WAITING_MB",
    flag: "waiting-mb",
    fallback: 48,
    about:
      "How much may wait for its answer in one process, in megabytes of requests; in memory it takes some five times as much. What comes beyond it is answered 503 with Retry-After. A lane that stands still takes a fifth at most.",
  },
  patienceSeconds: {
    type: integer(1, 3600),
    env: "THREADMILL_PATIENCE_SECONDS",
    flag: "patience-seconds",
    fallback: 20,
    about:
      "How long a command waits while the database or its lane cannot be had, before its caller hears 503. Once the first one waits for half of it, new ones are refused at once.",
  },
  drainSeconds: {
    type: integer(1, 3600),
    env: "THREADMILL_DRAIN_SECONDS",
    flag: "drain-seconds",
    fallback: 20,
    about:
      "How long a process that is asked to stop may take to finish what it has begun. Then everything is closed. Whoever stops it must wait a few seconds longer: Docker waits 10 unless told otherwise.",
  },
  token: {
    type: tokenText,
    env: "THREADMILL_TOKEN",
    secret: true,
    otherwise: "the first start makes one and shows it once",
    about:
      "For the server: the token that the first organization gets at an unattended first start. For the command line: the token it signs in with.",
  },
  url: {
    type: webAddress,
    env: "THREADMILL_URL",
    flag: "url",
    derive: localAddress,
    otherwise: "http://localhost:<port>",
    about: "Server that the command line talks to.",
  },
  secretKey: {
    type: secretKeyText,
    env: "THREADMILL_SECRET_KEY",
    secret: true,
    otherwise: "made at the first start and kept in the data directory, as secret.key with mode 0600",
    about:
      "Key that encrypts stored secrets, such as provider tokens: 32 bytes in base64 or hex. Processes that share a database need the same one. Without it those secrets are lost.",
  },
  smtpUrl: {
    type: smtpAddress,
    env: "THREADMILL_SMTP_URL",
    secret: true,
    otherwise: "no mail; links are shown to whoever asks for them",
    about:
      "Mail server for what the system itself writes to people who work here: invitations, links to reset a password. Nothing of customers goes this way.",
  },
  mailFrom: {
    type: text("address"),
    env: "THREADMILL_MAIL_FROM",
    flag: "mail-from",
    fallback: "Threadmill <threadmill@localhost>",
    about: "Sender of those letters, such as Threadmill <support@example.com>.",
  },
  oidcIssuer: {
    type: webAddress,
    env: "THREADMILL_OIDC_ISSUER",
    flag: "oidc-issuer",
    otherwise: "no single sign-on",
    about:
      "Address of an OpenID Connect provider by which people may sign in, without /.well-known/openid-configuration. docs/signing-in.md says how to set it up.",
  },
  oidcClientId: {
    type: text("id"),
    env: "THREADMILL_OIDC_CLIENT_ID",
    flag: "oidc-client-id",
    otherwise: "none",
    about: "What that provider knows this installation by.",
  },
  oidcClientSecret: {
    type: text("secret"),
    env: "THREADMILL_OIDC_CLIENT_SECRET",
    secret: true,
    otherwise: "none",
    about: "The secret that it gave out with it.",
  },
  oidcName: {
    type: text("name"),
    env: "THREADMILL_OIDC_NAME",
    flag: "oidc-name",
    fallback: "Single sign-on",
    about: "What that provider is called on the page for signing in.",
  },
  logLevel: {
    type: oneOf(["fatal", "error", "warn", "info", "debug", "trace", "silent"]),
    env: "THREADMILL_LOG_LEVEL",
    flag: "log-level",
    fallback: "info",
    about: "Least severe level that is logged. Logs are JSON lines on standard output.",
  },
  eventsDays: {
    type: integer(1, 36_500),
    env: "THREADMILL_EVENTS_DAYS",
    flag: "events-days",
    fallback: 400,
    about: "How many days events are kept. History, explanations and back-tests reach no further back.",
  },
  runsDays: {
    type: integer(1, 36_500),
    env: "THREADMILL_RUNS_DAYS",
    flag: "runs-days",
    fallback: 30,
    about: "How many days finished runs are kept, with what their steps took in and gave out.",
  },
  effectWorkers: {
    type: integer(0, 1000),
    env: "THREADMILL_EFFECT_WORKERS",
    flag: "effect-workers",
    fallback: 64,
    about:
      "How many effects (deliveries, HTTP calls, model calls) one process performs at the same time. 0 leaves them to other processes.",
  },
  allowPrivateAddresses: {
    type: allowedAddresses,
    env: "THREADMILL_ALLOW_PRIVATE_ADDRESSES",
    flag: "allow-private-addresses",
    fallback: Object.freeze([]),
    otherwise: "no",
    about:
      "Which addresses that are not public requests to providers and other outside systems may go to: no, yes (all of them: this machine, its network and its cloud's credentials), or only those listed.",
  },
} as const satisfies Record<string, Option<number> | Option<string> | Option<readonly string[]>>;

/** The name of an option, as `Config` has it. */
export type OptionName = keyof typeof options;

type ValueOf<O> = O extends { readonly type: OptionType<infer T> }
  ? O extends { readonly fallback: unknown } | { readonly derive: unknown }
    ? T
    : T | undefined
  : never;

/** The configuration of a process: made once in `main.ts`, frozen, and passed down. */
export type Config = { readonly [K in OptionName]: ValueOf<(typeof options)[K]> };

/** The table's rows without their value types, for code that treats all alike. */
export function optionRows(): readonly (readonly [OptionName, Option<unknown>])[] {
  return Object.entries(options) as [OptionName, Option<unknown>][];
}
