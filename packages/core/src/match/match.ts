import type { Condition } from "../condition/compile.ts";
import type { Explanation } from "../condition/explain.ts";
import { isRuledOut } from "../condition/ruled-out.ts";
import { eventTypes, type EventType } from "../domain/events.ts";
import { Missing } from "../domain/ledger.ts";
import type { Instant, Json, Ref } from "../model/common.ts";
import type { Event } from "../model/event.ts";
import type { Reason } from "../model/run.ts";
import { reasonOf } from "../run/reason.ts";
import type { Scope } from "../template/scope.ts";
import type { EventTrigger, VersionHead } from "../workflow/compiled.ts";

/**
 * Whether an event fires a trigger. A fault is never a "no": it is a failed run that says why. A yes or no carries no
 * reason, because a message is matched against every workflow and nobody asks; `explainMatch` tells it.
 */
export type Verdict =
  | { readonly answer: "yes" }
  | { readonly answer: "no" }
  | { readonly answer: "fault"; readonly reason: Reason };

const yes: Verdict = Object.freeze({ answer: "yes" });
const no: Verdict = Object.freeze({ answer: "no" });

/**
 * Whether an event fires a trigger of a version: it is of the trigger's type, in one of the workflow's mailboxes, and the
 * condition holds. Pure; throws `Missing` where the scope lacks a row; whatever else goes wrong, in the condition or in
 * ruling its fault out, is the answer `fault`.
 *
 * What an index may pass over: a condition that would fault on an event which its mailboxes, or its own necessary part
 * (`hints`), already exclude is a plain no, whatever the order of its clauses. So an index changes no answer, as long as
 * the allowance lasts: ruling out takes its steps from it.
 */
export function matches(version: VersionHead, trigger: EventTrigger, event: Event, scope: Scope): Verdict {
  if (trigger.event !== event.type || !isInMailboxes(version, scope)) return no;
  return testCondition(trigger, scope);
}

/** A trigger as far as its condition goes. */
type Conditional = Pick<EventTrigger, "when">;

/** What a trigger's condition answers for a scope; a fault that its necessary part rules out is a no. */
export function testCondition(trigger: Conditional, scope: Scope): Verdict {
  let when: Condition | null = null;
  try {
    when = trigger.when;
    return when === null || when.test(scope) ? yes : no;
  } catch (error) {
    if (error instanceof Missing) throw error;
    return when !== null && excuses(when, scope) ? no : { answer: "fault", reason: reasonOf(error, "trigger_failed") };
  }
}

/** Whether a condition's necessary part rules its fault out; where that cannot be told either, it does not. */
function excuses({ hints }: Condition, scope: Scope): boolean {
  try {
    return isRuledOut(hints, scope);
  } catch (error) {
    if (error instanceof Missing) throw error;
    return false;
  }
}

/** Whether a workflow's mailboxes include where this happened; one that names mailboxes minds nothing outside them. */
export function isInMailboxes({ mailboxes }: Pick<VersionHead, "mailboxes">, scope: Pick<Scope, "root">): boolean {
  if (mailboxes === null) return true;
  const mailbox = mailboxOf(scope);
  return mailbox !== null && mailboxes.has(mailbox);
}

const mailboxOf = (scope: Pick<Scope, "root">): string | null =>
  (scope.root("conversation") as { readonly mailbox: string } | null | undefined)?.mailbox ?? null;

/** What the runs that an event starts are about. */
export function subjectOfEvent(event: Event): Ref {
  const { subject } = eventTypes[event.type as EventType];
  return { kind: subject, id: (event.refs as Readonly<Record<string, string>>)[subject] as string };
}

/** One thing that was asked of an event, in the order of asking. */
export type Check =
  | { readonly check: "event" | "mailbox"; readonly holds: boolean; readonly expected: Json; readonly actual: Json }
  | {
      readonly check: "due";
      readonly holds: boolean;
      readonly anchor: Instant | null;
      /** when it falls due, where that is to come */
      readonly again: Instant | null;
    }
  | { readonly check: "condition"; readonly holds: boolean | "fault"; readonly explanation: Explanation | null }
  | { readonly check: "guard"; readonly holds: boolean; readonly reason: Reason | null };

/** Why an event fires a trigger or does not: everything that was asked, and what decided. */
export interface MatchExplained {
  readonly answer: Verdict["answer"];
  /** null where the answer is yes; `trigger_event`, `trigger_mailbox`, `trigger_condition`, or the fault's or guard's own */
  readonly reason: Reason | null;
  readonly checks: readonly Check[];
}

/**
 * Tells in full what `matches` answers, with the actual values of every clause. `guard` says what would keep the run from
 * its first step (`guardStart` for a run that is not there yet); a guard's no is a no.
 */
export function explainMatch(
  version: VersionHead,
  trigger: EventTrigger,
  event: Event,
  scope: Scope,
  guard: () => Reason | null = () => null,
): MatchExplained {
  const ofType = trigger.event === event.type;
  const inMailboxes = isInMailboxes(version, scope);
  const condition = testCondition(trigger, scope);
  const refused = guard();
  const expected = version.mailboxes === null ? null : [...version.mailboxes];
  const checks: readonly Check[] = [
    { check: "event", holds: ofType, expected: trigger.event, actual: event.type },
    { check: "mailbox", holds: inMailboxes, expected, actual: mailboxOf(scope) },
    conditionCheck(trigger, condition, scope),
    { check: "guard", holds: refused === null, reason: refused },
  ];
  const denied = (reason: Reason): MatchExplained => ({ answer: "no", reason, checks });
  if (!ofType) {
    return denied({ code: "trigger_event", message: `The trigger is for ${trigger.event}, and this is ${event.type}` });
  }
  if (!inMailboxes) {
    return denied({
      code: "trigger_mailbox",
      message: "The workflow is for other mailboxes than the one it happened in",
    });
  }
  if (condition.answer === "no") return denied(conditionRefused);
  if (condition.answer === "fault") return { answer: "fault", reason: condition.reason, checks };
  return refused === null ? { answer: "yes", reason: null, checks } : denied(refused);
}

/** Why a trigger whose condition does not hold starts nothing. */
export const conditionRefused: Reason = { code: "trigger_condition", message: "The trigger's condition does not hold" };

/**
 * A condition's verdict with what each of its clauses found. Where a fault was ruled out by the necessary part, a clause
 * shows it and the verdict is no all the same.
 */
export function conditionCheck(trigger: Conditional, verdict: Verdict, scope: Scope): Check {
  const holds = verdict.answer === "fault" ? "fault" : verdict.answer === "yes";
  return { check: "condition", holds, explanation: explained(trigger, scope) };
}

/** Null where there is no condition, or where a bug keeps its clauses from being explained: the verdict's reason names it. */
function explained(trigger: Conditional, scope: Scope): Explanation | null {
  try {
    return trigger.when?.explain(scope) ?? null;
  } catch (error) {
    if (error instanceof Missing) throw error;
    return null;
  }
}
