import { ApiProblem, Unreachable } from "./problem.ts";
import { maySendAgain, waitMs } from "./retry.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** Where the server is, and how to talk to it. */
export interface ClientOptions {
  /** such as `https://threadmill.example`; `/api/v2` is added */
  readonly url: string;
  readonly token: string;
  readonly fetch?: typeof globalThis.fetch;
  /** times that a request is sent at most; default 5 */
  readonly attempts?: number;
  /** how long one attempt may take; default 60,000 ms */
  readonly timeoutMs?: number;
  /** replaced by tests */
  readonly sleep?: (ms: number) => Promise<void>;
}

/** What may be said about one request. */
export interface RequestOptions {
  /** Makes repeats of a POST safe; every POST has one, made when not given. */
  readonly idempotencyKey?: string;
  /** fields of the address; those that are undefined are left out */
  readonly query?: { readonly [name: string]: string | number | boolean | undefined };
  readonly signal?: AbortSignal;
  /** fields that the answer's body has, where it is Threadmill that answers */
  readonly fields?: readonly string[];
}

/** Sends a request below `/api/v2` and gives the answer's body. Throws `ApiProblem` or `Unreachable`. */
export type Request = <T = unknown>(
  method: Method,
  path: string,
  body?: unknown,
  options?: RequestOptions,
) => Promise<T>;

/** Makes the one function by which everything is asked. */
export function requester(given: ClientOptions): Request {
  const { token, fetch = globalThis.fetch, attempts = 5, timeoutMs = 60_000, sleep = pause } = given;
  const base = `${given.url.replace(/\/+$/, "")}/api/v2`;

  return async <T>(method: Method, path: string, body?: unknown, options: RequestOptions = {}): Promise<T> => {
    const url = base + path + queryText(options.query);
    const init = {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        accept: "application/json",
        ...(body !== undefined && { "content-type": "application/json" }),
        ...(method === "POST" && { "idempotency-key": options.idempotencyKey ?? freshKey() }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    };
    for (let attempt = 1; ; attempt += 1) {
      let fault: ApiProblem | Unreachable;
      let retryAfter: string | null = null;
      try {
        const signals = [AbortSignal.timeout(timeoutMs), ...(options.signal === undefined ? [] : [options.signal])];
        const answer = await fetch(url, {
          ...init,
          signal: signals.length === 1 ? signals[0]! : AbortSignal.any(signals),
        });
        const text = await answer.text();
        if (answer.ok) return parsed(text, answer.status, given.url, options.fields) as T;
        retryAfter = answer.headers.get("retry-after");
        fault = new ApiProblem(answer.status, problemBody(text) ?? stranger(given.url, `it answered ${answer.status}`));
      } catch (error) {
        if (options.signal?.aborted === true) throw error;
        fault = error instanceof ApiProblem ? error : new Unreachable(given.url, error);
      }
      const status = fault instanceof ApiProblem ? fault.status : null;
      const code = fault instanceof ApiProblem ? fault.code : null;
      if (attempt >= attempts || !maySendAgain({ method, status, code })) throw fault;
      await sleep(waitMs(attempt + 1, retryAfter, Math.random()));
    }
  };
}

/** 128 random bits; `crypto.randomUUID` is not there on pages without TLS. */
export function freshKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The body of an answer. What Threadmill never answers comes from another server, or from one in between. */
function parsed(text: string, status: number, url: string, fields: readonly string[] = []): unknown {
  if (text === "" && fields.length === 0) return undefined;
  const body = objectIn(text);
  if (body === null) throw new ApiProblem(status, stranger(url, "its answer is no JSON object"));
  const missing = fields.find((field) => !Object.hasOwn(body, field));
  if (missing === undefined) return body;
  throw new ApiProblem(status, stranger(url, `its answer has no "${missing}"`));
}

/** A problem's body; null where none of Threadmill's came, since each of those has a code. */
function problemBody(text: string): Record<string, unknown> | null {
  const body = objectIn(text);
  return typeof body?.["code"] === "string" ? body : null;
}

const stranger = (url: string, why: string) => ({
  detail: `${url} is no Threadmill server, as far as can be told: ${why}`,
});

function objectIn(text: string): Record<string, unknown> | null {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function queryText(query: RequestOptions["query"] = {}): string {
  const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
