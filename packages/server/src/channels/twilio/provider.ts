import type { Outside, OutsideAnswer } from "../../outside/client.ts";
import type { Attempt, Delivery, Provider, ProviderSettings } from "../provider.ts";

/** A provider that asks for more patience is asked again within the hour all the same. */
const longestPauseSeconds = 3600;
const usualBase = "https://api.twilio.com";

/** Where the API is under these settings; null when `base_url` is no address that a path can be added to. */
export function apiOf({ base_url: base = usualBase }: ProviderSettings): URL | null {
  const url = typeof base === "string" ? URL.parse(base) : null;
  if (url === null || !["http:", "https:"].includes(url.protocol)) return null;
  return url.username === "" && url.password === "" && !/[?#]/.test(url.href) ? url : null;
}

/**
 * Twilio's REST format: `POST {base}/2010-04-01/Accounts/{sid}/Messages.json`, form-encoded, basic authentication. It
 * takes no idempotency key for messages, so an outcome that is not known follows the channel's policy.
 */
export function twilioProvider(outside: Pick<Outside, "send">): Provider {
  return {
    async deliver(delivery) {
      const { settings, secrets, address } = delivery.channel;
      const { account_sid: sid } = settings;
      const token = secrets["auth_token"];
      if (typeof sid !== "string" || token === undefined || address === null) {
        return failed("channel_incomplete", "The channel lacks its address, account_sid or auth token");
      }
      const api = apiOf(settings);
      if (api === null) return failed("address_invalid", "The channel's base_url is no address");
      const answer = await outside.send({
        url: `${api.href.replace(/\/+$/, "")}/2010-04-01/Accounts/${encodeURIComponent(sid)}/Messages.json`,
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        secretHeaders: { authorization: `Basic ${Buffer.from(`${sid}:${token}`).toString("base64")}` },
        body: formOf(delivery, address).toString(),
      });
      return answer.ok ? ofAnswer(answer) : ofFault(answer);
    },
  };
}

/** Twilio wants the channel's prefix on both sides: `whatsapp:+1555...`, `messenger:...`. */
function prefixed(kind: string, address: string): string {
  const prefix = kind === "whatsapp" || kind === "messenger" ? `${kind}:` : "";
  return address.startsWith(prefix) ? address : prefix + address;
}

function formOf({ channel, to, text, media, statusUrl }: Delivery, from: string): URLSearchParams {
  const form = new URLSearchParams();
  form.set("To", prefixed(channel.kind, to));
  // a messaging service stands where a number would
  if (from.startsWith("MG")) form.set("MessagingServiceSid", from);
  else form.set("From", prefixed(channel.kind, from));
  form.set("Body", text);
  for (const { url } of media) form.append("MediaUrl", url);
  if (statusUrl !== null) form.set("StatusCallback", statusUrl);
  return form;
}

/** Faults before a byte was sent are worth another try; a connection that broke later may have been a success. */
function ofFault({ code, message, sent }: Extract<OutsideAnswer, { ok: false }>): Attempt {
  if (sent) return { status: "unknown", error: { code: "outcome_unknown", message: `Twilio: ${message}` } };
  if (code === "address_invalid" || code === "address_not_allowed")
    return failed(code, `The channel's base_url: ${message}`);
  return { status: "retry", error: { code: "provider_unreachable", message: `Twilio: ${message}` } };
}

/** Ids and codes as Twilio makes them; what does not look like one is not repeated. */
const idForm = /^[\w.:-]{1,200}$/;

function ofAnswer({ status, headers, body: bytes }: Extract<OutsideAnswer, { ok: true }>): Attempt {
  const success = status >= 200 && status < 300;
  const body = read(bytes);
  if (success && typeof body.sid === "string" && idForm.test(body.sid))
    return { status: "done", output: { provider_id: body.sid } };
  // few enough to be counted by
  const code = typeof body.code === "number" && /^\d{1,6}$/.test(String(body.code)) ? String(body.code) : null;
  const words = typeof body.message === "string" ? body.message : "";
  const message = `Twilio answered ${status}${code === null ? "" : `, code ${code}`}: ${words}`;
  if (status === 429) {
    const seconds = Number(headers["retry-after"]);
    return {
      status: "retry",
      error: { code: "provider_busy", message },
      ...(seconds > 0 && { afterMs: Math.min(seconds, longestPauseSeconds) * 1000 }),
    };
  }
  if (status === 503) return { status: "retry", error: { code: "provider_busy", message } };
  // a success that cannot be read, or a fault inside the provider: the message may have gone out
  if (success || status >= 500) return { status: "unknown", error: { code: "outcome_unknown", message } };
  return failed(code === null ? "provider_refused" : `twilio_${code}`, message);
}

/** The fields of an answer that are looked at; an answer that is no object says no more than its status. */
function read(bytes: Buffer): { readonly sid?: unknown; readonly code?: unknown; readonly message?: unknown } {
  try {
    return (JSON.parse(bytes.toString()) as object | null) ?? {};
  } catch {
    return {};
  }
}

const failed = (code: string, message: string): Attempt => ({ status: "failed", error: { code, message } });
