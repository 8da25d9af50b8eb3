import type { Attempt, Delivery, Provider } from "../../effects/provider.ts";

/** A fetch that tests can stand in for. */
export type Fetch = typeof globalThis.fetch;

/** Well within a worker's lease. */
const defaultTimeoutMs = 15_000;
/** A provider that asks for more patience is asked again within the hour all the same. */
const longestPauseSeconds = 3600;
const defaultBaseUrl = "https://api.twilio.com";

/**
 * Twilio's REST format: `POST {base}/2010-04-01/Accounts/{sid}/Messages.json`, form-encoded, basic authentication. It
 * takes no idempotency key for messages, so an outcome that is not known follows the channel's policy.
 */
export function twilioProvider(fetch: Fetch, timeoutMs = defaultTimeoutMs): Provider {
  return {
    name: "twilio",
    idempotent: false,
    async deliver(delivery) {
      const { account_sid: sid, base_url: base = defaultBaseUrl } = delivery.channel.settings as {
        account_sid?: string;
        base_url?: string;
      };
      if (sid === undefined || delivery.channel.secret === null || delivery.channel.address === null) {
        return failed("channel_incomplete", "The channel lacks its address, account_sid or auth token");
      }
      let response: Response;
      try {
        response = await fetch(`${base}/2010-04-01/Accounts/${encodeURIComponent(sid)}/Messages.json`, {
          method: "POST",
          headers: {
            authorization: `Basic ${Buffer.from(`${sid}:${delivery.channel.secret}`).toString("base64")}`,
            "content-type": "application/x-www-form-urlencoded",
          },
          body: formOf(delivery),
          redirect: "manual",
          signal: AbortSignal.timeout(timeoutMs),
        });
      } catch (error) {
        return ofFault(error);
      }
      return ofResponse(response);
    },
  };
}

/** Twilio wants the channel's prefix on both sides: `whatsapp:+1555...`, `messenger:...`. */
function prefixed(kind: string, address: string): string {
  const prefix = kind === "whatsapp" || kind === "messenger" ? `${kind}:` : "";
  return address.startsWith(prefix) ? address : prefix + address;
}

function formOf({ channel, to, text, media }: Delivery): URLSearchParams {
  const form = new URLSearchParams();
  form.set("To", prefixed(channel.kind, to));
  const from = channel.address as string;
  // a messaging service stands where a number would
  if (from.startsWith("MG")) form.set("MessagingServiceSid", from);
  else form.set("From", prefixed(channel.kind, from));
  form.set("Body", text);
  for (const { url } of media) form.append("MediaUrl", url);
  form.set("StatusCallback", channel.statusUrl);
  return form;
}

const unreachable = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);
/** OpenSSL's and Node's codes for a certificate that does not hold: the connection is given up before anything is sent. */
const untrusted = /^(?:CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

/** Faults before a byte was sent are worth another try; a connection that broke later may have been a success. */
function ofFault(error: unknown): Attempt {
  const code = (error as { cause?: { code?: string } }).cause?.code ?? "";
  const message = code || (error instanceof Error ? error.name : "fault");
  if (code === "ERR_INVALID_URL") return failed("channel_incomplete", "The channel's base_url is no address");
  return unreachable.has(code) || untrusted.test(code)
    ? { status: "retry", error: { code: "provider_unreachable", message: `Twilio cannot be reached: ${message}` } }
    : { status: "unknown", error: { code: "outcome_unknown", message: `Twilio did not answer: ${message}` } };
}

async function ofResponse(response: Response): Promise<Attempt> {
  // an answer that is no object says no more than its status
  const body = ((await response.json().catch(() => null)) ?? {}) as {
    sid?: unknown;
    code?: unknown;
    message?: unknown;
  };
  if (response.ok && typeof body.sid === "string" && body.sid !== "")
    return { status: "done", output: { provider_id: body.sid } };
  const code = typeof body.code === "number" ? body.code : null;
  const message = `Twilio answered ${response.status}${code === null ? "" : `, code ${code}`}: ${textOf(body.message).slice(0, 300)}`;
  if (response.status === 429) {
    const seconds = Number(response.headers.get("retry-after"));
    return {
      status: "retry",
      error: { code: "provider_busy", message },
      ...(seconds > 0 && { afterMs: Math.min(seconds, longestPauseSeconds) * 1000 }),
    };
  }
  if (response.status === 503) return { status: "retry", error: { code: "provider_busy", message } };
  // a success that cannot be read, or a fault inside the provider: the message may have gone out
  if (response.ok || response.status >= 500) return { status: "unknown", error: { code: "outcome_unknown", message } };
  return failed(code === null ? "provider_refused" : `twilio_${code}`, message);
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

const failed = (code: string, message: string): Attempt => ({ status: "failed", error: { code, message } });
