import type { FastifyInstance } from "fastify";

const always = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
  // an answer of the API is never a page
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
};

/** What the API reference may do: its own scripts and nothing from elsewhere. Its widgets set styles on elements. */
export const referencePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Puts security headers on every answer. */
export function secureHeaders(app: FastifyInstance, publicUrl: string): void {
  const headers = publicUrl.startsWith("https:")
    ? { ...always, "strict-transport-security": "max-age=31536000" }
    : always;
  app.addHook("onRequest", async (_request, reply) => {
    reply.headers(headers);
  });
}
