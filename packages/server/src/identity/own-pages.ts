import type { FastifyRequest } from "fastify";
import { ProblemAnswer } from "../http/errors.ts";
import { problem } from "../http/problems.ts";

/**
 * What a page of ours adds to whatever it asks to be changed. A page of another origin cannot: the browser would ask us
 * first whether it may, and we say no.
 */
export const pageHeader = "x-threadmill-page";

const loopback = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Whether an `Origin` is ours: that of the public address; on this machine, by whichever of its names it is called. */
export function isOwnOrigin(origin: string, publicUrl: string): boolean {
  const ours = new URL(publicUrl);
  if (origin === ours.origin) return true;
  if (!URL.canParse(origin) || !loopback.has(ours.hostname)) return false;
  const theirs = new URL(origin);
  return loopback.has(theirs.hostname) && theirs.port === ours.port && theirs.protocol === ours.protocol;
}

/**
 * A browser sends a session's cookie whoever wrote the page. So what changes something must come from a page of ours, by
 * what the browser says of its origin and by a header that only such a page can add. Throws the problem `page_not_ours`.
 */
export function checkOwnPage({ method, headers }: FastifyRequest, publicUrl: string): void {
  if (method === "GET" || method === "HEAD" || method === "OPTIONS") return;
  const site = headers["sec-fetch-site"];
  const detail =
    headers.origin === undefined || !isOwnOrigin(headers.origin, publicUrl)
      ? `The request's origin is not ${new URL(publicUrl).origin}`
      : site !== undefined && site !== "same-origin"
        ? "The request came from another site"
        : headers[pageHeader] === undefined
          ? `The request lacks the header ${pageHeader}`
          : null;
  if (detail !== null) throw new ProblemAnswer(problem("page_not_ours", { detail }));
}
