import type { TSchema } from "typebox";
import { callbackPrefix } from "./callback-address.ts";
import type { Capabilities, ProviderKind } from "./provider.ts";
import type { Registry } from "./registry.ts";

/** docs/providers.md. A test keeps the file equal to this. */
export function providersMarkdown({ all }: Registry): string {
  return [
    "# Providers",
    "",
    "This page is made from the registry in `packages/server/src/channels/registry.ts`; `GET /api/v2/providers` says the same.",
    "",
    "A channel names its provider. What a provider needs that is no secret stands in the channel's `provider_settings`;",
    "secrets are fields of their own, stored encrypted for the host that the settings name and never shown: a changed host",
    "needs them again. What a channel cannot carry is refused by name, such as `media_not_supported`.",
    "",
    ...all.map(section),
  ].join("\n");
}

function section(provider: ProviderKind): string {
  const { name, title, about, keys, serves } = provider;
  const lines = [
    `## ${title}`,
    "",
    about,
    "",
    `- Name: \`${name}\``,
    `- Repeats: ${keys ? "it takes our key, so nothing is sent twice" : "it takes no key of ours, so an unknown outcome follows the channel's `on_unknown`"}`,
    ...Object.entries(provider.settings.properties).map(
      ([field, schema]) => `- Setting \`${field}\`: ${(schema as TSchema & { description?: string }).description}`,
    ),
    ...Object.entries(provider.secrets).map(([field, secret]) => `- Secret \`${field}\`: ${secret.about}`),
    ...provider.callbacks.map(
      ({ field, about: what, method, path }) =>
        `- Callback \`${field}\`: \`${method} ${callbackPrefix}/${name}/{channel}${path}\`. ${what}`,
    ),
    "",
    "| kind of channel | carries |",
    "|---|---|",
    ...Object.entries(serves).map(([kind, can]) => `| ${kind} | ${carries(can)} |`),
    "",
  ];
  return lines.join("\n");
}

function carries({ media, typing, ...rest }: Capabilities): string {
  const parts = Object.entries(rest).flatMap(([part, can]) => (can ? [part] : []));
  return ["text", ...(media > 0 ? [`${media} media`] : []), ...parts, ...(typing ? ["typing"] : [])].join(", ");
}
