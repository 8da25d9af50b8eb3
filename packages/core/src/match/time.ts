import type { Condition } from "../condition/compile.ts";
import { Missing } from "../domain/ledger.ts";
import type { SettingsIndex } from "../domain/settings-index.ts";
import type { Instant } from "../model/common.ts";
import type { ConversationRow } from "../model/conversation.ts";
import type { CustomerRow } from "../model/customer.ts";
import type { Reason } from "../model/run.ts";
import { reasonOf } from "../run/reason.ts";
import { afterDuration } from "../run/wait.ts";
import type { Scope } from "../template/scope.ts";
import { isInstant } from "../time/instant.ts";
import type { TimeTrigger, VersionHead } from "../workflow/compiled.ts";
import { conditionCheck, conditionRefused, type MatchExplained, testCondition } from "./match.ts";

/** A subject with a clock. */
export type Watched = ConversationRow | CustomerRow;

/** Why a time trigger does not fire for a subject, whatever its condition says. */
export type NotDue = "no_anchor" | "fired" | "calendar" | "before_publication" | "mailbox";

/**
 * What a time trigger comes to for a subject at an instant. `again` is when to look again though nothing happens in
 * between; null where only an event can change the answer.
 */
export type TimeVerdict =
  | { readonly answer: "yes"; readonly anchor: Instant }
  | { readonly answer: "no"; readonly by: NotDue | "early" | "condition"; readonly again: Instant | null }
  | { readonly answer: "fault"; readonly anchor: Instant; readonly reason: Reason };

/** Where and when a time trigger is asked about a subject. */
export interface TimeQuestion {
  readonly at: Instant;
  readonly settings: SettingsIndex;
  readonly scope: () => Scope;
}

const never = (by: NotDue): TimeVerdict => ({ answer: "no", by, again: null });

/**
 * Whether a time trigger fires for a subject as it is now: the time has passed since its anchor, the trigger has not fired
 * for that anchor, it fell due after the publication, and the condition holds (MILL law 14). Pure; `scope` is made only
 * for a trigger that is due. Throws `Missing` where the scope lacks a row, and nothing else.
 */
export function matchesTime(
  version: VersionHead,
  trigger: TimeTrigger,
  row: Watched,
  { at, settings, scope }: TimeQuestion,
): TimeVerdict {
  const due = dueOf(version, trigger, row, settings);
  if ("answer" in due) return due;
  if (due.at > at) return { answer: "no", by: "early", again: due.at };
  if (!isInScope(version, row)) return never("mailbox");
  const { anchor } = due;
  const read = scope();
  const verdict = testCondition(trigger, read);
  if (verdict.answer === "fault") return { answer: "fault", anchor, reason: verdict.reason };
  if (verdict.answer === "yes") return { answer: "yes", anchor };
  try {
    return { answer: "no", by: "condition", again: (trigger.when as Condition).nextChange(read) };
  } catch (error) {
    if (error instanceof Missing) throw error;
    return { answer: "fault", anchor, reason: reasonOf(error, "trigger_failed") };
  }
}

const isInScope = ({ mailboxes }: VersionHead, row: Watched): boolean =>
  mailboxes === null || ("mailbox" in row && mailboxes.has(row.mailbox));

/** When a time trigger falls due for a subject as it is now, or why it does not. */
function dueOf(
  version: VersionHead,
  trigger: TimeTrigger,
  row: Watched,
  settings: SettingsIndex,
): { readonly at: Instant; readonly anchor: Instant } | TimeVerdict {
  const anchor = anchorInstant(trigger, row);
  if (anchor === null) return never("no_anchor");
  if (row.fired[version.workflow] === anchor) return never("fired");
  const due = afterDuration(anchor, trigger.after, trigger.calendar, settings);
  if (!due.ok || due.at === null) return never("calendar");
  // a trigger minds what falls due from its publication on; what was overdue then is for its publisher to ask for
  return due.at < (trigger.dueFrom ?? version.publishedAt) ? never("before_publication") : { at: due.at, anchor };
}

/** The instant that a time trigger counts from, in a subject as it is now; null where there is none. */
function anchorInstant({ since }: TimeTrigger, row: Watched): Instant | null {
  const anchor = (row as unknown as { readonly [field: string]: unknown })[since];
  return isInstant(anchor) ? anchor : null;
}

const sentences: Readonly<Record<NotDue | "early", string>> = {
  no_anchor: "The instant that the trigger counts from is not set",
  fired: "The trigger has fired for this instant",
  calendar: "The trigger's calendar is gone or does not open, so it never falls due",
  before_publication: "It was overdue when the workflow was published",
  mailbox: "The workflow is for other mailboxes than this conversation's",
  early: "The time has not passed yet",
};

/** Tells in full what `matchesTime` answers; codes are `trigger_` and the word for it. `guard` as for `explainMatch`. */
export function explainTime(
  version: VersionHead,
  trigger: TimeTrigger,
  row: Watched,
  question: TimeQuestion,
  guard: () => Reason | null = () => null,
): MatchExplained {
  const verdict = matchesTime(version, trigger, row, question);
  const scope = question.scope();
  const condition = testCondition(trigger, scope);
  const refused = guard();
  const late = verdict.answer !== "no" || verdict.by === "condition" ? null : verdict;
  const checks: MatchExplained["checks"] = [
    { check: "due", holds: late === null, anchor: anchorInstant(trigger, row), again: late?.again ?? null },
    conditionCheck(trigger, condition, scope),
    { check: "guard", holds: refused === null, reason: refused },
  ];
  if (verdict.answer === "fault") return { answer: "fault", reason: verdict.reason, checks };
  if (verdict.answer === "yes") return { answer: refused === null ? "yes" : "no", reason: refused, checks };
  const { by } = verdict;
  const reason = by === "condition" ? conditionRefused : { code: `trigger_${by}`, message: sentences[by] };
  return { answer: "no", reason, checks };
}
