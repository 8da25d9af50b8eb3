import { findBadText, isId } from "@threadmill/core";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { badTextProblem } from "../../http/body-guard.ts";
import { ProblemAnswer, sendProblem } from "../../http/errors.ts";
import type { AppPorts } from "../../http/ports.ts";
import { problem, problemOfRefusal } from "../../http/problems.ts";
import { channelFinder, type WebhookChannel } from "./find-channel.ts";
import { deliveryNews, incomingMessage, readForm } from "./form.ts";
import { checkTwilioSignature, type FormField } from "./signature.ts";

const emptyTwiml = '<?xml version="1.0" encoding="UTF-8"?><Response/>';

/** Input of a command, nothing to tell, or a field that Twilio always sends and this request lacks. */
type Reading = { readonly input: Record<string, unknown> | null } | { readonly missing: string };

interface Received {
  readonly channel: WebhookChannel;
  readonly fields: readonly FormField[];
}

/**
 * The addresses that Twilio calls: messages that come in, and what became of those that went out. What the signature
 * does not vouch for is refused before anything of it is looked at.
 */
export function twilioWebhooks(ports: AppPorts): (scope: FastifyInstance) => Promise<void> {
  const { engine } = ports;
  const found = channelFinder(ports);

  async function receive(request: FastifyRequest): Promise<Received> {
    const { channel: id } = request.params as { readonly channel: string };
    const channel = isId(id) ? await found.get(id) : null;
    if (channel === null) throw new ProblemAnswer(problem("not_found", { detail: "There is no such channel" }));
    const fields = (request.body ?? []) as readonly FormField[];
    const signature = request.headers["x-twilio-signature"];
    const check =
      channel.authToken === null
        ? ({ ok: false, code: "auth_token_missing" } as const)
        : checkTwilioSignature({
            authToken: channel.authToken,
            signature: typeof signature === "string" ? signature : undefined,
            url: ports.publicUrl + request.url,
            body: { kind: "form", fields },
          });
    if (!check.ok) throw new ProblemAnswer(problem("wrong_signature", { detail: details[check.code] }));
    const bad = findBadText(Object.fromEntries(fields));
    if (bad !== null) throw new ProblemAnswer(badTextProblem(bad));
    return { channel, fields };
  }

  const webhook =
    (type: string, read: (fields: readonly FormField[], channel: string) => Reading) =>
    async (request: FastifyRequest, reply: FastifyReply) => {
      const { channel, fields } = await receive(request);
      const reading = read(fields, channel.id);
      if ("missing" in reading) {
        const item = { code: "missing_field", path: `/${reading.missing}`, message: "The field is missing" };
        return sendProblem(
          reply,
          problem("invalid_input", { detail: item.message, path: item.path, problems: [item] }),
        );
      }
      if (reading.input !== null) {
        const { answer } = await engine.submit({
          place: channel.place,
          type,
          input: reading.input,
          actor: { kind: "channel", id: channel.id },
        });
        if (!answer.ok) return sendProblem(reply, problemOfRefusal(answer));
      }
      return reply.type("text/xml").serializer(String).send(emptyTwiml);
    };

  return async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_request, body, done) => {
      done(null, readForm(body as string));
    });
    const schema = { hide: true };
    scope.post("/webhooks/twilio/:channel", { schema }, webhook("message.receive", incomingMessage));
    scope.post("/webhooks/twilio/:channel/status", { schema }, webhook("message.record_delivery", deliveryNews));
  };
}

/** What whoever set the webhook up must know. */
const details: Readonly<Record<string, string>> = {
  auth_token_missing: "The channel has no auth token, so nothing that comes in can be believed",
  signature_missing: "The request has no X-Twilio-Signature",
  signature_mismatch: "The signature was not made with the channel's auth token for this address and body",
};
