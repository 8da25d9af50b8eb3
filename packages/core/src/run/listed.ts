import { isEventType, eventTypes } from "../domain/events.ts";
import type { Id } from "../model/common.ts";
import type { Run } from "../model/run.ts";

/**
 * Under whom a waiting run is listed: its subject, and the customer whose events interrupt it as well. Whoever is told of
 * an event finds the runs that it concerns there.
 */
export const listedUnder = ({ subject, hears }: Pick<Run, "subject" | "hears">): readonly Id[] =>
  hears === null ? [subject] : [subject, hears];

/** Whether a wait of a conversation's run ends with an event of its customer: `customer.unsubscribed`, say. */
export const hearsCustomer = ({ subject_kind, customer }: Run, unless: string | null): boolean =>
  subject_kind === "conversation" &&
  customer !== null &&
  unless !== null &&
  isEventType(unless) &&
  eventTypes[unless].subject === "customer";
