import { isId } from "@threadmill/core";
import type { SecretBox } from "../secrets/secret-box.ts";
import type { Callback } from "./callback.ts";
import type { ProviderKind } from "./provider.ts";

/** Below it stand the addresses that providers call. */
export const callbackPrefix = "/webhooks";
const parameter = "message";

interface Place {
  readonly organization: string;
  readonly id: string;
}

const context = ({ organization, id }: Place): readonly string[] => [organization, id, "callback", "message"];

/** Where a provider calls for a channel. */
export function callbackUrl(publicUrl: string, provider: ProviderKind, channel: string, callback: Callback): string {
  return `${publicUrl}${callbackPrefix}/${provider.name}/${channel}${callback.path}`;
}

/**
 * Where a provider tells what became of one message: the address names it, sealed, so that the news finds its message
 * even before we know the provider's own id of it. Null when the provider tells nothing.
 */
export function statusUrl(
  { publicUrl, secretBox }: { readonly publicUrl: string; readonly secretBox: SecretBox },
  provider: ProviderKind,
  channel: Place,
  message: string,
): string | null {
  const callback = provider.callbacks.find((each) => each.ofMessage);
  if (callback === undefined) return null;
  // colons are allowed in a query, but not everybody leaves them as they are
  const named = secretBox.of("callbacks").seal(message, context(channel)).replaceAll(":", ".");
  return `${callbackUrl(publicUrl, provider, channel.id, callback)}?${parameter}=${named}`;
}

/** The message that a called address names: its id, null when it names none, undefined when it was not we who named it. */
export function messageNamed(
  secretBox: SecretBox,
  channel: Place,
  query: Readonly<Record<string, unknown>>,
): string | null | undefined {
  const named = query[parameter];
  if (named === undefined) return null;
  if (typeof named !== "string") return undefined;
  const opened = secretBox.of("callbacks").open(named.replaceAll(".", ":"), context(channel));
  return opened.ok && isId(opened.text) ? opened.text : undefined;
}
