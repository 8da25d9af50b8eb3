import type { Target } from "../domain/define.ts";
import { type EventType, eventTypes, isEventType } from "../domain/events.ts";
import { ConversationSchema } from "../model/conversation.ts";
import { CustomerSchema } from "../model/customer.ts";
import type { SubjectKind } from "../model/common.ts";
import type { TriggerDocument } from "./document.ts";

/** The subjects that time triggers may have: those with a `wake_at`, by the schema that names their fields. */
const timed = { conversation: ConversationSchema, customer: CustomerSchema } as const;
export type TimedSubject = keyof typeof timed;

/** An instant from which a time trigger may count, such as `conversation.waiting_since`. */
export interface Anchor {
  readonly subject: TimedSubject;
  readonly field: string;
}

/** Every instant of a conversation and customer, read off their schemas. */
export function anchors(): Anchor[] {
  return (Object.keys(timed) as TimedSubject[]).flatMap((subject) =>
    Object.entries(timed[subject].properties)
      .filter(([, schema]) => holdsInstant(schema))
      .map(([field]) => ({ subject, field })),
  );
}

/** The anchor that `since` of a time trigger names, or null. */
export function anchorNamed(since: string): Anchor | null {
  return anchors().find(({ subject, field }) => since === `${subject}.${field}`) ?? null;
}

function holdsInstant(schema: {
  readonly format?: string;
  readonly anyOf?: readonly { readonly format?: string }[];
}): boolean {
  return schema.format === "date-time" || (schema.anyOf ?? []).some((one) => one.format === "date-time");
}

/** What a run that this trigger starts knows without being told; empty where the trigger itself is wrong. */
function knownTo(trigger: TriggerDocument): readonly Target[] {
  if ("time" in trigger) {
    const subject = anchorNamed(trigger.time.since)?.subject;
    return subject === "conversation" ? ["conversation", "customer"] : subject === "customer" ? ["customer"] : [];
  }
  if (!isEventType(trigger.event)) return [];
  const { subject } = eventTypes[trigger.event];
  if (trigger.event.startsWith("customer.note_")) return ["customer", "note"];
  if (subject !== "conversation") return [subject as Target];
  return trigger.event.startsWith("message.") ? ["conversation", "customer", "message"] : ["conversation", "customer"];
}

/** What the runs that a trigger starts are about; null where the trigger itself is wrong. */
function subjectOfTrigger(trigger: TriggerDocument): SubjectKind | null {
  if ("time" in trigger) return anchorNamed(trigger.time.since)?.subject ?? null;
  return isEventType(trigger.event) ? eventTypes[trigger.event].subject : null;
}

/** Events of which subjects concern a run about one: those that interrupt its waits. */
const concerning: Readonly<Record<SubjectKind, readonly SubjectKind[]>> = {
  conversation: ["conversation", "customer"],
  customer: ["customer", "conversation"],
  user: ["user"],
  organization: [],
};

/** Whether an event can interrupt the runs that these triggers start. */
export function hears(triggers: readonly TriggerDocument[], event: EventType): "always" | "sometimes" | "never" {
  const { subject } = eventTypes[event];
  return howMany(triggers, (trigger) => {
    const about = subjectOfTrigger(trigger);
    return about === null || concerning[about].includes(subject);
  });
}

/** Whether the runs of a workflow with these triggers know what a command's target field would name. */
export function knows(triggers: readonly TriggerDocument[], target: Target): "always" | "sometimes" | "never" {
  return howMany(triggers, (trigger) => knownTo(trigger).includes(target));
}

function howMany(
  triggers: readonly TriggerDocument[],
  holds: (trigger: TriggerDocument) => boolean,
): "always" | "sometimes" | "never" {
  const count = triggers.filter(holds).length;
  return count === 0 ? "never" : count < triggers.length ? "sometimes" : "always";
}
