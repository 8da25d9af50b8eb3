import { fieldsMarked, nouns } from "@threadmill/core";
import { options } from "../config/options.ts";

/** What stands in the log where a secret stood. */
export const mask = "[redacted]";

/** What protocols and others' systems call a secret; of our own fields the schemas and the options say it. */
const foreignSecrets = [
  "authorization",
  "proxy-authorization",
  "cookie",
  "set-cookie",
  "token",
  "access_token",
  "refresh_token",
  "x-token",
  "api_key",
  "apiKey",
  "x-api-key",
  "password",
  "passwd",
  "secret",
  "client_secret",
  "auth_token",
  "authToken",
  "secret_key",
];
const ownSecrets = [
  ...Object.values(nouns).flatMap((schema) => Object.keys(fieldsMarked(schema, "secret", () => true))),
  ...Object.entries(options as Readonly<Record<string, { readonly env: string; readonly secret?: true }>>).flatMap(
    ([name, { env, secret }]) => (secret === true ? [name, env] : []),
  ),
];

/** Field names whose value is a secret, wherever they occur, in any case. */
export const secretFields: readonly string[] = [...new Set([...foreignSecrets, ...ownSecrets])];

const names = secretFields.join("|");

/** A quote of JSON that stands inside `depth` JSON strings: a body that is logged as text is at depth 1. */
function quoteAt(depth: number): string {
  return `${String.raw`\\`.repeat(2 ** depth - 1)}"`;
}

/**
 * `"name":"value"` at a depth, where a backslash is written as 2^depth of them. A value that was cut off counts to its end.
 * Logs hold what strangers send, so every pattern here takes linear time: at any place at most one branch fits, and no
 * run of characters is entered twice.
 */
function jsonText(depth: number): RegExp {
  const [quote, backslash] = [quoteAt(depth), String.raw`\\`.repeat(2 ** depth)];
  const broken = depth === 0 ? "" : String.raw`|\\{1,${2 ** depth - 1}}[^"\\]`;
  const unit = String.raw`[^"\\]|${backslash}(?:${quote}|${backslash}|[^"\\])${broken}`;
  const end = String.raw`(?:${quote}|(?=\\{0,8}(?:"|$)))`;
  return new RegExp(`(${quote})(${names})${quote}(\\s*:\\s*)${quote}(?:${unit})*${end}`, "gi");
}

/** The same with a number or truth value. */
function jsonPlain(depth: number): RegExp {
  const quote = quoteAt(depth);
  return new RegExp(`(${quote})(${names})${quote}(\\s*:\\s*)(?:-?\\d[\\d.eE+-]*|true|false)`, "gi");
}

const inJson = [0, 1, 2].flatMap((depth) => [jsonText(depth), jsonPlain(depth)]);
/** `name=value`, as in queries, form bodies and libpq's keyword strings. */
const assigned = new RegExp(`(^|[^A-Za-z0-9_-])(${names})=(?:'[^'"\\\\]*'?|[^&\\s"'\\\\#;,)]+)`, "gi");
/** The password of a connection string or any other address. */
const inAddress = /(:\/\/[^\s:@/?#"'\\]*):[^\s/?#"'\\]*@/g;
const credentials = /\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi;
const ourTokens = /\btm_[A-Za-z0-9_-]{16,}/g;
const ourEnvelopes = /\bv[12]:[0-9a-f]{16}:[A-Za-z0-9_-]{16}:[A-Za-z0-9_-]+/g;

/**
 * Masks secrets in any text: passwords in addresses, bearer credentials, our tokens, and values of fields with a secret's
 * name. JSON stays valid JSON.
 */
export function scrubText(text: string): string {
  return inJson
    .reduce((scrubbed, pattern) => scrubbed.replace(pattern, `$1$2$1$3$1${mask}$1`), text)
    .replace(assigned, `$1$2=${mask}`)
    .replace(inAddress, `$1:${mask}@`)
    .replace(credentials, `$1 ${mask}`)
    .replace(ourTokens, mask)
    .replace(ourEnvelopes, mask);
}
