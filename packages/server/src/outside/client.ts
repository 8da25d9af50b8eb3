import { Agent as HttpAgent, type IncomingHttpHeaders } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { isIP } from "node:net";
import { exchange } from "./exchange.ts";
import { addressGuard } from "./lookup.ts";
import type { Resolve } from "./names.ts";

/** A request that leaves the house. */
export interface OutsideRequest {
  /** http or https, without a user in it */
  readonly url: string;
  readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  /** headers for the host of `url` alone: a redirect to another origin leaves them behind */
  readonly secretHeaders?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly limits?: Partial<OutsideLimits>;
}

export interface OutsideLimits {
  /** milliseconds until a connection must stand, name and certificate included */
  readonly connectMs: number;
  /** milliseconds for everything, redirects and the last byte of the answer included */
  readonly wholeMs: number;
  /** bytes of an answer's body */
  readonly answerBytes: number;
  /** redirects that are followed; 0 gives a redirect back as the answer */
  readonly redirects: number;
}

/** Well within a worker's lease. */
export const usualLimits: OutsideLimits = {
  connectMs: 5000,
  wholeMs: 15_000,
  answerBytes: 1024 * 1024,
  redirects: 0,
};

/** What kept a request from being answered. */
export type OutsideCode =
  | "address_invalid"
  | "address_not_allowed"
  | "name_not_found"
  | "not_reached"
  | "timed_out"
  | "connection_broken"
  | "answer_too_large"
  | "too_many_redirects"
  | "redirect_refused";

/**
 * An answer of whatever status, or what kept it away. `sent`: whether the other side may have got the request and acted
 * on it. The message names the host and nothing else of the address, since the rest may hold secrets.
 */
export type OutsideAnswer =
  | {
      readonly ok: true;
      readonly url: string;
      readonly status: number;
      readonly headers: IncomingHttpHeaders;
      readonly body: Buffer;
    }
  | { readonly ok: false; readonly code: OutsideCode; readonly message: string; readonly sent: boolean };

/** The one way out of the house for HTTP. It never throws for what the outside world does. */
export interface Outside {
  send(request: OutsideRequest): Promise<OutsideAnswer>;
  /** Lets go of connections that are kept for later. */
  close(): void;
}

export interface OutsideOptions {
  /** addresses and ranges that may be connected to although they are not public */
  readonly allowed: readonly string[];
  /** in place of the machine's own names */
  readonly resolve?: Resolve;
  /** certificates (PEM) to trust in place of the usual authorities */
  readonly authorities?: readonly string[];
}

/** An idle connection is kept that long, or as long as the other side says. */
const keepMs = 4000;

/** Makes the guarded client: only public addresses and allowed ones are connected to, whatever a name or redirect says. */
export function createOutside({ allowed, resolve, authorities }: OutsideOptions): Outside {
  const guard = addressGuard(allowed, resolve);
  const kept = { keepAlive: true, timeout: keepMs, maxFreeSockets: 64 };
  const agents = {
    "http:": new HttpAgent(kept),
    "https:": new HttpsAgent({ ...kept, ...(authorities !== undefined && { ca: [...authorities] }) }),
  };

  async function one(url: URL, request: OutsideRequest, limits: OutsideLimits, signal: AbortSignal) {
    // an address in figures is never resolved, so the look-up does not see it
    const literal = url.hostname.replace(/^\[|\]$/g, "");
    if (isIP(literal) !== 0 && !guard.permits(literal)) return notAllowed(url);
    const agent = agents[url.protocol as keyof typeof agents];
    return exchange({
      url,
      method: request.method ?? "GET",
      headers: { ...request.headers, ...request.secretHeaders },
      body: request.body,
      agent,
      lookup: guard.lookup,
      signal,
      limits,
    });
  }

  return {
    async send(request) {
      const limits = { ...usualLimits, ...request.limits };
      const signal = AbortSignal.timeout(limits.wholeMs);
      const first = addressOf(request.url);
      if (first === null) return fail("address_invalid", "The address is no http or https address", false);
      let url: URL = first;
      let current = request;
      for (let followed = 0; ; followed += 1) {
        const answer: OutsideAnswer = await one(url, current, limits, signal);
        // what was answered with a redirect was sent
        if (!answer.ok) return followed === 0 ? answer : { ...answer, sent: true };
        const next: URL | null = limits.redirects === 0 ? null : redirectOf(url, answer);
        if (next === null) return answer;
        if (followed === limits.redirects)
          return fail(
            "too_many_redirects",
            `${request.method ?? "GET"} was redirected more than ${followed} times`,
            true,
          );
        const onward = redirected(current, url, next, answer.status);
        if (onward === null)
          return fail("redirect_refused", `${url.host} redirects to where the request must not go`, true);
        current = onward;
        url = next;
      }
    },
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

/** An address that can be asked, or null. */
function addressOf(text: string): URL | null {
  const url = URL.parse(text);
  if (url === null || !["http:", "https:"].includes(url.protocol) || url.username !== "" || url.password !== "")
    return null;
  return url;
}

const redirectStatuses = new Set([301, 302, 303, 307, 308]);

function redirectOf(from: URL, { status, headers }: Extract<OutsideAnswer, { ok: true }>): URL | null {
  if (!redirectStatuses.has(status) || headers.location === undefined) return null;
  return URL.parse(headers.location, from.href);
}

/**
 * The request as a redirect asks for it; null when it must not go there: from https to http, to no address, or with its
 * body to another origin than it was meant for.
 */
function redirected(request: OutsideRequest, from: URL, to: URL, status: number): OutsideRequest | null {
  if (addressOf(to.href) === null || (from.protocol === "https:" && to.protocol !== "https:")) return null;
  const same = from.origin === to.origin;
  const { secretHeaders, ...open } = request;
  const bare = same && secretHeaders !== undefined ? { ...open, secretHeaders } : open;
  const { method = "GET", body, headers = {}, ...rest } = bare;
  // as browsers do: only 307 and 308 repeat a request that is more than a question
  if (method !== "GET" && method !== "HEAD" && (status === 303 || (status < 303 && method === "POST"))) {
    const about = Object.entries(headers).filter(([name]) => !name.toLowerCase().startsWith("content-"));
    return { ...rest, method: "GET", headers: Object.fromEntries(about) };
  }
  return body !== undefined && !same ? null : bare;
}

const notAllowed = (url: URL): OutsideAnswer => fail("address_not_allowed", `${url.host} is no public address`, false);

function fail(code: OutsideCode, message: string, sent: boolean): Extract<OutsideAnswer, { ok: false }> {
  return { ok: false, code, message, sent };
}
