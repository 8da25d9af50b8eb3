import { Readable } from "node:stream";
import type { Actor, Permission, Refusal, SettingsIndex } from "@threadmill/core";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type Static, type TObject, type TSchema, Type } from "typebox";
import { Value } from "typebox/value";
import type { Place } from "../lanes/port.ts";
import type { Caller } from "./auth.ts";
import { type Cursors, sealedCursors } from "./cursors.ts";
import { ProblemAnswer, sendProblem } from "./errors.ts";
import { type ScopedKey, scopeKey } from "./idempotency.ts";
import type { AppPorts } from "./ports.ts";
import { problem, type Problem, type ProblemItem, problemOfRefusal } from "./problems.ts";
import type { Scope } from "./scope.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** the body as it came, kept where an idempotency key needs its hash */
    rawBody: Buffer | null;
  }
}

/** A refusal that may list several mistakes. */
export interface Refused extends Refusal {
  readonly problems?: readonly ProblemItem[];
}

/** One request, checked and signed in. */
export interface Call<P = unknown, Q = unknown, B = unknown> {
  readonly place: Place;
  readonly caller: Caller;
  readonly actor: Actor;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** the client's idempotency key, scoped; null without one */
  readonly key: ScopedKey | null;
  readonly cursors: Cursors;
  /** the body of a route that takes it as it comes; null where there is none */
  readonly upload: AsyncIterable<Buffer> | null;
  readonly reply: FastifyReply;
  readonly settings: () => Promise<SettingsIndex>;
}

/** Everything there is to a route: its place, what it takes and gives, who may, and its page in the reference. */
export interface RouteFacts<P extends TObject, Q extends TObject, B extends TSchema, R extends TSchema> {
  readonly method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** below the scope's prefix */
  readonly url: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** the right it needs; null: whoever works in the organization */
  readonly permission: Permission | null;
  /** `engine`: the command's decision asks for the right, so that it is not asked twice */
  readonly checkedBy?: "engine";
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** takes a body of any size as it comes, of these media types, instead of JSON */
  readonly upload?: readonly string[];
  readonly answer: R;
  readonly status?: 200 | 201;
  /** what the answer is, where it is no JSON: the handler answers a stream, or sends it itself; `answer` says what is in it */
  readonly media?: string;
  /** a list that comes in pages; made by `list` */
  readonly list?: true;
  /** statuses of problems beside those that any route can answer */
  readonly problems?: readonly number[];
  readonly handle: (call: Call<Static<P>, Static<Q>, Static<B>>) => Promise<object | Refused>;
}

/** A route whose types are no longer needed. */
export type Route = RouteFacts<TObject, TObject, TSchema, TSchema>;

/** Declares a route; keeps the types of its parts for `handle`. */
export function route<P extends TObject, Q extends TObject, B extends TSchema, R extends TSchema>(
  facts: RouteFacts<P, Q, B, R>,
): Route {
  return facts;
}

const sent = {};

/** The answer of a handler that takes the connection for its own: nothing else is sent on it from here on. */
export function sentAlready(reply: FastifyReply): object {
  reply.hijack();
  return sent;
}

export const apiPrefix = "/api/v2";

/** What any route may answer besides its own; whatever may bring a body is refused for what its body is, wanted or not. */
const usualProblems = (method: Route["method"]): readonly number[] =>
  method === "GET" ? [401, 403, 422, 429, 503] : [400, 401, 403, 409, 413, 415, 422, 429, 503];

/** Registers routes on what `openScope` opened. */
export function registerRoutes(own: FastifyInstance, scope: Scope, routes: readonly Route[], ports: AppPorts): void {
  takeUploads(own, routes);
  for (const facts of routes) {
    own.route({
      method: facts.method,
      url: facts.url,
      schema: schemaOf(facts, scope),
      config: { upload: facts.upload ?? null },
      ...(facts.body !== undefined && { preValidation: bodyReader(facts.body, scope) }),
      handler: async (request, reply) => {
        const call = callOf(request, reply, ports);
        if (facts.checkedBy !== "engine") await scope.checkRights(call, facts.permission);
        const answer = await facts.handle(call);
        if (isRefused(answer))
          return sendProblem(reply, withoutParamPath(problemOfRefusal(answer), facts), scope.problems);
        if (answer === sent) return reply;
        if (facts.media !== undefined) void reply.type(facts.media);
        return reply.code(facts.status ?? 200).send(answer);
      },
    });
  }
}

