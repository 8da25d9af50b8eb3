import { createHash, createHmac } from "node:crypto";
import { sameSecret } from "../../secrets/token.ts";

/** One form field as it came, in any order; a name may come more than once. */
export type FormField = readonly [name: string, value: string];

/** What Twilio signed: form fields (none for a GET), or a body of another type, byte for byte as it came. */
export type SignedBody = { kind: "form"; fields: Iterable<FormField> } | { kind: "raw"; bytes: Uint8Array };

/** A request that says it comes from Twilio. */
export interface SignedRequest {
  /** The account's auth token. */
  authToken: string;
  /** The `X-Twilio-Signature` header. */
  signature: string | undefined;
  /** The address as Twilio called it: the public one, with path and query untouched. */
  url: string;
  body: SignedBody;
}

/** Why a request is not believed. A mismatch is most often a public URL that is not the one given to Twilio. */
export type SignatureCheck =
  | { ok: true }
  | { ok: false; code: "signature_missing" | "signature_mismatch" | "body_hash_missing" | "body_hash_mismatch" };

/**
 * Twilio's signature of a request: the URL, then each form field's name and value run together, sorted by name and
 * (for a name that comes more than once) by value without repeats; HMAC-SHA1 with the auth token, base64. A body that is
 * not a form is not part of it: its hash is in the URL, as `bodySHA256`.
 */
export function twilioSignature(authToken: string, url: string, fields: Iterable<FormField>): string {
  const byName = new Map<string, Set<string>>();
  for (const [name, value] of fields) byName.set(name, (byName.get(name) ?? new Set()).add(value));
  // The default sort compares code units, which is the case-sensitive order that Twilio uses.
  const signed = [...byName.keys()]
    .sort()
    .flatMap((name) => [...(byName.get(name) ?? [])].sort().map((value) => name + value));
  return createHmac("sha1", authToken)
    .update(url + signed.join(""), "utf8")
    .digest("base64");
}

/**
 * Checks a request's signature in constant time. The URL counts with and without its port, because Twilio signs either.
 */
export function checkTwilioSignature(request: SignedRequest): SignatureCheck {
  const { authToken, signature, url, body } = request;
  if (!signature) return { ok: false, code: "signature_missing" };
  const fields = body.kind === "form" ? [...body.fields] : [];
  const matches = spellings(url).map((spelling) => sameSecret(signature, twilioSignature(authToken, spelling, fields)));
  if (!matches.includes(true)) return { ok: false, code: "signature_mismatch" };
  if (body.kind === "form") return { ok: true };

  // Only now is the query to be trusted, and without the hash in it anybody could swap the body.
  const expected = bodyHashOf(url);
  if (!expected) return { ok: false, code: "body_hash_missing" };
  const actual = createHash("sha256").update(body.bytes).digest("hex");
  return sameSecret(expected.toLowerCase(), actual) ? { ok: true } : { ok: false, code: "body_hash_mismatch" };
}

/** The URL as given, without a port, and with the scheme's own. Cut as text: parsing would re-encode path and query. */
function spellings(url: string): string[] {
  const parts = /^(https?):\/\/([^/?#]*?)(?::\d*)?([/?#].*)?$/is.exec(url);
  if (!parts) return [url];
  const [, scheme = "", host = "", rest = ""] = parts;
  const port = scheme.toLowerCase() === "https" ? 443 : 80;
  return [...new Set([url, `${scheme}://${host}${rest}`, `${scheme}://${host}:${port}${rest}`])];
}

function bodyHashOf(url: string): string | null {
  const query = url.indexOf("?");
  return query === -1 ? null : new URLSearchParams(url.slice(query + 1)).get("bodySHA256");
}
