import { describe, expect, test } from "vitest";
import { key } from "../domain/keys.ts";
import { Ledger, Missing } from "../domain/ledger.ts";
import { indexSettings } from "../domain/settings-index.ts";
import { guardStart } from "../run/guards.ts";
import { AllowanceSpent } from "../template/meter.ts";
import type { Scope } from "../template/scope.ts";
import { eventOf } from "../testing/events.ts";
import { officeSettings, publish } from "../testing/mill.ts";
import { scopeOf } from "../testing/scope.ts";
import { ids, testId } from "../testing/settings.ts";
import { customerRow, memoryWorld } from "../testing/world.ts";
import type { CompiledVersion, EventTrigger } from "../workflow/compiled.ts";
import { explainMatch, matches, subjectOfEvent } from "./match.ts";

const received = eventOf("message.received", {
  refs: { conversation: testId(700), customer: testId(701), message: testId(702) },
});
const scopeWith = (roots: Record<string, unknown> = {}): Scope =>
  scopeOf(
    {
      conversation: { mailbox: ids.mailboxes.support, tags: ["a"] },
      message: { text: "I want a refund" },
      customer: { first_name: "Ann", properties: { plan: { odd: true } } },
      ...roots,
    },
    { at: received.at },
  );

function version(when?: object, more: object = {}): { version: CompiledVersion; trigger: EventTrigger } {
  const published = publish(1, {
    triggers: [{ event: "message.received", ...(when !== undefined && { when }) }] as never,
    steps: { done: { stop: true } },
    ...more,
  });
  return { version: published.version, trigger: published.version.triggers[0] as EventTrigger };
}

const text = (op: string, value: string) => ({ field: "message.text", op, value });
const plan = { field: "customer.properties.plan", op: "is", value: "pro" };

describe("matching", () => {
  test("answers yes, no or fault, and the fault with its reason", () => {
    const ask = (when?: object, more: object = {}) => {
      const one = version(when, more);
      return matches(one.version, one.trigger, received, scopeWith());
    };
    expect(ask()).toEqual({ answer: "yes" });
    expect(ask(text("contains", "refund"))).toEqual({ answer: "yes" });
    expect(ask(text("contains", "invoice"))).toEqual({ answer: "no" });
    expect(ask(undefined, { mailboxes: ["sales"] })).toEqual({ answer: "no" });
    expect(ask(undefined, { mailboxes: ["sales", "support"] })).toEqual({ answer: "yes" });
    expect(ask(plan)).toEqual({
      answer: "fault",
      reason: { code: "operand_invalid", message: '{"odd":true} is no single value' },
    });
  });

  test("is no for another event, and for one that happened in no mailbox where mailboxes are named", () => {
    const one = version(undefined, { mailboxes: ["support"] });
    expect(matches(one.version, one.trigger, eventOf("message.sent"), scopeWith())).toEqual({ answer: "no" });
    for (const conversation of [null, undefined])
      expect(matches(one.version, one.trigger, received, scopeWith({ conversation }))).toEqual({ answer: "no" });
  });

  test("L6: a fault that the mailboxes or the condition's necessary part exclude is a plain no, in any order of clauses", () => {
    const elsewhere = version(plan, { mailboxes: ["sales"] });
    expect(matches(elsewhere.version, elsewhere.trigger, received, scopeWith())).toEqual({ answer: "no" });
    for (const all of [
      [plan, text("contains", "invoice")],
      [text("contains", "invoice"), plan],
    ]) {
      const one = version({ all });
      expect(matches(one.version, one.trigger, received, scopeWith())).toEqual({ answer: "no" });
      const found = { ...scopeWith({ message: { text: "the invoice" } }) };
      expect(matches(one.version, one.trigger, received, found).answer).toBe("fault");
    }
    // what only one of several alternatives excludes, nothing excludes
    const either = version({ any: [text("contains", "invoice"), plan] });
    expect(matches(either.version, either.trigger, received, scopeWith()).answer).toBe("fault");
  });

  test("L8: a bug in a condition is a fault of its own; a need passes through, also where it is explained", () => {
    const one = version(plan);
    const broken = (error: unknown): EventTrigger => {
      const thrower = () => {
        throw error;
      };
      return { ...one.trigger, when: { ...one.trigger.when!, hints: [], test: thrower, explain: thrower } };
    };
    const bug = broken(new TypeError("x is not a function"));
    const reason = { code: "trigger_failed", message: "x is not a function" };
    expect(matches(one.version, bug, received, scopeWith())).toEqual({ answer: "fault", reason });
    expect(explainMatch(one.version, bug, received, scopeWith())).toMatchObject({ answer: "fault", reason });
    expect(matches(one.version, broken("worn out"), received, scopeWith())).toMatchObject({
      reason: { code: "trigger_failed", message: "worn out" },
    });
    const lacking = broken(new Missing([key.customer(testId(1))]));
    expect(() => matches(one.version, lacking, received, scopeWith())).toThrow(Missing);
    const later = { ...lacking, when: { ...lacking.when!, test: () => true } };
    expect(() => explainMatch(one.version, later, received, scopeWith())).toThrow(Missing);
  });

  test("L7, L8: a fault that cannot be ruled out for want of allowance is a fault, and a need met in ruling it out passes through", () => {
    const office = { field: "calendar.office.open", op: "is", value: true };
    const one = version({ all: [plan, office, text("contains", "invoice")] });
    const throwing = (error: Error): Scope => ({
      ...scopeWith(),
      root: (name) => {
        if (name === "calendar") throw error;
        return scopeWith().root(name);
      },
    });
    const reason = { code: "operand_invalid", message: '{"odd":true} is no single value' };
    expect(one.trigger.when?.hints.map(({ field }) => field)).toContain("calendar.office.open");
    expect(matches(one.version, one.trigger, received, throwing(new AllowanceSpent()))).toEqual({
      answer: "fault",
      reason,
    });
    const need = throwing(new Missing([key.customer(testId(1))]));
    expect(() => matches(one.version, one.trigger, received, need)).toThrow(Missing);
  });

  test("makes no object for a yes or no: the answers are the same ones each time", () => {
    const one = version(text("contains", "refund"));
    const other = version(text("contains", "invoice"));
    const twice = (each: typeof one) => [1, 2].map(() => matches(each.version, each.trigger, received, scopeWith()));
    for (const each of [one, other]) {
      const [first, second] = twice(each);
      expect(first).toBe(second);
    }
  });

  test("a run is about what its event is about", () => {
    expect(subjectOfEvent(received)).toEqual({ kind: "conversation", id: testId(700) });
    expect(subjectOfEvent(eventOf("customer.updated", { refs: { customer: testId(701) } }))).toEqual({
      kind: "customer",
      id: testId(701),
    });
  });
});

