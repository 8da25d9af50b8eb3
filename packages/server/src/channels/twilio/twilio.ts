import { Type } from "typebox";
import { addressProblem } from "../own-address.ts";
import { type ProviderKind, textOnly } from "../provider.ts";
import { incoming, status } from "./callbacks.ts";
import { apiOf, twilioProvider } from "./provider.ts";

const withMedia = { ...textOnly, media: 10 };

/** Twilio: SMS, WhatsApp and Messenger over one REST API. */
export const twilio: ProviderKind = {
  name: "twilio",
  title: "Twilio",
  about: "Sends SMS, WhatsApp and Messenger messages by Twilio's REST API and takes in what comes by its webhooks.",
  serves: { sms: withMedia, whatsapp: withMedia, messenger: withMedia },
  keys: false,
  settings: Type.Object(
    {
      account_sid: Type.Optional(Type.String({ pattern: "^AC[0-9a-zA-Z]{1,60}$", description: "Twilio's account" })),
      base_url: Type.Optional(
        Type.String({
          pattern: "^https?://[^\\s]+$",
          maxLength: 500,
          description: "where the provider's API is, if not at its usual place",
        }),
      ),
    },
    { additionalProperties: false },
  ),
  secrets: {
    auth_token: {
      about: "Twilio's auth token: checks what comes in and signs us in for what goes out.",
      maxLength: 200,
    },
  },
  destination: (settings) => apiOf(settings)?.origin ?? null,
  addressProblem(kind, address) {
    // a messaging service, or a short code, may stand where a number would
    if (kind === "sms" && /^(MG[0-9a-f]{32}|[0-9]{3,8})$/.test(address)) return null;
    return addressProblem(kind, address);
  },
  callbacks: [incoming, status],
  open: ({ outside }) => twilioProvider(outside),
};
