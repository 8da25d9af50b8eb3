import { createHash, createSign, generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** Whom the provider vouches for. */
export interface Claims {
  readonly sub: string;
  readonly email: string;
  readonly email_verified: boolean;
  readonly name: string;
}

/** A provider of OpenID Connect on loopback: as small as the standard lets one be, and as strict. */
export interface TestProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** who is signed in there */
  person: Claims;
  /** makes the id token say something else */
  twist: Partial<Record<"nonce" | "aud" | "iss" | "exp", unknown>>;
  /** Signs with a key that it never published. */
  forge: boolean;
  close(): Promise<void>;
}

const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Starts one. Its people are signed in already: asking for a code gives one at once. */
export async function startProvider(person: Claims): Promise<TestProvider> {
  const key = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const other = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const codes = new Map<string, { readonly nonce: string; readonly challenge: string; readonly redirect: string }>();
  const server = createServer((request, response) => {
    void answer(request).then(
      ({ status, body, location }) => {
        response.writeHead(status, { "content-type": "application/json", ...(location !== undefined && { location }) });
        response.end(JSON.stringify(body ?? {}));
      },
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider: TestProvider = {
    issuer,
    clientId: "threadmill",
    clientSecret: "provider-secret",
    person,
    twist: {},
    forge: false,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };

  async function answer(request: IncomingMessage): Promise<{ status: number; body?: object; location?: string }> {
    const url = new URL(request.url ?? "/", issuer);
    if (url.pathname === "/.well-known/openid-configuration") {
      return {
        status: 200,
        body: {
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          jwks_uri: `${issuer}/keys`,
          id_token_signing_alg_values_supported: ["RS256"],
          response_types_supported: ["code"],
          subject_types_supported: ["public"],
        },
      };
    }
    if (url.pathname === "/keys")
      return {
        status: 200,
        body: { keys: [{ ...key.publicKey.export({ format: "jwk" }), kid: "k", alg: "RS256", use: "sig" }] },
      };
    if (url.pathname === "/authorize") {
      const query = url.searchParams;
      if (query.get("client_id") !== provider.clientId || query.get("code_challenge_method") !== "S256")
        return { status: 400 };
      const code = randomBytes(16).toString("hex");
      const redirect = query.get("redirect_uri") ?? "";
      codes.set(code, { nonce: query.get("nonce") ?? "", challenge: query.get("code_challenge") ?? "", redirect });
      const back = new URL(redirect);
      back.searchParams.set("code", code);
      back.searchParams.set("state", query.get("state") ?? "");
      return { status: 302, location: back.href };
    }
    if (url.pathname === "/token" && request.method === "POST") {
      const form = new URLSearchParams(await bodyOf(request));
      const asked = codes.get(form.get("code") ?? "");
      codes.delete(form.get("code") ?? "");
      const basic = `Basic ${Buffer.from(`${provider.clientId}:${provider.clientSecret}`).toString("base64")}`;
      const known = form.get("client_secret") === provider.clientSecret || request.headers.authorization === basic;
      const challenge = createHash("sha256")
        .update(form.get("code_verifier") ?? "")
        .digest("base64url");
      if (asked === undefined || !known || challenge !== asked.challenge || form.get("redirect_uri") !== asked.redirect)
        return { status: 400, body: { error: "invalid_grant" } };
      return {
        status: 200,
        body: { access_token: "a", token_type: "Bearer", expires_in: 60, id_token: idToken(asked.nonce) },
      };
    }
    return { status: 404 };
  }

  function idToken(nonce: string): string {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: issuer,
      aud: provider.clientId,
      iat: now,
      exp: now + 60,
      nonce,
      ...provider.person,
      ...provider.twist,
    };
    const text = `${base64({ alg: "RS256", kid: "k" })}.${base64(claims)}`;
    const signer = createSign("RSA-SHA256").update(text);
    return `${text}.${signer.sign(provider.forge ? other.privateKey : key.privateKey).toString("base64url")}`;
  }
  return provider;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}