describe("an explanation", () => {
  const when = { all: [text("contains", "refund"), { field: "customer.first_name", op: "is", value: "Bob" }] };

  test("tells what was asked, and what each clause found", () => {
    const one = version(when, { mailboxes: ["support"] });
    expect(explainMatch(one.version, one.trigger, received, scopeWith())).toEqual({
      answer: "no",
      reason: { code: "trigger_condition", message: "The trigger's condition does not hold" },
      checks: [
        { check: "event", holds: true, expected: "message.received", actual: "message.received" },
        { check: "mailbox", holds: true, expected: [ids.mailboxes.support], actual: ids.mailboxes.support },
        {
          check: "condition",
          holds: false,
          explanation: expect.objectContaining({
            op: "all",
            result: false,
            children: [
              expect.objectContaining({ field: "message.text", actual: "I want a refund", result: true }),
              expect.objectContaining({ field: "customer.first_name", actual: "Ann", expected: "Bob", result: false }),
            ],
          }),
        },
        { check: "guard", holds: true, reason: null },
      ],
    });
  });

  test("D6: an explanation agrees with the answer, and names what decided", () => {
    const reasonOf = (
      one: ReturnType<typeof version>,
      event = received,
      guard?: () => null | { code: string; message: string },
    ) => {
      const { answer, reason } = explainMatch(one.version, one.trigger, event, scopeWith(), guard);
      if (guard === undefined) expect(answer).toBe(matches(one.version, one.trigger, event, scopeWith()).answer);
      return [answer, reason?.code];
    };
    expect(reasonOf(version())).toEqual(["yes", undefined]);
    expect(reasonOf(version(), eventOf("message.sent"))).toEqual(["no", "trigger_event"]);
    expect(reasonOf(version(undefined, { mailboxes: ["sales"] }))).toEqual(["no", "trigger_mailbox"]);
    expect(reasonOf(version(plan))).toEqual(["fault", "operand_invalid"]);
    expect(reasonOf(version({ all: [plan, text("contains", "invoice")] }))).toEqual(["no", "trigger_condition"]);
    expect(reasonOf(version(), received, () => ({ code: "storm_brake", message: "on" }))).toEqual([
      "no",
      "storm_brake",
    ]);
  });

  test("asks the guards of a run that is not there", () => {
    const settings = indexSettings(officeSettings);
    const one = version(undefined, { limits: { runs_per_day: 1 } });
    const day = "2026-11-20";
    const rows = [customerRow({ id: testId(701), guards: { day, runs: { [one.version.workflow]: 1 }, sends: [] } })];
    const ledger = new Ledger(memoryWorld({ customers: rows }));
    const guard = () =>
      guardStart(
        { workflow: one.version.workflow, subject_kind: "customer", subject: testId(701), depth: 1 },
        one.version,
        settings,
        ledger,
        received.at,
      );
    const explained = explainMatch(one.version, one.trigger, received, scopeWith(), guard);
    expect(explained).toMatchObject({ answer: "no", reason: { code: "runs_per_day" } });
    expect(explained.checks.at(-1)).toMatchObject({ check: "guard", holds: false });
  });
});
