import { describe, expect, test } from "vitest";
import type { TriggerDocument, WorkflowDocument } from "./document.ts";
import { takenOver } from "./take-over.ts";

const document = (triggers: readonly object[], more: object = {}): WorkflowDocument => ({
  name: "Escalate",
  kind: "automatic",
  triggers: triggers as TriggerDocument[],
  start: "done",
  steps: { done: { stop: true } },
  ...more,
});
const waiting = { time: { since: "conversation.waiting_since", for: "2h" } };
const born = { time: { since: "customer.created_at", for: "1d" }, when: { field: "customer.tags", op: "is_empty" } };
const received = { event: "message.received" };

describe("taking over", () => {
  test("time triggers that stay as they were, wherever they stand and however they are written", () => {
    const longhand = { time: { for: "120m", since: "conversation.waiting_since" } };
    const clause = { op: "is_empty", field: "customer.tags" };
    const now = document([received, { ...born, when: clause }, longhand]);
    expect(takenOver(document([waiting, born]), now)).toEqual([
      { index: 1, before: 1 },
      { index: 2, before: 0 },
    ]);
  });

  test("not those whose time or condition is another", () => {
    const before = document([waiting, born]);
    for (const changed of [
      { time: { ...waiting.time, for: "3h" } },
      { time: { ...waiting.time, in: "office" } },
      { ...waiting, when: { field: "conversation.tags", op: "is_empty" } },
    ])
      expect(takenOver(before, document([changed, born]))).toEqual([{ index: 1, before: 1 }]);
    expect(takenOver(before, document([received]))).toEqual([]);
    expect(takenOver(document([]), before)).toEqual([]);
    const callable: WorkflowDocument = { name: "C", kind: "callable", start: "done", steps: { done: { stop: true } } };
    expect(takenOver(callable, before)).toEqual([]);
  });

  test("only where no mailbox is new", () => {
    const of = (mailboxes?: readonly string[]) => document([waiting], mailboxes === undefined ? {} : { mailboxes });
    const all = [{ index: 0, before: 0 }];
    expect(takenOver(of(), of(["sales"]))).toEqual(all);
    expect(takenOver(of(["sales", "support"]), of(["support"]))).toEqual(all);
    expect(takenOver(of(["sales"]), of(["support", "sales"]))).toEqual([]);
    expect(takenOver(of(["sales"]), of())).toEqual([]);
  });
});
