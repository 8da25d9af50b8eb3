import { Type } from "typebox";
import { type Id, IdSchema, type Instant, InstantSchema, oneOf, orNull } from "./common.ts";
import { derived, personal, plain } from "./marks.ts";

export const directions = ["inbound", "outbound", "note"] as const;
/**
 * What became of an outbound message. `held`: the outcome is unknown and the channel's policy asks a person;
 * `unsubscribed`: it was not sent because the customer asked for no messages.
 */
export const deliveries = ["none", "queued", "sent", "delivered", "read", "failed", "held", "unsubscribed"] as const;
export type Delivery = (typeof deliveries)[number];

export const MediaSchema = Type.Object(
  {
    url: Type.String({ pattern: "^https?://", maxLength: 2048 }),
    content_type: Type.Optional(Type.String({ maxLength: 200 })),
  },
  { additionalProperties: false },
);
export interface Media {
  readonly url: string;
  readonly content_type?: string;
}

/** The logged columns of a message; it has no others. */
export interface Message {
  readonly id: Id;
  readonly conversation: Id;
  readonly customer: Id;
  readonly channel: Id;
  /** the customer's address that it came from or went to; personal. Null for a note, and where it was not kept yet */
  readonly address: string | null;
  readonly direction: (typeof directions)[number];
  /** the user who wrote it; null when the customer did */
  readonly author: Id | null;
  readonly text: string;
  readonly media: readonly Media[];
  readonly tags: readonly string[];
  /** sent by a workflow or campaign, not by a person */
  readonly automated: boolean;
  /** the provider's own id */
  readonly provider_id: string | null;
  readonly delivery: Delivery;
  readonly delivery_error: string | null;
  readonly created_at: Instant;
  readonly updated_at: Instant;
}

export const messageDefaults: Omit<
  Message,
  "id" | "conversation" | "customer" | "channel" | "direction" | "created_at" | "updated_at"
> = {
  address: null,
  author: null,
  text: "",
  media: [],
  tags: [],
  automated: false,
  provider_id: null,
  delivery: "none",
  delivery_error: null,
};

/** A message as the API shows it. */
export const MessageSchema = Type.Object(
  {
    id: plain(IdSchema),
    conversation: plain(IdSchema),
    customer: plain(IdSchema),
    channel: plain(IdSchema),
    address: personal(
      orNull(Type.String({ description: "the customer's address that it came from or went to; null for a note" })),
    ),
    direction: plain(oneOf(directions)),
    author: plain(orNull(IdSchema)),
    text: personal(Type.String()),
    media: personal(Type.Array(MediaSchema)),
    tags: personal(Type.Array(Type.String())),
    automated: plain(Type.Boolean()),
    provider_id: personal(orNull(Type.String())),
    delivery: plain(oneOf(deliveries)),
    delivery_error: personal(orNull(Type.String())),
    created_at: plain(InstantSchema),
    updated_at: derived(InstantSchema),
  },
  { title: "Message" },
);
