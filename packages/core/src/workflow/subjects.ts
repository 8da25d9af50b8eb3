import type { Target } from "../domain/define.ts";
import { eventTypes, isEventType } from "../domain/events.ts";
import { ConversationSchema } from "../model/conversation.ts";
import { CustomerSchema } from "../model/customer.ts";
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
export function anchorOf(since: string): Anchor | null {
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
    const subject = anchorOf(trigger.time.since)?.subject;
    return subject === "conversation" ? ["conversation", "customer"] : subject === "customer" ? ["customer"] : [];
  }
  if (!isEventType(trigger.event)) return [];
  const { subject } = eventTypes[trigger.event];
  if (subject !== "conversation") return [subject as Target];
  return trigger.event.startsWith("message.") ? ["conversation", "customer", "message"] : ["conversation", "customer"];
}

/** Whether the runs of a workflow with these triggers know what a command's target field would name. */
export function knows(triggers: readonly TriggerDocument[], target: Target): "always" | "sometimes" | "never" {
  const knowing = triggers.filter((trigger) => knownTo(trigger).includes(target)).length;
  return knowing === 0 ? "never" : knowing < triggers.length ? "sometimes" : "always";
}
