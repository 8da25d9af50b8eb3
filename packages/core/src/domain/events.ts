import type { SubjectKind } from "../model/common.ts";
import type { EventData } from "../model/event.ts";

/** What is known of the events of a type. */
export interface AboutEvent {
  readonly subject: SubjectKind;
  readonly summary: string;
  /** the facts of `EventDataSchema` that they bring in their `data`; most bring none, for the changed rows say all */
  readonly facts?: readonly (keyof EventData)[];
}

/** What every event is about and means. Triggers, the reference and webhooks read this table; a new event is a line. */
const table = {
  "customer.created": { subject: "customer", summary: "A customer was made" },
  "customer.updated": { subject: "customer", summary: "Fields of a customer changed" },
  "customer.property_set": { subject: "customer", summary: "A property of a customer got a value", facts: ["names"] },
  "customer.property_deleted": {
    subject: "customer",
    summary: "A property of a customer was taken away",
    facts: ["names"],
  },
  "customer.subscribed": { subject: "customer", summary: "A customer wants messages again" },
  "customer.unsubscribed": { subject: "customer", summary: "A customer wants no messages" },
  "customer.assigned": { subject: "customer", summary: "A customer got an assignee" },
  "customer.unassigned": { subject: "customer", summary: "A customer lost the assignee" },
  "customer.added_to_team": { subject: "customer", summary: "A customer joined a team" },
  "customer.removed_from_team": { subject: "customer", summary: "A customer left a team" },
  "customer.tags_added": { subject: "customer", summary: "A customer was tagged" },
  "customer.tags_removed": { subject: "customer", summary: "Tags were taken off a customer" },
  "customer.address_added": { subject: "customer", summary: "A customer got another address" },
  "customer.address_removed": { subject: "customer", summary: "A customer lost an address" },
  "customer.address_made_primary": {
    subject: "customer",
    summary: "Another of a customer's addresses became the first of its kind",
  },
  "customer.note_added": { subject: "customer", summary: "A note was left on a customer" },
  "customer.note_edited": { subject: "customer", summary: "The words of a note on a customer changed" },
  "customer.note_removed": { subject: "customer", summary: "A note on a customer was taken away" },
  "customer.closed": {
    subject: "customer",
    summary: "All conversations of a customer were closed",
    facts: ["conversations"],
  },
  "customer.merged": {
    subject: "customer",
    summary: "A customer was merged into another",
    facts: ["source", "target"],
  },
  "customer.erased": { subject: "customer", summary: "Personal data of a customer was erased", facts: ["customers"] },
  "customer.state_changed": { subject: "customer", summary: "A customer became unreplied, replied or closed" },
  "conversation.opened": { subject: "conversation", summary: "A conversation started" },
  "conversation.reopened": { subject: "conversation", summary: "A conversation is open again" },
  "conversation.closed": { subject: "conversation", summary: "A conversation was closed" },
  "conversation.snoozed": { subject: "conversation", summary: "A conversation was put off" },
  "conversation.set_pending": { subject: "conversation", summary: "A conversation waits for somebody else" },
  "conversation.marked_spam": { subject: "conversation", summary: "A conversation is spam" },
  "conversation.assigned": { subject: "conversation", summary: "A conversation got an assignee or team" },
  "conversation.unassigned": { subject: "conversation", summary: "A conversation lost its assignee or team" },
  "conversation.left_behind": { subject: "conversation", summary: "The user who holds a conversation is offline" },
  "conversation.topic_set": { subject: "conversation", summary: "A conversation's topic changed" },
  "conversation.tags_added": { subject: "conversation", summary: "A conversation was tagged" },
  "conversation.tags_removed": { subject: "conversation", summary: "Tags were taken off a conversation" },
  "conversation.property_set": {
    subject: "conversation",
    summary: "A property of a conversation changed",
    facts: ["names"],
  },
  "conversation.moved": { subject: "conversation", summary: "A conversation went to another mailbox" },
  "conversation.merged": {
    subject: "conversation",
    summary: "A conversation was merged into another",
    facts: ["source", "target"],
  },
  "message.received": { subject: "conversation", summary: "A customer wrote" },
  "message.sent": { subject: "conversation", summary: "We wrote to a customer" },
  "message.noted": { subject: "conversation", summary: "A note was left in a conversation" },
  "message.tagged": { subject: "conversation", summary: "A message was tagged" },
  "message.untagged": { subject: "conversation", summary: "Tags were taken off a message" },
  "message.delivery_changed": { subject: "conversation", summary: "The provider told what became of a message" },
  "user.presence_changed": {
    subject: "user",
    summary: "A user came, went or is away",
    facts: ["before", "after", "by"],
  },
} as const satisfies Record<string, AboutEvent>;

/**
 * Events that only tell: they start no workflow and interrupt none, and are about whatever their run is about. Runs that
 * events start need none: their row says it all.
 */
const notices = {
  "run.started": { summary: "Somebody, or a workflow, started a run by a command" },
  "run.cancelled": { summary: "Somebody cancelled a run" },
  "run.withheld": { summary: "Runs that were to start did not: there was no room for them, or a guard said no again" },
} as const;

export type EventType = keyof typeof table;
export type NoticeType = keyof typeof notices;
export const noticeTypes: Readonly<Record<NoticeType, { readonly summary: string }>> = notices;

export const eventTypes: Readonly<Record<EventType, AboutEvent>> = table;

/** Whether a word names an event. */
export const isEventType = (word: string): word is EventType => Object.hasOwn(table, word);
