import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { indexSettings, type SettingsIndex } from "../domain/settings-index.ts";
import { Workflows } from "../match/active.ts";
import { matches } from "../match/match.ts";
import { anyDocument, idOf, refundRequests, settings, settingsRows } from "../testing/documents.ts";
import { eventOf } from "../testing/events.ts";
import { scopeOf } from "../testing/scope.ts";
import { compileBody } from "./body.ts";
import { compileVersion } from "./compile.ts";
import type { EventTrigger, TimeTrigger } from "./compiled.ts";
import type { WorkflowDocument } from "./document.ts";
import { compileHead, UnreadableVersion } from "./head.ts";
import { Surroundings } from "./linked.ts";
import { namesOfRow } from "./settings-names.ts";
import { isPublishable, validateWorkflow } from "./validate.ts";

const stored = {
  id: idOf(1),
  workflow: idOf(2),
  publisher: idOf(11),
  publishedAt: "2026-01-01T00:00:00.000Z",
  order: 0,
};
const headOf = (document: object, surroundings = new Surroundings(settings), more: object = {}) =>
  compileHead({ ...stored, ...more, document: document as WorkflowDocument }, surroundings);
const bodyOf = (document: object, given: SettingsIndex = settings) =>
  compileBody(idOf(1), document as WorkflowDocument, given);

