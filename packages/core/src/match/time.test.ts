import { describe, expect, test } from "vitest";
import { indexSettings } from "../domain/settings-index.ts";
import type { ConversationRow } from "../model/conversation.ts";
import { officeSettings, publish } from "../testing/mill.ts";
import { scopeOf } from "../testing/scope.ts";
import { ids, testId } from "../testing/settings.ts";
import { conversationRow, customerRow } from "../testing/world.ts";
import { addMs } from "../time/instant.ts";
import type { CompiledVersion, TimeTrigger } from "../workflow/compiled.ts";
import { explainTime, matchesTime, type Watched } from "./time.ts";

const since = "2026-11-20T17:00:00.000Z";
const settings = indexSettings(officeSettings);
const hour = 3_600_000;

function timed(
  when?: object,
  more: object = {},
  time: object = {},
): { version: CompiledVersion; trigger: TimeTrigger } {
  const { version } = publish(1, {
    triggers: [
      { time: { since: "conversation.waiting_since", for: "1h", ...time }, ...(when !== undefined && { when }) },
    ] as never,
    steps: { done: { stop: true } },
    ...more,
  });
  return { version, trigger: version.triggers[0] as TimeTrigger };
}

const row = (patch: Partial<ConversationRow> = {}): ConversationRow =>
  conversationRow({
    id: testId(401),
    customer: testId(301),
    mailbox: ids.mailboxes.support,
    channel: ids.channels.sms,
    address: "+1",
    waiting_since: since,
    tags: ["a"],
    ...patch,
  });

const question = (about: Watched, at: string) => ({
  at,
  settings,
  scope: () => scopeOf({ conversation: about, customer: { properties: { plan: { odd: 1 } } } }, { at }),
});

describe("a time trigger", () => {
  const late = addMs(since, 2 * hour);
  const tag = (value: string) => ({ field: "conversation.tags", op: "contains", value });
  const plan = { field: "customer.properties.plan", op: "is", value: "pro" };
  const ask = (one: ReturnType<typeof timed>, about: Watched = row(), at = late) => {
    const verdict = matchesTime(one.version, one.trigger, about, question(about, at));
    const explained = explainTime(one.version, one.trigger, about, question(about, at));
    expect(explained.answer).toBe(verdict.answer);
    return [verdict, explained.reason?.code ?? null];
  };

  test("L14: fires when its time has passed and its condition holds", () => {
    expect(ask(timed())).toEqual([{ answer: "yes", anchor: since }, null]);
    expect(ask(timed(tag("a")))).toEqual([{ answer: "yes", anchor: since }, null]);
    expect(ask(timed(), row(), addMs(since, hour))).toEqual([{ answer: "yes", anchor: since }, null]);
  });

  test("D6: says why it does not, and when to look again", () => {
    const no = (by: string, again: string | null = null) => [{ answer: "no", by, again }, `trigger_${by}`];
    expect(ask(timed(), row(), since)).toEqual(no("early", addMs(since, hour)));
    expect(ask(timed(), row({ waiting_since: null }))).toEqual(no("no_anchor"));
    expect(ask(timed(), row({ fired: { [timed().version.workflow]: since } }))).toEqual(no("fired"));
    expect(ask(timed(tag("b")))).toEqual(no("condition"));
    expect(ask(timed(undefined, { mailboxes: ["sales"] }))).toEqual(no("mailbox"));
    const { version, trigger } = timed(undefined, {}, { in: "office" });
    expect(ask({ version, trigger: { ...trigger, calendar: "gone" } })).toEqual(no("calendar"));
    expect(ask({ version: { ...version, publishedAt: late }, trigger: { ...trigger, calendar: null } })).toEqual(
      no("before_publication"),
    );
    const calm = { field: "conversation.waiting_since", op: "not_in_last", value: "3h" };
    expect(ask(timed(calm))).toEqual(no("condition", addMs(since, 3 * hour + 1)));
  });

  test("whose condition cannot be tested is a fault, unless its necessary part excludes it", () => {
    const reason = { code: "operand_invalid", message: '{"odd":1} is no single value' };
    expect(ask(timed(plan))).toEqual([{ answer: "fault", anchor: since, reason }, "operand_invalid"]);
    expect(ask(timed({ all: [plan, tag("b")] }))).toEqual([
      { answer: "no", by: "condition", again: null },
      "trigger_condition",
    ]);
  });

  test("of a customer minds no mailbox but those that are named", () => {
    const customer = customerRow({ id: testId(301), created_at: since });
    const one = timed(undefined, {}, { since: "customer.created_at" });
    expect(ask(one, customer)).toEqual([{ answer: "yes", anchor: since }, null]);
    const named = timed(undefined, { mailboxes: ["support"] }, { since: "customer.created_at" });
    expect(ask(named, customer)[1]).toBe("trigger_mailbox");
  });

  test("tells every check, and the guard's", () => {
    const one = timed(tag("b"));
    const about = row();
    const refused = { code: "storm_brake", message: "on" };
    expect(explainTime(one.version, one.trigger, about, question(about, since), () => refused).checks).toEqual([
      { check: "due", holds: false, anchor: since, again: addMs(since, hour) },
      { check: "condition", holds: false, explanation: expect.objectContaining({ actual: ["a"], result: false }) },
      { check: "guard", holds: false, reason: refused },
    ]);
    const free = timed();
    expect(explainTime(free.version, free.trigger, about, question(about, late), () => refused)).toMatchObject({
      answer: "no",
      reason: refused,
      checks: [{ holds: true, again: null }, { holds: true, explanation: null }, { holds: false }],
    });
  });

  test("a condition's side that cannot be had does not fault the search for its next change", () => {
    const odd = {
      all: [
        tag("b"),
        { field: "conversation.waiting_since", op: "in_last", value: { ref: "customer.properties.plan" } },
      ],
    };
    expect(ask(timed(odd))).toEqual([{ answer: "no", by: "condition", again: null }, "trigger_condition"]);
  });
});
