import type { ChannelKind, DeliverPayload } from "@threadmill/core";
import type { Capabilities, ProviderKind } from "./provider.ts";

type Content = Pick<DeliverPayload, "media" | "subject" | "html" | "headers" | "attachments">;

/** The parts of a delivery that not every channel can carry, and how to see that one has them. Thread keys are hints. */
const parts: Readonly<
  Record<Exclude<keyof Capabilities, "media" | "typing" | "threads">, (content: Content) => boolean>
> = {
  subject: ({ subject }) => subject !== undefined,
  html: ({ html }) => html !== undefined,
  headers: ({ headers = [] }) => headers.length > 0,
  attachments: ({ attachments = [] }) => attachments.length > 0,
};

/** What of a delivery the provider cannot carry on a kind of channel; null when it can carry all of it. */
export function lacks(
  provider: ProviderKind,
  kind: ChannelKind,
  content: Content,
): { readonly code: string; readonly message: string } | null {
  const can = provider.serves[kind];
  if (can === undefined)
    return { code: "provider_not_for_kind", message: `${provider.title} does not serve channels of the kind ${kind}` };
  const on = `${provider.title} on ${kind}`;
  if (content.media.length > can.media)
    return can.media === 0
      ? { code: "media_not_supported", message: `${on} carries no media` }
      : { code: "media_too_many", message: `${on} carries at most ${can.media} media` };
  for (const [part, has] of Object.entries(parts))
    if (has(content) && !can[part as keyof typeof parts])
      return { code: `${part}_not_supported`, message: `${on} carries no ${part}` };
  return null;
}
