import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Permission } from "@threadmill/core";
import type { Caller } from "./auth.ts";
import { handleErrors, ProblemAnswer, type ProblemForm } from "./errors.ts";
import type { AppPorts } from "./ports.ts";
import { problem } from "./problems.ts";
import { type Rate, rateLimit } from "./rate-limit.ts";
import type { Call } from "./route.ts";

/** What kind of work a request is, for its limit. */
export type RateClass = "read" | "write";

/** What all routes below one address have in common. The native API is a scope; so are the addresses that providers call. */
export interface Scope {
  /** tells scopes apart in limits */
  readonly name: string;
  /** where its routes stand: a slash and words */
  readonly prefix: string;
  /**
   * Tells who calls, before the body is read; throws a problem. Null: a route finds out by itself, from the body, and
   * counts the request then.
   */
  readonly signIn: ((request: FastifyRequest) => Promise<Caller>) | null;
  /** Whether who calls may; throws a problem. */
  readonly checkRights: (call: Call, permission: Permission | null) => Promise<void>;
  /** how its errors are written */
  readonly problems: ProblemForm;
  /** what becomes of fields that a route does not know */
  readonly unknownFields: "refused" | "ignored";
  /** Takes bodies other than JSON. */
  readonly takeBodies?: (own: FastifyInstance) => void;
  /** Pages of which origins may call it from a browser; null: those of our own origin alone. */
  readonly origins: ((origin: string, request: FastifyRequest) => boolean | Promise<boolean>) | null;
  /** how often one caller may, by kind of work, in this process */
  readonly rates: Readonly<Record<RateClass, Rate>>;
  /** whether its routes stand in the reference */
  readonly inReference: boolean;
}

/** Counts the requests of a scope; both throw the problem `too_many_requests`. */
export interface ScopeLimits {
  /** Counts a request for a caller who is known. */
  count(request: FastifyRequest, caller: string): void;
  /** Counts a request that nobody vouches for, against the address that it came from. */
  countStranger(request: FastifyRequest): void;
}

/**
 * How often one address may call without proof of who it is. Made-up tokens and channels get no buckets of their own, and
 * once it is empty nothing is looked up for the address. Ample, for behind one address there may be many.
 */
const strangerRate: Rate = { perSecond: 1000, burst: 5000 };

/** Opens a scope: what it says holds for every route that `fill` registers on the instance it is given. */
export async function openScope(
  app: FastifyInstance,
  scope: Scope,
  ports: AppPorts,
  fill: (own: FastifyInstance, limits: ScopeLimits) => void | Promise<void>,
): Promise<void> {
  await app.register(
    async (own) => {
      handleErrors(own, ports, scope.problems);
      if (scope.origins !== null) allowOrigins(own, scope.origins);
      const limits = scopeLimits(own, scope, () => Date.parse(ports.clock.now()));
      const { signIn } = scope;
      if (signIn !== null) {
        own.addHook("onRequest", async (request) => {
          request.caller = await signIn(request).catch((error: unknown) => {
            if (error instanceof ProblemAnswer && error.problem.status === 401) limits.countStranger(request);
            throw error;
          });
          limits.count(request, request.caller.id);
        });
      }
      scope.takeBodies?.(own);
      await fill(own, limits);
    },
    { prefix: scope.prefix },
  );
}

/** Makes the limits of a scope, and stops addresses from which too many strangers came before anything is looked up. */
function scopeLimits(own: FastifyInstance, { name, rates }: Scope, nowMs: () => number): ScopeLimits {
  const limits = { read: rateLimit(rates.read, nowMs), write: rateLimit(rates.write, nowMs) };
  const strangers = rateLimit(strangerRate, nowMs);
  const stopStrangers = (seconds: number): void => {
    if (seconds === 0) return;
    const detail = `More than ${strangerRate.perSecond} requests a second without proof of who calls (${name})`;
    throw new ProblemAnswer(problem("too_many_requests", { detail }), seconds);
  };
  own.addHook("onRequest", async (request) => stopStrangers(strangers.look(request.ip)));
  return {
    count(request, caller) {
      const kind: RateClass = request.method === "GET" || request.method === "HEAD" ? "read" : "write";
      const seconds = limits[kind].take(caller);
      if (seconds === 0) return;
      const { perSecond } = rates[kind];
      const detail = `More than ${perSecond} requests a second (${name}, ${kind})`;
      throw new ProblemAnswer(problem("too_many_requests", { detail }), seconds);
    },
    countStranger: (request) => stopStrangers(strangers.take(request.ip)),
  };
}

/** Lets pages of other origins call: a browser asks first, and goes by what the answers say. */
function allowOrigins(own: FastifyInstance, allowed: NonNullable<Scope["origins"]>): void {
  const admit = async (request: FastifyRequest, reply: FastifyReply): Promise<boolean> => {
    const { origin } = request.headers;
    // what is cached for one origin must not be shown to another
    void reply.header("vary", "Origin");
    if (origin === undefined || !(await allowed(origin, request))) return false;
    void reply.header("access-control-allow-origin", origin).header("cross-origin-resource-policy", "cross-origin");
    return true;
  };
  own.addHook("onRequest", async (request, reply) => {
    const admitted = await admit(request, reply);
    if (request.method !== "OPTIONS") return;
    if (admitted) {
      void reply
        .header("access-control-allow-methods", "GET, POST, PUT, PATCH, DELETE")
        .header("access-control-allow-headers", "Authorization, Content-Type, Idempotency-Key")
        .header("access-control-max-age", "600");
    }
    // nobody signs in to ask
    return reply.code(204).send();
  });
  own.options("/*", { schema: { hide: true } }, async (_request, reply) => reply.code(204).send());
}
