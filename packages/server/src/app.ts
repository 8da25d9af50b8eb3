import Fastify, { type FastifyInstance } from "fastify";
import { callbackScope, providerCallbacks } from "./channels/callbacks.ts";
import { downloads, downloadScope } from "./features/jobs/file-routes.ts";
import { features, publicFeatures } from "./features/features.ts";
import { type Authenticator, createAuthenticator } from "./http/auth.ts";
import { readJson } from "./http/body-guard.ts";
import { limitBodies } from "./http/body-room.ts";
import { badQuery } from "./http/bad-query.ts";
import { handleErrors, plainProblems, ProblemAnswer, sendProblem } from "./http/errors.ts";
import { secureHeaders } from "./http/headers.ts";
import type { AppPorts } from "./http/ports.ts";
import { registerProbes } from "./http/probes.ts";
import { Problem, problem } from "./http/problems.ts";
import { registerPublicRoutes } from "./http/public-routes.ts";
import { registerReference } from "./http/reference.ts";
import { logRequests } from "./http/request-log.ts";
import { checkUserRights } from "./http/rights.ts";
import { apiPrefix, registerRoutes } from "./http/route.ts";
import { openScope, type Scope } from "./http/scope.ts";
import { validatorCompiler } from "./http/validation.ts";
import { registerWelcome } from "./identity/page/welcome.ts";
import { signInScope } from "./identity/scope.ts";
import { createSigningIn } from "./identity/signing-in.ts";

/** The largest body, in bytes. */
export const bodyLimit = 1024 * 1024;

/** Puts the HTTP server together. Nothing listens yet and nothing runs; close it when done. */
export async function createApp(ports: AppPorts): Promise<FastifyInstance> {
  const app = bareApp(ports);
  await registerReference(app, ports);
  registerProbes(app, ports);
  registerWelcome(app);
  const auth = createAuthenticator({
    pool: ports.pool,
    nowMs: () => Date.parse(ports.clock.now()),
    publicUrl: ports.publicUrl,
  });
  const signing = createSigningIn(ports, auth);
  await openScope(app, signInScope, ports, (own, limits) =>
    registerPublicRoutes(own, { scope: signInScope, limits, publicUrl: ports.publicUrl }, publicFeatures(signing)),
  );
  const native = nativeScope(auth);
  await openScope(app, native, ports, (own) => registerRoutes(own, native, features(ports, auth, signing), ports));
  await openScope(app, downloadScope, ports, downloads(ports));
  await openScope(app, callbackScope, ports, providerCallbacks(ports));
  return app;
}

/** What every scope stands on: limits, headers, logs, errors, JSON. */
export function bareApp(ports: AppPorts): FastifyInstance {
  const app = Fastify({
    bodyLimit,
    trustProxy: ports.trustedProxies.length === 0 ? false : [...ports.trustedProxies],
    logger: false,
    routerOptions: { maxParamLength: 400 },
    // a caller that sends half a request must not hold a connection for ever
    requestTimeout: 60_000,
    // requests that come while the server closes are answered; the engine says what it can still take
    return503OnClosing: false,
    // an address that cannot be decoded comes to no route, and so not to the error handler
    frameworkErrors: (_error, _request, reply) => void sendProblem(reply, problem("not_found")),
  });
  app.decorateRequest("rawBody", null);
  app.decorateRequest("caller", null);
  app.setValidatorCompiler(validatorCompiler);
  // answers are ours, and tests hold them against their schemas; the native serializer is the fastest
  app.setSerializerCompiler(() => JSON.stringify);
  app.addSchema(Problem);
  secureHeaders(app, ports.publicUrl);
  logRequests(app, ports);
  handleErrors(app, ports);
  limitBodies(app);
  takeJsonOnly(app);
  app.addHook("preValidation", badQuery);
  return app;
}

/** The native API. Its limits are far beyond what one process answers: they are for a caller who has gone wild. */
function nativeScope(auth: Authenticator): Scope {
  return {
    name: "v2",
    prefix: apiPrefix,
    signIn: (request) => auth.caller(request),
    checkRights: checkUserRights,
    problems: plainProblems,
    unknownFields: "refused",
    origins: null,
    rates: { read: { perSecond: 10_000, burst: 20_000 }, write: { perSecond: 10_000, burst: 20_000 } },
    inReference: true,
  };
}

/** JSON is read by our own parser, which also sees to texts and numbers that cannot be stored. */
function takeJsonOnly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(/^application\/(?:[\w.-]+\+)?json(?:;|$)/, { parseAs: "buffer" }, (request, body, done) => {
    const read = readJson(body as Buffer);
    if (!read.ok) return done(new ProblemAnswer(read.problem));
    if (request.headers["idempotency-key"] !== undefined) request.rawBody = body as Buffer;
    return done(null, read.json);
  });
}
