import { Type } from "typebox";
import {
  type Id,
  IdSchema,
  type Instant,
  InstantSchema,
  oneOf,
  orNull,
  type Properties,
  PropertiesSchema,
} from "./common.ts";
import { derived, personal, plain } from "./marks.ts";
import type { Watch } from "./watch.ts";

export const conversationStatuses = ["open", "pending", "snoozed", "closed", "spam"] as const;
export type ConversationStatus = (typeof conversationStatuses)[number];

/** Addresses by channel, the channels in the order of their ids. */
export type ChannelAddresses = { readonly [channel: Id]: string };

/** The logged columns of a conversation. */
export interface Conversation {
  readonly id: Id;
  readonly customer: Id;
  readonly mailbox: Id;
  /** the channel on which the customer last wrote, or on which we began; a reply goes there unless it names another */
  readonly channel: Id;
  /** the customer's address on that channel: the two change together */
  readonly address: string;
  /** the other channels that it holds messages of, with the customer's address on each; personal, as addresses are */
  readonly other_channels: ChannelAddresses;
  readonly subject: string | null;
  readonly status: ConversationStatus;
  readonly assignee: Id | null;
  readonly team: Id | null;
  readonly topic: string | null;
  readonly tags: readonly string[];
  readonly properties: Properties;
  readonly snoozed_until: Instant | null;
  readonly closed_at: Instant | null;
  /** the oldest customer message that nobody has answered */
  readonly waiting_since: Instant | null;
  readonly last_message_at: Instant | null;
  readonly last_inbound_at: Instant | null;
  /** the newest reply by a person or the API; automated messages do not count */
  readonly last_reply_at: Instant | null;
  readonly inbound_count: number;
  readonly outbound_count: number;
  readonly merged_into: Id | null;
  readonly created_at: Instant;
  readonly updated_at: Instant;
}

export interface ConversationRow extends Conversation, Watch {}

export const conversationDefaults: Omit<
  ConversationRow,
  "id" | "customer" | "mailbox" | "channel" | "address" | "created_at" | "updated_at"
> = {
  other_channels: {},
  subject: null,
  status: "open",
  assignee: null,
  team: null,
  topic: null,
  tags: [],
  properties: {},
  snoozed_until: null,
  closed_at: null,
  waiting_since: null,
  last_message_at: null,
  last_inbound_at: null,
  last_reply_at: null,
  inbound_count: 0,
  outbound_count: 0,
  merged_into: null,
  wake_at: null,
  fired: {},
  guards: null,
};

/** A conversation as the API shows it. */
export const ConversationSchema = Type.Object(
  {
    id: plain(IdSchema),
    customer: plain(IdSchema),
    mailbox: plain(IdSchema),
    channel: plain(IdSchema),
    address: personal(Type.String()),
    other_channels: personal(
      Type.Record(Type.String(), Type.String(), {
        description: "other channels that it holds messages of: the customer's address by the channel's id",
      }),
    ),
    subject: personal(orNull(Type.String())),
    status: plain(oneOf(conversationStatuses)),
    assignee: plain(orNull(IdSchema)),
    team: plain(orNull(IdSchema)),
    topic: personal(orNull(Type.String())),
    tags: personal(Type.Array(Type.String())),
    properties: personal(PropertiesSchema),
    snoozed_until: plain(orNull(InstantSchema)),
    closed_at: derived(orNull(InstantSchema)),
    waiting_since: derived(orNull(InstantSchema)),
    last_message_at: derived(orNull(InstantSchema)),
    last_inbound_at: derived(orNull(InstantSchema)),
    last_reply_at: derived(orNull(InstantSchema)),
    inbound_count: derived(Type.Integer()),
    outbound_count: derived(Type.Integer()),
    merged_into: plain(orNull(IdSchema)),
    created_at: plain(InstantSchema),
    updated_at: derived(InstantSchema),
  },
  { title: "Conversation" },
);