/** Makes a body ready to be checked: a command that takes nothing may come without one. */
export function bodyReader(schema: TSchema, { unknownFields }: Scope) {
  return async (request: FastifyRequest): Promise<void> => {
    if (request.body === undefined) request.body = {};
    if (unknownFields === "ignored") request.body = Value.Clean(schema, request.body);
  };
}

/** Lets routes that say so take bodies as they come; for all others such a body is of the wrong kind. */
function takeUploads(own: FastifyInstance, routes: readonly Route[]): void {
  for (const mediaType of new Set(routes.flatMap(({ upload }) => upload ?? [])))
    own.addContentTypeParser(mediaType, (request, body, done) => {
      const wanted = request.routeOptions.config.upload?.includes(mediaType) === true;
      if (wanted) done(null, body);
      else done(new ProblemAnswer(problem("unsupported_media_type")));
    });
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** media types of bodies that the route takes as they come */
    upload?: readonly string[] | null;
  }
  interface FastifyRequest {
    caller: Caller | null;
  }
}

function callOf(request: FastifyRequest, reply: FastifyReply, ports: AppPorts): Call<never, never, never> {
  const caller = request.caller as Caller;
  const { place } = caller;
  const clientKey = request.headers["idempotency-key"];
  let settings: Promise<SettingsIndex> | undefined;
  return {
    place,
    caller,
    actor: caller.actor,
    params: request.params as never,
    query: request.query as never,
    body: request.body as never,
    upload: request.body instanceof Readable ? request.body : null,
    key:
      request.method === "POST" && typeof clientKey === "string"
        ? scopeKey({
            organization: place.organization,
            caller: caller.id,
            method: request.method,
            url: request.url,
            clientKey,
            body: request.rawBody ?? "",
          })
        : null,
    cursors: sealedCursors(ports.secretBox),
    reply,
    settings: () => (settings ??= ports.engine.settings(place)),
  };
}

/** Whether a handler's answer is a refusal. */
export const isRefused = (answer: object): answer is Refused => "ok" in answer && answer.ok === false;

/** A refusal's path points into the command's input; what came in the address has no place in the body. */
function withoutParamPath(given: Problem, facts: Route): Problem {
  const name = given.path?.split("/")[1];
  if (name === undefined || facts.params === undefined || !(name in facts.params.properties)) return given;
  const { path: _, ...rest } = given;
  return rest;
}

/** What Fastify and the reference need to know of a route. */
export function schemaOf(facts: Route, scope: Scope): object {
  const statuses = new Set([...usualProblems(facts.method), ...(facts.params ? [404] : []), ...(facts.problems ?? [])]);
  const responses = [...statuses]
    .sort((a, b) => a - b)
    .map((status) => [
      status,
      { description: "A problem", content: { [scope.problems.mediaType]: { schema: problemRef } } },
    ]);
  const rights = facts.permission === null ? "" : `Needs the right \`${facts.permission}\`.`;
  return {
    operationId: `${facts.method.toLowerCase()}${facts.url.replace(/\/:?(\w)/g, (_, letter: string) => `_${letter}`)}`,
    tags: [facts.tag],
    summary: facts.summary,
    description: [facts.description, rights].filter(Boolean).join("\n\n"),
    security: scope.signIn === null ? [] : [{ token: [] }, { session: [] }],
    // for whoever asks what a role may do; docs/permissions.md is made from it
    ...(facts.permission !== null && { "x-permission": facts.permission }),
    ...(facts.params && { params: facts.params }),
    ...(!scope.inReference && { hide: true }),
    ...(facts.query && { querystring: scope.unknownFields === "refused" ? closed(facts.query) : facts.query }),
    ...(facts.body && { body: facts.body }),
    ...(facts.upload && {
      body: { content: Object.fromEntries(facts.upload.map((mediaType) => [mediaType, { schema: asItIs }])) },
    }),
    ...(facts.method === "POST" && scope.signIn !== null && { headers: idempotencyHeader }),
    response: {
      [facts.status ?? 200]: {
        description: "Done",
        content: { [facts.media ?? "application/json"]: { schema: facts.answer } },
      },
      ...Object.fromEntries(responses as [number, object][]),
    },
  };
}

/** A body that the route reads by itself. */
const asItIs = Type.Unknown({ description: "The file as it is" });
const problemRef = Type.Unsafe<Problem>({ $ref: "Problem#" });
const idempotencyHeader = Type.Object({
  "idempotency-key": Type.Optional(
    Type.String({
      description: "Makes repeats safe: the same key with the same body is done once, and answered alike, for 24 hours",
    }),
  ),
});

const closed = ({ properties }: TObject): TObject => Type.Object(properties, { additionalProperties: false });
