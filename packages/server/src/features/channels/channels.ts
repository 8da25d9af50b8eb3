import { type ChannelKind, oneOf, parseAddress, type Refusal, refuse, settingsSchemas } from "@threadmill/core";
import { Type } from "typebox";
import type { AppPorts } from "../../http/ports.ts";
import type { Resource } from "../settings/resource.ts";
import { channelSecretContext } from "./secret.ts";

const { slug, name, kind, mailbox, address, on_unknown } = settingsSchemas.channels.properties;

export const providers = ["recorder", "twilio"] as const;
const provider = oneOf(providers, "`recorder` keeps what would be sent; `twilio` sends by Twilio's REST API");
const auth_token = Type.Optional(
  Type.Union([Type.String({ minLength: 1, maxLength: 200 }), Type.Null()], {
    description:
      "Twilio's auth token: checks what comes in and signs us in for what goes out. It is stored encrypted and never shown.",
  }),
);
const provider_settings = Type.Object(
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
);

/** The kinds of channel that Twilio's webhook can serve. */
const twilioKinds: readonly ChannelKind[] = ["sms", "whatsapp", "messenger"];

/** Pipes by which messages come and go. */
export function channels({ secretBox, publicUrl }: Pick<AppPorts, "secretBox" | "publicUrl">): Resource {
  const fields = { slug, name, mailbox, address, provider, on_unknown, provider_settings };
  return {
    noun: "channel",
    plural: "channels",
    shape: Type.Object(
      {
        ...settingsSchemas.channels.properties,
        provider_settings,
        has_auth_token: Type.Boolean(),
        webhook: Type.Union([Type.String(), Type.Null()], {
          description: "The address to give to Twilio for incoming messages",
        }),
        status_webhook: Type.Union([Type.String(), Type.Null()], {
          description: "The address that Twilio reports deliveries to",
        }),
      },
      { title: "Channel" },
    ),
    create: { kind, ...fields, auth_token },
    update: { ...fields, auth_token },
    defaults: { address: null, provider: "recorder", on_unknown: "hold", provider_settings: {}, provider_secret: null },
    unique: ["slug"],
    json: ["provider_settings"],
    slugged: true,
    columns({ auth_token, ...rest }, id, { organization }) {
      if (auth_token === undefined) return rest;
      return {
        ...rest,
        provider_secret:
          typeof auth_token === "string" ? secretBox.seal(auth_token, channelSecretContext(organization, id)) : null,
      };
    },
    show(row) {
      const served = twilioKinds.includes(row["kind"] as ChannelKind);
      const webhook = served ? `${publicUrl}/webhooks/twilio/${row.id}` : null;
      return {
        has_auth_token: row["provider_secret"] !== null,
        webhook,
        status_webhook: webhook === null ? null : `${webhook}/status`,
      };
    },
    async check(row, { tx, place }) {
      const { rows } = await tx.query(
        "select 1 from mailboxes where lane = $1 and organization = $2 and id = $3 and archived_at is null",
        [place.lane, place.organization, row["mailbox"]],
      );
      if (rows.length === 0) return refuse("invalid", "mailbox_not_found", "There is no such mailbox", "/mailbox");
      const kind = row["kind"] as ChannelKind;
      if (row["provider"] === "twilio" && !twilioKinds.includes(kind)) {
        return refuse(
          "invalid",
          "provider_not_for_kind",
          `Twilio serves ${twilioKinds.join(", ")}, not ${kind}`,
          "/provider",
        );
      }
      return addressProblem(kind, row["address"] as string | null);
    },
    async after({ id }, { tx, place, before }) {
      if (before !== null) return;
      await tx.query("insert into directory_channels (channel, organization, lane) values ($1, $2, $3)", [
        id,
        place.organization,
        place.lane,
      ]);
    },
  };
}

/** Our own address is handed to the provider as it stands here, so it must be written in full. */
function addressProblem(kind: ChannelKind, address: string | null): Refusal | null {
  // a messaging service of Twilio's, or a short code, may stand where a number would
  if (address === null || (kind === "sms" && /^(MG[0-9a-f]{32}|[0-9]{3,8})$/.test(address))) return null;
  const parsed = parseAddress(kind, address);
  if (!parsed.ok) return refuse("invalid", parsed.code, parsed.message, "/address");
  if (parsed.address === address || parsed.address === `${kind}:${address}`) return null;
  return refuse("invalid", "address_not_normal", `Write the address as ${parsed.address}`, "/address");
}
