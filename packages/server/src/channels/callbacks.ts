import { isId } from "@threadmill/core";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { plainProblems, sendProblem } from "../http/errors.ts";
import type { AppPorts } from "../http/ports.ts";
import { type Problem, problem, problemOfRefusal } from "../http/problems.ts";
import { callbackPrefix, messageNamed } from "./callback-address.ts";
import type { Scope, ScopeLimits } from "../http/scope.ts";
import type { Callback, CallbackAnswer } from "./callback.ts";
import { type CalledChannel, channelFinder } from "./find-channel.ts";
import { registry as everyProvider, type Registry } from "./registry.ts";

/** The scope of the addresses that providers call: each call proves by its own signature whence it comes. */
export const callbackScope: Scope = {
  name: "callbacks",
  prefix: callbackPrefix,
  signIn: null,
  checkRights: async () => {},
  problems: plainProblems,
  unknownFields: "ignored",
  origins: null,
  rates: { read: { perSecond: 1000, burst: 10_000 }, write: { perSecond: 5000, burst: 20_000 } },
  inReference: false,
};

/** The addresses that providers call, made from the registry: messages that come in, and what became of those we sent. */
export function providerCallbacks(
  ports: AppPorts,
  registry: Registry = everyProvider,
): (scope: FastifyInstance, limits: ScopeLimits) => Promise<void> {
  return async (scope, limits) => {
    for (const provider of registry.all) {
      const found = channelFinder(ports, registry, provider);
      for (const callback of provider.callbacks) {
        // a scope of its own, for each takes bodies of its own kind
        void scope.register(async (own) => {
          own.removeAllContentTypeParsers();
          if (callback.mediaType !== null)
            own.addContentTypeParser(callback.mediaType, { parseAs: "buffer" }, (_request, body, done) => {
              done(null, body);
            });
          own.route({
            method: callback.method,
            url: `/${provider.name}/:channel${callback.path}`,
            schema: { hide: true },
            handler: (request, reply) => answer(ports, { callback, found, limits }, request, reply),
          });
        });
      }
    }
  };
}

interface Called {
  readonly callback: Callback;
  readonly found: ReturnType<typeof channelFinder>;
  readonly limits: ScopeLimits;
}

/** A secret that was changed in another process a moment ago is looked up anew, at the most so often for a channel. */
const lookAgainMs = 1000;

async function answer(
  { engine, publicUrl, secretBox }: AppPorts,
  { callback, found, limits }: Called,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { channel: id } = request.params as { readonly channel: string };
  const nobodys = (given: Problem): FastifyReply => {
    limits.countStranger(request);
    return sendProblem(reply, given);
  };
  const first = isId(id) ? await found.get(id) : null;
  if (first === null) return nobodys(problem("not_found", { detail: "There is no such channel" }));
  let channel: CalledChannel = first;
  const message = callback.ofMessage
    ? messageNamed(secretBox, { organization: channel.place.organization, id }, request.query as object as never)
    : null;
  if (message === undefined)
    return nobodys(problem("wrong_signature", { detail: "The address names a message that it may not" }));
  const receive = ({ secrets }: CalledChannel): CallbackAnswer =>
    secrets === null
      ? { problem: problem("unavailable", { detail: "The channel's secrets cannot be opened here" }) }
      : callback.receive({
          channel: { id, secrets },
          url: publicUrl + request.url,
          headers: request.headers,
          body: (request.body as Buffer | undefined) ?? Buffer.alloc(0),
          message,
        });
  let answered = receive(channel);
  if ("problem" in answered && answered.problem.code === "wrong_signature") {
    const now = await found.get(id, lookAgainMs);
    if (now !== null && now !== channel) {
      channel = now;
      answered = receive(now);
    }
  }
  if ("problem" in answered)
    return answered.problem.code === "wrong_signature"
      ? nobodys(answered.problem)
      : sendProblem(reply, answered.problem);
  limits.count(request, id);
  for (const { type, input } of answered.commands) {
    const { answer: decided } = await engine.submit({
      place: channel.place,
      type,
      input,
      actor: { kind: "channel", id: channel.id },
    });
    if (!decided.ok) return sendProblem(reply, problemOfRefusal(decided));
  }
  return reply.type(answered.reply.mediaType).serializer(String).send(answered.reply.body);
}
