import { findBadText } from "@threadmill/core";
import { badTextProblem } from "../../http/body-guard.ts";
import { problem, type Problem } from "../../http/problems.ts";
import type { Callback, CallbackAnswer, CallbackCall } from "../callback.ts";
import { deliveryNews, incomingMessage, readForm } from "./form.ts";
import { checkTwilioSignature, type FormField } from "./signature.ts";

const reply = { mediaType: "text/xml", body: '<?xml version="1.0" encoding="UTF-8"?><Response/>' };
const form = { method: "POST", mediaType: "application/x-www-form-urlencoded" } as const;

/** Messages that come in. */
export const incoming: Callback = {
  ...form,
  field: "webhook",
  about: "The address to give to Twilio for incoming messages",
  path: "",
  receive: (call) => receive(call, "message.receive", (fields) => incomingMessage(fields, call.channel.id)),
};

/** What became of messages that we sent; each is sent with an address of its own, which names it. */
export const status: Callback = {
  ...form,
  field: "status_webhook",
  about: "The address that Twilio reports deliveries to",
  path: "/status",
  ofMessage: true,
  receive: (call) =>
    receive(call, "message.record_delivery", (fields) => deliveryNews(fields, call.channel.id, call.message)),
};

/** Input of a command, nothing to tell, or a field that Twilio always sends and this request lacks. */
type Reading = { readonly input: Readonly<Record<string, unknown>> | null } | { readonly missing: string };

function receive(call: CallbackCall, type: string, read: (fields: readonly FormField[]) => Reading): CallbackAnswer {
  const fields = readForm(call.body.toString());
  const wrong = signatureProblem(call, fields);
  if (wrong !== null) return { problem: wrong };
  const bad = findBadText(Object.fromEntries(fields));
  if (bad !== null) return { problem: badTextProblem(bad) };
  const reading = read(fields);
  if ("missing" in reading) {
    const item = { code: "missing_field", path: `/${reading.missing}`, message: "The field is missing" };
    return { problem: problem("invalid_input", { detail: item.message, path: item.path, problems: [item] }) };
  }
  return { commands: reading.input === null ? [] : [{ type, input: reading.input }], reply };
}

function signatureProblem({ channel, headers, url }: CallbackCall, fields: readonly FormField[]): Problem | null {
  const authToken = channel.secrets["auth_token"];
  const signature = headers["x-twilio-signature"];
  const check =
    authToken === undefined
      ? ({ ok: false, code: "auth_token_missing" } as const)
      : checkTwilioSignature({
          authToken,
          signature: typeof signature === "string" ? signature : undefined,
          url,
          body: { kind: "form", fields },
        });
  return check.ok ? null : problem("wrong_signature", { detail: details[check.code] });
}

/** What whoever set the webhook up must know. */
const details: Readonly<Record<string, string>> = {
  auth_token_missing: "The channel has no auth token, so nothing that comes in can be believed",
  signature_missing: "The request has no X-Twilio-Signature",
  signature_mismatch: "The signature was not made with the channel's auth token for this address and body",
};
