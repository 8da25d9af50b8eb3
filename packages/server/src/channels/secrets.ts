import type { SecretBox } from "../secrets/secret-box.ts";
import type { ProviderKind, ProviderSettings } from "./provider.ts";
import type { Registry, Served } from "./registry.ts";

/** Sealed secrets of a channel, by name, as its row has them. */
export type SealedSecrets = Readonly<Record<string, string>>;

/** What of a channel its secrets depend on. */
export interface SecretOwner extends Served {
  readonly id: string;
  readonly organization: string;
  readonly settings: ProviderSettings;
}

/**
 * The place that a secret is sealed for. The host that it may be sent to is part of it, so that whoever changes where a
 * channel sends, by the API or in the table, has a secret that cannot be opened any more.
 */
function contextOf(channel: SecretOwner, provider: ProviderKind, name: string): readonly string[] | null {
  const destination = provider.destination(channel.settings);
  if (destination === null) return null;
  return [channel.organization, channel.id, "provider_secrets", provider.name, name, destination];
}

/** The provider that a channel's secret of some name belongs to, or null. */
export function ownerOf(registry: Registry, channel: Served, name: string): ProviderKind | null {
  return registry.serving(channel).find((each) => Object.hasOwn(each.secrets, name)) ?? null;
}

/** Where a channel's secret of some name may be sent; null when nowhere. */
export function destinationOf(
  registry: Registry,
  channel: Served & { readonly settings: ProviderSettings },
  name: string,
): string | null {
  return ownerOf(registry, channel, name)?.destination(channel.settings) ?? null;
}

/** Seals a secret for where the channel sends; null when the channel has no provider for it or names no host. */
export function sealSecret(
  box: SecretBox,
  registry: Registry,
  channel: SecretOwner,
  { name, text }: { readonly name: string; readonly text: string },
): string | null {
  const owner = ownerOf(registry, channel, name);
  const context = owner === null ? null : contextOf(channel, owner, name);
  return context === null ? null : box.seal(text, context);
}

/** A provider's secrets of a channel in the clear; null when one that is there cannot be opened. */
export function openSecrets(
  box: SecretBox,
  provider: ProviderKind,
  channel: SecretOwner,
  sealed: SealedSecrets,
): Readonly<Record<string, string>> | null {
  const secrets: Record<string, string> = {};
  for (const name of Object.keys(provider.secrets)) {
    const text = sealed[name];
    if (text === undefined) continue;
    const context = contextOf(channel, provider, name);
    const opened = context === null ? null : box.open(text, context);
    if (opened === null || !opened.ok) return null;
    secrets[name] = opened.text;
  }
  return secrets;
}
