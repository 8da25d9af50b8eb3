import type { Id, Instant } from "../model/common.ts";
import type { ConversationRow } from "../model/conversation.ts";
import type { CustomerRow } from "../model/customer.ts";
import type { EffectRow } from "../model/effect.ts";
import type { Message } from "../model/message.ts";
import type { Note } from "../model/note.ts";
import type { Parked } from "../model/parked.ts";
import type { Run } from "../model/run.ts";
import { type Key, key } from "./keys.ts";
import type { Ledger } from "./ledger.ts";
import type { Known, PresenceStatus } from "./user/availability.ts";

/** A user who may get something: whether they are there, null where nothing is known, and how many open conversations they hold. */
export interface Staff {
  readonly user: Id;
  readonly status: PresenceStatus | null;
  readonly open: number;
}

/** What is known of whether a user is there. */
export interface Presence extends Known {
  readonly status: PresenceStatus;
  readonly since: Instant;
}

interface Load {
  readonly open: number;
}

/** What a decision may read of the world, through its own changes. Throws `Missing` for what is not loaded. */
export class Reader {
  protected readonly ledger: Ledger;

  constructor(ledger: Ledger) {
    this.ledger = ledger;
  }

  customer(id: Id): CustomerRow | null {
    return this.ledger.get<CustomerRow>(key.customer(id));
  }

  /** The customer that an id stands for: a merged one stands for the one it was merged into. */
  customerOf(id: Id): CustomerRow | null {
    let row = this.customer(id);
    while (row !== null && row.merged_into !== null) row = this.customer(row.merged_into);
    return row;
  }

  conversation(id: Id): ConversationRow | null {
    return this.ledger.get<ConversationRow>(key.conversation(id));
  }

  /** The conversation that an id stands for: a merged one stands for the one it was merged into. */
  conversationOf(id: Id): ConversationRow | null {
    let row = this.conversation(id);
    while (row !== null && row.merged_into !== null) row = this.conversation(row.merged_into);
    return row;
  }

  message(id: Id): Message | null {
    return this.ledger.get<Message>(key.message(id));
  }

  /** A note on a customer. */
  note(id: Id): Note | null {
    return this.ledger.get<Note>(key.note(id));
  }

  run(id: Id): Run | null {
    return this.ledger.get<Run>(key.run(id));
  }

  /** Who has an address, as a customer's id. */
  ownerOf(kind: string, address: string): Id | null {
    return this.ledger.get<{ readonly customer: Id }>(key.address(kind, address))?.customer ?? null;
  }

  /** The customer's newest conversation on a channel, by id. */
  latestConversation(customer: Id, channel: Id): Id | null {
    return this.ledger.view<{ readonly id: Id }>(key.latest(customer, channel), customer)?.id ?? null;
  }

  /** The customer's conversations that are open, pending or snoozed, by id: the order must not depend on the batch. */
  openConversations(customer: Id): readonly Id[] {
    return [...this.ledger.list(key.open(customer), customer)].sort();
  }

  /** The runs that wait for a conversation, customer or user, by id. */
  waitingRuns(subject: Id): readonly Id[] {
    return [...this.ledger.list(key.waiting(subject), subject)].sort();
  }

  /** The message that a channel's provider knows by this id. */
  messageByProvider(channel: Id, providerId: string): Id | null {
    return this.ledger.get<{ readonly id: Id }>(key.provider(channel, providerId))?.id ?? null;
  }

  presence(user: Id): Presence | null {
    return this.ledger.get<Presence>(key.presence(user));
  }

  /** Users, such as the members of a team, with what says who could take something: one bundle, however many they are. */
  staff(bundle: string, users: readonly Id[]): readonly Staff[] {
    const parts = users.flatMap((id) => [key.presence(id), key.load(id)]);
    const found = this.ledger.bundle(key.team(bundle), parts) as readonly (Partial<Presence & Load> | null)[];
    return users.map((user, n) => ({
      user,
      status: found[2 * n]?.status ?? null,
      open: found[2 * n + 1]?.open ?? 0,
    }));
  }

  /** Who of a team got the last conversation in turn. */
  turn(team: Id): Id | null {
    return this.ledger.get<{ readonly user_id: Id }>(key.turn(team))?.user_id ?? null;
  }

  /** The user who wrote the newest reply that stands in a conversation; what was merged into it has its own. */
  replier(conversation: Id): Id | null {
    return this.ledger.view<{ readonly user: Id }>(key.replier(conversation), conversation)?.user ?? null;
  }

  /** Asks for many things at once, before they are read one by one. */
  expect(keys: readonly Key[]): void {
    this.ledger.expect(keys);
  }

  /** An item that waits, or waited, for a person. */
  parked(id: Id): Parked | null {
    return this.ledger.get<Parked>(key.parked(id));
  }

  /** An effect that is not done. */
  effectRow(id: Id): EffectRow | null {
    return this.ledger.get<EffectRow>(key.effect(id));
  }
}
