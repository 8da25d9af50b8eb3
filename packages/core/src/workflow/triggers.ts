import type { Trigger } from "./compiled.ts";
import type { EventTriggerDocument, TimeTriggerDocument, TriggerDocument } from "./document.ts";
import { conditionPart, type Context, durationPart, eventPart } from "./part.ts";
import { error } from "./problem.ts";
import { triggerPlace } from "./reads.ts";
import { calendarProblem } from "./references.ts";
import { anchorNamed, anchors } from "./subjects.ts";

/** Makes a trigger of sound shape ready. Null where that is not possible; the context's problems say why. */
export function compileTrigger(document: TriggerDocument, path: string, context: Context): Trigger | null {
  return "time" in document ? compileTime(document, path, context) : compileEvent(document, path, context);
}

function compileEvent(document: EventTriggerDocument, path: string, context: Context): Trigger | null {
  const event = eventPart(document.event, `${path}/event`, context);
  const when = compileWhen(document, path, context);
  return event === null || when === undefined ? null : { kind: "event", event, when };
}

function compileTime(document: TimeTriggerDocument, path: string, context: Context): Trigger | null {
  const { since, for: duration, in: calendar = null } = document.time;
  const anchor = anchorNamed(since);
  if (anchor === null) {
    const names = anchors().map((one) => `${one.subject}.${one.field}`);
    context.problems.push(
      error("anchor_unknown", `${path}/time/since`, `"${since}" is no instant; there are ${names.join(", ")}`),
    );
  }
  if (calendar !== null && context.settings !== null) {
    context.problems.push(...calendarProblem(context.settings, calendar, `${path}/time/in`));
  }
  const after = durationPart(duration, `${path}/time/for`, context);
  const when = compileWhen(document, path, context);
  if (anchor === null || after === null || when === undefined) return null;
  return { kind: "time", subject: anchor.subject, since: anchor.field, after, calendar, when, dueFrom: null };
}

/** The condition; null where there is none, undefined where it does not compile. */
function compileWhen(document: TriggerDocument, path: string, context: Context): Trigger["when"] | undefined {
  if (document.when === undefined) return null;
  return conditionPart(document.when, `${path}/when`, triggerPlace(document), context) ?? undefined;
}
