import type { ChannelKind, DeliverPayload, Outcome, Refusal } from "@threadmill/core";
import type { Pool } from "pg";
import type { TObject } from "typebox";
import type { Outside } from "../outside/client.ts";
import type { Callback } from "./callback.ts";

/** What can be sent on a kind of channel. A delivery with more is refused, and says so. */
export interface Capabilities {
  /** pictures and other media, at most; 0: none */
  readonly media: number;
  readonly subject: boolean;
  readonly html: boolean;
  readonly headers: boolean;
  readonly attachments: boolean;
  /** whether messages are tied into threads by keys of ours */
  readonly threads: boolean;
  /** whether the other side can be shown that somebody writes */
  readonly typing: boolean;
}

/** What most channels can: a text. */
export const textOnly: Capabilities = {
  media: 0,
  subject: false,
  html: false,
  headers: false,
  attachments: false,
  threads: false,
  typing: false,
};

/** Settings of a channel that are no secret, as its provider's schema has them. */
export type ProviderSettings = Readonly<Record<string, unknown>>;

/** A secret that a provider needs of each channel. */
export interface SecretField {
  readonly about: string;
  readonly maxLength: number;
}

/** What a provider is made from when a process starts. */
export interface ProviderPorts {
  readonly pool: Pool;
  readonly outside: Pick<Outside, "send">;
}

/**
 * All there is to a provider: a folder below `channels/` whose object stands in the registry. Validation of settings,
 * routes, the API's reference and docs/providers.md follow from it.
 */
export interface ProviderKind {
  /** as channels name it, and the word in its addresses */
  readonly name: string;
  readonly title: string;
  /** a sentence or two for people */
  readonly about: string;
  /** the kinds of channel it serves, and what can be sent on each */
  readonly serves: Readonly<Partial<Record<ChannelKind, Capabilities>>>;
  /** whether it takes a key of ours, so that an unknown outcome can simply be tried again */
  readonly keys: boolean;
  /** a closed object, all of whose fields are optional */
  readonly settings: TObject;
  readonly secrets: Readonly<Record<string, SecretField>>;
  /**
   * The origin (scheme, host and port) that secrets are sent to under these settings; null when the settings name none.
   * Secrets are sealed for it: see `secrets.ts`.
   */
  destination(settings: ProviderSettings): string | null;
  /** What stands against our own address on such a channel, as it is written there. */
  addressProblem(kind: ChannelKind, address: string): Refusal | null;
  readonly callbacks: readonly Callback[];
  /**
   * Stands in for others: a channel of this provider takes settings, secrets and callbacks of every provider that serves
   * its kind, so that it can be set up and tried before anything leaves the house.
   */
  readonly rehearses?: true;
  open(ports: ProviderPorts): Provider;
}

/** A message on its way out, as a provider sees it. */
export interface Delivery extends Omit<DeliverPayload, "channel"> {
  /** never changes over retries; a provider that knows such keys is given it */
  readonly key: string;
  readonly channel: ProviderChannel;
  /** where the provider tells what became of this message; null when it tells nothing */
  readonly statusUrl: string | null;
}

/** What a provider is told of the channel. Secrets are opened for this call alone. */
export interface ProviderChannel {
  readonly id: string;
  readonly organization: string;
  readonly lane: number;
  readonly kind: ChannelKind;
  /** our own address on the channel */
  readonly address: string | null;
  readonly settings: ProviderSettings;
  readonly secrets: Readonly<Record<string, string>>;
}

/** What an attempt came to: an outcome, or that it is worth another try. */
export type Attempt =
  | Outcome
  | {
      readonly status: "retry";
      readonly error: { readonly code: string; readonly message: string };
      readonly afterMs?: number;
    };

/**
 * A way out of the house for messages. Neither way throws for what the outside world does: it says `done`, `failed` (the
 * provider refused), `retry` (nothing was accepted), or `unknown` (it may have been). It ends by itself well within a
 * lease; it is never cut short from outside, because nobody could tell then whether the message went out.
 */
export interface Provider {
  deliver(delivery: Delivery): Promise<Attempt>;
  /** Several at once, where that is cheaper: an attempt for each, in their order. */
  deliverAll?(deliveries: readonly Delivery[]): Promise<readonly Attempt[]>;
}
