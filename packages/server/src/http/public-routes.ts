import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Static, TObject, TSchema } from "typebox";
import { checkOwnPage } from "../identity/own-pages.ts";
import { sendProblem } from "./errors.ts";
import { problemOfRefusal } from "./problems.ts";
import { bodyReader, isRefused, type Refused, type Route, type RouteFacts, schemaOf } from "./route.ts";
import type { Scope, ScopeLimits } from "./scope.ts";

/** A request of somebody who has not said yet who they are. */
export interface PublicCall<P = unknown, Q = unknown, B = unknown> {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
}

type Facts<P extends TObject, Q extends TObject, B extends TSchema, R extends TSchema> = Omit<
  RouteFacts<P, Q, B, R>,
  "permission" | "checkedBy" | "handle" | "list" | "tag"
> & {
  /** not for people who write programs: a provider's way back to us */
  readonly hidden?: true;
  readonly handle: (call: PublicCall<Static<P>, Static<Q>, Static<B>>) => Promise<object | Refused>;
};

/** A route for those who have not signed in, of our own pages. */
export type PublicRoute = Facts<TObject, TObject, TSchema, TSchema>;

/** Declares one; keeps the types of its parts for `handle`. */
export function publicRoute<P extends TObject, Q extends TObject, B extends TSchema, R extends TSchema>(
  facts: Facts<P, Q, B, R>,
): PublicRoute {
  return facts as unknown as PublicRoute;
}

/** What registering them takes. */
export interface PublicScope {
  readonly scope: Scope;
  readonly limits: ScopeLimits;
  readonly publicUrl: string;
}

/** Registers them. Each request counts against the address it came from, and what changes something must come from our pages. */
export function registerPublicRoutes(
  own: FastifyInstance,
  { scope, limits, publicUrl }: PublicScope,
  routes: readonly PublicRoute[],
): void {
  own.addHook("onRequest", async (request) => {
    limits.count(request, request.ip);
    checkOwnPage(request, publicUrl);
  });
  for (const facts of routes) {
    const shown = { ...facts, tag: "Signing in", permission: null } as unknown as Route;
    own.route({
      method: facts.method,
      url: facts.url,
      schema: facts.hidden === true ? { hide: true } : schemaOf(shown, scope),
      ...(facts.body !== undefined && { preValidation: bodyReader(facts.body, scope) }),
      async handler(request, reply) {
        const { params, query, body } = request;
        const answer = await facts.handle({ request, reply, params, query, body } as PublicCall<never, never, never>);
        if (reply.sent) return reply;
        if (isRefused(answer)) return sendProblem(reply, problemOfRefusal(answer), scope.problems);
        return reply.code(facts.status ?? 200).send(answer);
      },
    });
  }
}
