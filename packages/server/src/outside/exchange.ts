import { type Agent, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { LookupFunction, Socket } from "node:net";
import type { OutsideAnswer, OutsideCode, OutsideLimits } from "./client.ts";
import { NotPermitted } from "./lookup.ts";

/** One request, without a thought for redirects. */
export interface ExchangeRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
  readonly agent: Agent;
  readonly lookup: LookupFunction;
  /** aborted when the time for the whole is over */
  readonly signal: AbortSignal;
  readonly limits: Pick<OutsideLimits, "connectMs" | "answerBytes">;
}

/** Connections that stand, certificate included: what is written to one may arrive. */
const standing = new WeakSet<Socket>();

/** Sends one request and reads its answer, within its limits. */
export async function exchange(given: ExchangeRequest): Promise<OutsideAnswer> {
  const { url, limits, signal } = given;
  return new Promise<OutsideAnswer>((resolve) => {
    let sent = false;
    let answering = false;
    const fail = (code: OutsideCode, words: string): void => {
      resolve({ ok: false, code, message: `${url.host} ${words}`, sent });
    };
    const failed = (error: unknown): void => {
      if (signal.aborted) return fail("timed_out", "did not answer in time");
      return sent ? fail("connection_broken", `broke the connection${codeIn(error)}`) : unreached(error, fail);
    };
    const secure = url.protocol === "https:";
    let request: ReturnType<typeof httpRequest>;
    try {
      request = (secure ? httpsRequest : httpRequest)(url, {
        method: given.method,
        headers: given.headers,
        agent: given.agent,
        lookup: given.lookup,
        signal,
      });
    } catch (error) {
      // a header with a line break and the like
      return fail("address_invalid", `cannot be asked so${codeIn(error)}`);
    }
    const late = setTimeout(() => {
      fail("not_reached", "could not be reached in time");
      request.destroy();
    }, limits.connectMs);
    request.once("socket", (socket) => {
      const stands = (): void => {
        standing.add(socket);
        sent = true;
        clearTimeout(late);
      };
      if (standing.has(socket)) stands();
      else socket.once(secure ? "secureConnect" : "connect", stands);
    });
    // once an answer begins, whoever reads it knows best what became of it
    request.on("error", (error) => void (answering || failed(error)));
    request.once("close", () => {
      clearTimeout(late);
      if (!answering) failed(null);
    });
    request.once("response", (response) => {
      answering = true;
      void read(response, limits.answerBytes).then((body) => {
        if (body === "too_large") return fail("answer_too_large", `answered more than ${limits.answerBytes} bytes`);
        if (body === "broken") return failed(null);
        const { statusCode: status = 0, headers } = response;
        return resolve({ ok: true, url: url.href, status, headers, body });
      });
    });
    request.end(given.body);
  });
}

/** The body of an answer, cut off as soon as it is too large. */
async function read(response: IncomingMessage, most: number): Promise<Buffer | "too_large" | "broken"> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      // leaving the loop destroys the answer and with it the connection
      if (size > most) return "too_large";
      chunks.push(chunk);
    }
  } catch {
    return "broken";
  }
  return response.complete ? Buffer.concat(chunks) : "broken";
}

function unreached(error: unknown, fail: (code: OutsideCode, words: string) => void): void {
  if (error instanceof NotPermitted) return fail("address_not_allowed", "has no public address");
  const code = codeIn(error);
  if (/ENOTFOUND|EAI_|ENODATA/.test(code)) return fail("name_not_found", `is not found${code}`);
  return fail("not_reached", `cannot be reached${code}`);
}

/** Node's own code of a fault, never its message, which holds addresses. */
function codeIn(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === "string" && /^[A-Z0-9_]{1,60}$/.test(code) ? ` (${code})` : "";
}