/** Everything but what is a function, which compiles anew each time. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, item: unknown) => (item instanceof Map || item instanceof Set ? [...item] : item)),
  );

const roots = {
  customer: { id: idOf(3), first_name: "Eve", properties: { plan: "pro" }, tags: ["vip"] },
  conversation: { id: idOf(4), team: idOf(20), mailbox: idOf(30), tags: [] },
  message: { id: idOf(5), text: "I want a refund" },
};
const scope = scopeOf(roots);

describe("a version that is made ready late", () => {
  test("is what the one that is checked at once is, in any document that can be published", () => {
    let compared = 0;
    fc.assert(
      fc.property(fc.oneof(anyDocument, fc.constant(refundRequests)), (document) => {
        if (!isPublishable(validateWorkflow(document, settings).problems)) return;
        compared += 1;
        const whole = compileVersion({ ...stored, document, settings });
        const body = bodyOf(document);
        if (!whole.ok || !body.ok) throw new Error("what can be published compiles");
        const head = headOf(document);
        const { steps, whenRunning, runsPerDay, mailboxes, ...rest } = whole.version;
        expect(plain(body.body)).toEqual(plain({ id: stored.id, steps, whenRunning, runsPerDay }));
        expect(head.mailboxes).toEqual(mailboxes);
        for (const name of ["id", "workflow", "name", "kind", "publisher", "publishedAt", "start"] as const)
          expect(head[name]).toEqual(rest[name]);
        expect(head.document.inputs).toEqual(rest.document.inputs);
        expect(head.triggers.map((one) => one.kind)).toEqual(rest.triggers.map((one) => one.kind));
        for (const [at, trigger] of head.triggers.entries()) {
          const { when, ...known } = rest.triggers[at]!;
          expect(trigger).toMatchObject(plain(known) as object);
          expect(trigger.when?.reads).toEqual(when?.reads);
          expect(trigger.when?.explain(scope)).toEqual(when?.explain(scope));
        }
      }),
      { numRuns: 300 },
    );
    expect(compared).toBeGreaterThan(5);
  });

  test("keeps its order, its anchors and its inputs", () => {
    const document = {
      ...refundRequests,
      inputs: { order: { type: "text" } },
      triggers: [{ time: { since: "conversation.waiting_since", for: "2h", in: "office" } }],
    };
    const head = headOf(document, undefined, { order: 7, dueFrom: { 0: "2025-01-01T00:00:00.000Z" } });
    expect(head).toMatchObject({ order: 7, document: { inputs: document.inputs } });
    expect(head.triggers[0] as TimeTrigger).toMatchObject({
      subject: "conversation",
      since: "waiting_since",
      calendar: "office",
      when: null,
      dueFrom: "2025-01-01T00:00:00.000Z",
    });
    expect(headOf({ ...refundRequests, triggers: undefined }).triggers).toEqual([]);
  });

  test("is linked again to what its mailboxes and conditions name, when that changes, and not otherwise", () => {
    const surroundings = new Surroundings(settings);
    const head = headOf(
      {
        ...refundRequests,
        mailboxes: ["support"],
        triggers: [{ event: "message.received", when: { field: "conversation.team", op: "is", value: "billing" } }],
      },
      surroundings,
    );
    const trigger = head.triggers[0] as EventTrigger;
    const answer = () => matches(head, trigger, eventOf("message.received"), scope).answer;
    const before = trigger.when;
    expect(answer()).toBe("yes");
    const moved = { ...settingsRows.teams[0]!, id: idOf(29) };
    surroundings.change(
      indexSettings({ ...settingsRows, teams: [moved] }),
      namesOfRow("team", { id: idOf(28), slug: "x" }),
    );
    expect(trigger.when).toBe(before);
    surroundings.change(indexSettings({ ...settingsRows, teams: [moved] }), namesOfRow("team", moved));
    expect([trigger.when === before, answer()]).toEqual([false, "no"]);
    surroundings.change(settings, namesOfRow("team", settingsRows.teams[0]!));
    expect(answer()).toBe("yes");
    const mailboxes = [{ ...settingsRows.mailboxes[0]!, id: idOf(39) }];
    surroundings.change(indexSettings({ ...settingsRows, mailboxes }), namesOfRow("mailbox", mailboxes[0]!));
    expect([[...head.mailboxes!], answer()]).toEqual([[idOf(39)], "no"]);
  });

  test("is let go of by the settings when another version takes its place, or none does", () => {
    const surroundings = new Surroundings(settings);
    const document = {
      ...refundRequests,
      mailboxes: ["support"],
      triggers: [{ event: "message.received", when: { field: "conversation.team", op: "is", value: "billing" } }],
    };
    const active = new Workflows(() => null);
    const publishAnew = () => {
      const head = headOf(document, surroundings);
      active.put({ slug: "refunds", version: head });
      matches(head, head.triggers[0] as EventTrigger, eventOf("message.received"), scope);
      return head;
    };
    const first = publishAnew();
    const names = surroundings.held;
    expect(names).toBeGreaterThan(1);
    const before = (first.triggers[0] as EventTrigger).when;
    const last = publishAnew();
    expect(surroundings.held).toBe(names);
    expect((first.triggers[0] as EventTrigger).when).not.toBe(before);
    first.release?.();
    active.remove(last.workflow);
    expect(surroundings.held).toBe(0);
  });

  test("whose parts this server does not know any more says so when they are asked for", () => {
    const odd = { event: "message.received", when: { field: "message.text", op: "rhymes_with", value: "x" } };
    const trigger = headOf({ ...refundRequests, triggers: [odd] }).triggers[0] as EventTrigger;
    expect(() => trigger.when).toThrow(UnreadableVersion);
    expect(matches(headOf(refundRequests), trigger, eventOf("message.received"), scope)).toMatchObject({
      answer: "fault",
      reason: { code: "version_unreadable", message: expect.stringContaining("rhymes_with") },
    });
    for (const time of [
      { since: "conversation.tea_time", for: "1h" },
      { since: "conversation.created_at", for: "soon" },
    ])
      expect(() => headOf({ ...refundRequests, triggers: [{ time }] })).toThrow(UnreadableVersion);
    expect(bodyOf({ ...refundRequests, steps: { tag: { branch: [{ when: odd.when, next: null }] } } })).toMatchObject({
      ok: false,
      problems: [{ code: "operator_unknown" }],
    });
    expect(bodyOf({ ...refundRequests, steps: { tag: { stop: { outputs: "{{" } } } })).toMatchObject({ ok: false });
  });
});
