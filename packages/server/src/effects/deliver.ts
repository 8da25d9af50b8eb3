import type { Pool } from "pg";
import { channelSecretContext } from "../features/channels/secret.ts";
import { redactor } from "../secrets/redact.ts";
import type { SecretBox } from "../secrets/secret-box.ts";
import type { Attempt, Provider } from "./provider.ts";
import type { Performer } from "./workers.ts";

interface ChannelRow {
  readonly kind: string;
  readonly address: string | null;
  readonly provider: string;
  readonly on_unknown: "retry" | "hold";
  readonly provider_settings: { readonly [name: string]: unknown };
  readonly provider_secret: string | null;
  readonly sandbox: boolean;
}

/** Delivers messages over the provider of their channel; in a sandbox over the recorder, whatever the channel says. */
export function deliverMessages(
  pool: Pool,
  providers: Readonly<Record<string, Provider>>,
  secrets: SecretBox,
  publicUrl: string,
): Performer {
  return async (claimed) => {
    const {
      message,
      channel: id,
      to,
      text,
      media,
    } = claimed.payload as unknown as {
      message: string;
      channel: string;
      to: string;
      text: string;
      media: { url: string }[];
    };
    const { rows } = await pool.query<ChannelRow>({
      name: "channel_for_delivery",
      text: `select c.kind, c.address, c.provider, c.on_unknown, c.provider_settings, c.provider_secret, o.sandbox
from channels c join organizations o on o.lane = c.lane and o.organization = c.organization
where c.lane = $1 and c.organization = $2 and c.id = $3`,
      values: [claimed.lane, claimed.organization, id],
    });
    const row = rows[0];
    if (row === undefined)
      return { status: "failed", error: { code: "channel_not_found", message: "The channel is gone" } };
    const provider = providers[row.sandbox ? "recorder" : row.provider];
    if (provider === undefined)
      return { status: "failed", error: { code: "provider_unknown", message: `There is no provider ${row.provider}` } };
    const secret = openSecret(row, secrets, claimed.organization, id);
    if (secret === undefined)
      return {
        status: "failed",
        error: { code: "secret_unreadable", message: "The channel's secret cannot be opened with this secret key" },
      };
    const channel = {
      id,
      organization: claimed.organization,
      lane: claimed.lane,
      kind: row.kind,
      address: row.address,
      settings: row.provider_settings,
      secret,
      statusUrl: `${publicUrl}/webhooks/twilio/${id}/status`,
    };
    if (claimed.lost && !provider.idempotent && row.on_unknown === "hold") {
      // as unknown as a connection that broke: the worker that held it may have handed it over before it was killed
      return {
        status: "unknown",
        error: { code: "outcome_unknown", message: "The worker that delivered it was lost on the way" },
      };
    }
    const redact = redactor(secret === null ? [] : [secret]);
    let attempt: Attempt;
    try {
      attempt = redacted(await provider.deliver({ key: claimed.key, message, channel, to, text, media }), redact);
    } catch (error) {
      throw redactedFault(error, redact);
    }
    // a provider that knows our key may simply be asked again
    return { ...attempt, policy: provider.idempotent ? "retry" : row.on_unknown };
  };
}

/** The longest message of a provider's that is kept, in characters. */
const longestMessage = 400;

/** An attempt as it may be stored and shown: what a provider says may hold what it was sent. */
function redacted(attempt: Attempt, redact: (text: string) => string): Attempt {
  if (attempt.status === "done") {
    const output = Object.entries(attempt.output).map(([name, value]) => [
      name,
      typeof value === "string" ? redact(value) : value,
    ]);
    return { ...attempt, output: Object.fromEntries(output) as typeof attempt.output };
  }
  // redacted before it is cut: half a secret would not be found
  const message = redact(attempt.error.message)
    .replaceAll(/\p{Cc}+/gu, " ")
    .slice(0, longestMessage);
  return { ...attempt, error: { code: redact(attempt.error.code), message } };
}

/** A fault of a provider's code, fit for the log. */
export function redactedFault(error: unknown, redact: (text: string) => string): Error {
  const fault = new Error(redact(error instanceof Error ? error.message : String(error)));
  if (error instanceof Error && error.stack !== undefined) fault.stack = redact(error.stack);
  return fault;
}

/** The secret in the clear, null when there is none, undefined when it cannot be opened. */
function openSecret(
  row: ChannelRow,
  secrets: SecretBox,
  organization: string,
  channel: string,
): string | null | undefined {
  if (row.provider_secret === null) return null;
  const opened = secrets.open(row.provider_secret, channelSecretContext(organization, channel));
  return opened.ok ? opened.text : undefined;
}
