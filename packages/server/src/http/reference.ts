import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";
import { referencePolicy } from "./headers.ts";
import { sessionCookie } from "../identity/session.ts";
import type { AppPorts } from "./ports.ts";
import { apiPrefix } from "./route.ts";

/** The tags of the reference, in its order. */
export const tags = {
  Me: "Who I am, and what I may do",
  "Signing in": "How people sign in; for pages of ours, without a token",
  Account: "Who I am beyond one organization: sessions, password, second factor",
  Messages: "What customers write, and what we write to them",
  Conversations: "Threads with customers",
  Customers: "Who writes to us",
  Workflows: "Documents that say what happens by itself: drafts, versions, order",
  Runs: "Executions of workflows, with every step",
  Events: "The log: what happened, who did it and why",
  Settings: "Users, teams, mailboxes, channels, calendars and properties",
  Tokens: "Tokens of the API",
  Operations: "What waits for a person: failed effects, parked items, recorded deliveries",
} as const;

const about = `The native API of Threadmill.

Sign in with \`Authorization: Bearer tm_...\` (or \`X-Token\`). Bodies are JSON, and fields that do not exist are refused.
Errors are problems (RFC 9457) with a stable \`code\` and the \`path\` of what is wrong. Lists come in pages: ask again with
\`cursor\` until \`next_cursor\` is null. Every POST takes an \`Idempotency-Key\`.`;

const aboutSessions =
  "What signing in sets, for pages of ours. Whatever changes something needs the header `X-Threadmill-Page: 1` beside it, and an `Origin` that is ours.";

/** Collects the OpenAPI document from the routes that follow, and serves it and the reference made from it. */
export async function registerReference(
  app: FastifyInstance,
  { publicUrl, version }: Pick<AppPorts, "publicUrl" | "version">,
): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Threadmill",
        version,
        description: about,
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      servers: [{ url: publicUrl }],
      tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
      components: {
        securitySchemes: {
          token: { type: "http", scheme: "bearer" },
          session: { type: "apiKey", in: "cookie", name: sessionCookie(publicUrl), description: aboutSessions },
        },
      },
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, at) =>
        typeof json["$id"] === "string" ? json["$id"] : `def-${at}`,
    },
  });
  let document: string | undefined;
  app.get(`${apiPrefix}/openapi.json`, { schema: { hide: true } }, async (_request, reply) =>
    reply
      .type("application/json")
      .serializer((text: unknown) => text as string)
      .send((document ??= JSON.stringify(app.swagger()))),
  );
  await app.register(async (scope) => {
    scope.addHook("onSend", async (_request, reply) => {
      void reply.header("content-security-policy", referencePolicy).removeHeader("cache-control");
    });
    await scope.register(swaggerUi, {
      routePrefix: "/",
      theme: {
        title: "Threadmill API",
        // the bar on top shows the renderer's own name and a field for other documents
        css: [{ filename: "threadmill.css", content: ".swagger-ui .topbar { display: none }" }],
      },
      uiConfig: {
        url: `${apiPrefix}/openapi.json`,
        docExpansion: "none",
        deepLinking: true,
        persistAuthorization: false,
        tryItOutEnabled: true,
      },
    });
  });
}
