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
        if (answer.ok) return parsed(text, answer.status) as T;
        retryAfter = answer.headers.get("retry-after");
        fault = new ApiProblem(answer.status, problemBody(text));
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

function parsed(text: string, status: number): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiProblem(status, { detail: "The answer is no JSON: is this the address of a Threadmill server?" });
  }
}

function problemBody(text: string): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function queryText(query: RequestOptions["query"] = {}): string {
  const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
