import type { Outcome } from "@threadmill/core";

/** A message on its way out, as a provider sees it. */
export interface Delivery {
  /** never changes over retries; a provider that knows such keys is given it */
  readonly key: string;
  readonly message: string;
  readonly channel: ProviderChannel;
  readonly to: string;
  readonly text: string;
  readonly media: readonly { readonly url: string }[];
}

/** What a provider is told of the channel. The secret is opened for this call alone. */
export interface ProviderChannel {
  readonly id: string;
  readonly organization: string;
  readonly lane: number;
  readonly kind: string;
  /** our own address on the channel */
  readonly address: string | null;
  readonly settings: { readonly [name: string]: unknown };
  readonly secret: string | null;
  /** where the provider tells what became of a message */
  readonly statusUrl: string;
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
 * A way out of the house for messages. `deliver` never throws for what the outside world does: it says `done`,
 * `failed` (the provider refused), `retry` (nothing was accepted), or `unknown` (it may have been). It ends by itself well
 * within a lease; it is never cut short from outside, because nobody could tell then whether the message went out.
 */
export interface Provider {
  readonly name: string;
  /** whether it takes a key of ours, so that an unknown outcome can simply be tried again */
  readonly idempotent: boolean;
  deliver(delivery: Delivery): Promise<Attempt>;
}
