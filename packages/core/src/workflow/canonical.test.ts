import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../id/canonical.ts";
import { canonicalWorkflow, workflowHash } from "./canonical.ts";
import { diffDocuments } from "./diff.ts";
import type { WorkflowDocument } from "./document.ts";
import { anyDocument, mutated, refundRequests } from "../testing/documents.ts";
import { isWorkflowDocument } from "./validate.ts";

// changed here by hand, at any depth
type Loose = Record<string, any>; // oxlint-disable-line no-explicit-any
const example = refundRequests as unknown as WorkflowDocument;

describe("canonical form", () => {
  test("leaves out what says nothing", () => {
    const wordy = {
      order: 0,
      layout: { b: 1, a: [{ d: 1, c: 2 }] },
      when_running: "start",
      limits: {},
      inputs: {},
      outputs: {
        b: { required: false, description: "", type: "any" },
        a: { type: "text", required: true, description: "d" },
      },
      triggers: [],
      mailboxes: ["b", "a", "b"],
      description: "",
      steps: {
        z: { stop: { reason: "" } },
        end: { stop: { outputs: { b: null, a: 1 }, reason: "r" } },
        a: { action: "x.y", input: {}, next: null, onError: null, await: false },
        b: { wait: { unless: "message.sent", until: { ref: "x" } }, onInterrupt: null, next: "end", onError: "a" },
        c: { wait: { for: "120m", in: "office" }, next: "d" },
        d: { branch: [{ when: { op: "is_set", field: "x" }, next: null }], next: "b" },
      },
      start: "c",
      kind: "callable",
      name: "n",
    } as unknown as WorkflowDocument;
    expect(JSON.stringify(canonicalWorkflow(wordy))).toBe(
      JSON.stringify({
        name: "n",
        kind: "callable",
        mailboxes: ["a", "b"],
        start: "c",
        steps: {
          c: { wait: { for: "2h", in: "office" }, next: "d" },
          d: { branch: [{ when: { field: "x", op: "is_set" } }], next: "b" },
          b: { wait: { until: { ref: "x" }, unless: "message.sent" }, next: "end", onError: "a" },
          end: { stop: { reason: "r", outputs: { a: 1, b: null } } },
          a: { action: "x.y" },
          z: { stop: true },
        },
        outputs: { a: { type: "text", required: true, description: "d" }, b: { type: "any" } },
        layout: { a: [{ c: 2, d: 1 }], b: 1 },
      }),
    );
  });

  test("keeps what says something", () => {
    const said = { ...example, description: "d", order: 3, limits: { runs_per_day: 2 }, when_running: "skip" as const };
    expect(canonicalWorkflow(said)).toEqual(said);
    const odd = { ...example, triggers: [{ time: { since: "x", for: "soon" } }] };
    expect(canonicalWorkflow(odd)).toEqual(odd);
  });

  test("is its own canonical form, to the letter", () => {
    fc.assert(
      fc.property(anyDocument, (document) => {
        const once = canonicalWorkflow(document);
        expect(JSON.stringify(canonicalWorkflow(once))).toBe(JSON.stringify(once));
      }),
    );
  });

  test("and a difference can be had of all that has the right shape", () => {
    fc.assert(
      fc.property(mutated(refundRequests), (json) => {
        if (!isWorkflowDocument(json)) return;
        expect(diffDocuments(example, json).length === 0).toBe(workflowHash(example) === workflowHash(json));
        expect(isWorkflowDocument(canonicalWorkflow(json))).toBe(true);
      }),
      { numRuns: 500 },
    );
    expect(isWorkflowDocument({ ...example, steps: { tag: { action: "x.y", input: { z: 1 } } } })).toBe(true);
    expect(isWorkflowDocument({ ...example, z: 1 })).toBe(false);
  });

  test("does not depend on the order of keys", () => {
    fc.assert(
      fc.property(anyDocument, (document) => {
        const reordered = JSON.parse(canonicalJson(document)) as WorkflowDocument;
        expect(JSON.stringify(canonicalWorkflow(reordered))).toBe(JSON.stringify(canonicalWorkflow(document)));
      }),
    );
  });

  test("the hash minds what a workflow does, not how it is drawn or written", () => {
    expect(workflowHash({ ...example, layout: { tag: [1, 2] }, order: 0 })).toBe(workflowHash(example));
    expect(workflowHash({ ...example, order: 1 })).not.toBe(workflowHash(example));
  });
});

describe("diff", () => {
  test("equal documents have none, and documents without one are equal", () => {
    fc.assert(
      fc.property(anyDocument, anyDocument, (a, b) => {
        expect(diffDocuments(a, JSON.parse(canonicalJson(a)) as WorkflowDocument)).toEqual([]);
        expect(diffDocuments(a, b).length === 0).toBe(workflowHash(a) === workflowHash(b));
      }),
    );
  });

  const said = (change: (document: Loose) => void): string[] => {
    const other = structuredClone(refundRequests) as Loose;
    change(other);
    return diffDocuments(example, other as unknown as WorkflowDocument).map(
      (one) => `${one.kind} ${one.path}: ${one.text}`,
    );
  };

  test("settings", () => {
    const long = "x".repeat(80);
    expect(
      said((d) => {
        d.mailboxes.push("sales");
        d.limits = { runs_per_day: 3 };
        d.description = long;
        d.name = "Refunds";
        delete d.mailboxes;
      }),
    ).toEqual([
      'changed /name: The workflow\'s name: now "Refunds", before "Refund requests"',
      'removed /mailboxes: The workflow\'s mailboxes: now nothing, before ["support"]',
      `added /description: The workflow's description: now "${"x".repeat(56)}..., before nothing`,
      "added /limits/runs_per_day: The workflow's limits runs per day: now 3, before nothing",
    ]);
  });

  test("triggers", () => {
    expect(said((d) => (d.triggers[0].when = undefined))).toEqual([
      "changed /triggers/0: The trigger on message.received was changed",
    ]);
    expect(said((d) => d.triggers.unshift({ time: { since: "customer.created_at", for: "1d" } }))).toEqual([
      "added /triggers/0: A trigger on customer.created_at was added",
    ]);
    expect(said((d) => (d.triggers = [{ event: "message.sent" }]))).toEqual([
      "removed /triggers/0: The trigger on message.received was taken away",
      "added /triggers/0: A trigger on message.sent was added",
    ]);
    const two = { ...example, triggers: [{ event: "message.sent" }, { event: "message.noted" }] };
    expect(diffDocuments(two, { ...two, triggers: two.triggers.toReversed() })).toMatchObject([
      { path: "/triggers", kind: "changed", text: "The triggers stand in another order" },
    ]);
  });

  test("steps and edges", () => {
    expect(
      said((d) => {
        d.steps.tag.next = "reply";
        d.steps.tag.onError = "close";
        d.steps.tag.input.tags = ["money"];
        d.steps.hold.onInterrupt = "tag";
        d.steps.hold.wait.for = "3h";
        d.steps.who.branch[0].next = null;
        d.steps.who.branch[0].when.value = "free";
        d.steps.close = { stop: true };
        d.steps["a/b"] = { action: "conversation.open" };
        delete d.steps.page;
      }).toSorted(),
    ).toEqual(
      [
        'changed /steps/tag/input/tags: In the step "tag", input tags: now ["money"], before ["refund"]',
        'changed /steps/tag/next: From the step "tag" the way leads to "reply" instead of "who"',
        'added /steps/tag/onError: From the step "tag" the way on error leads to "close" instead of the end',
        'changed /steps/who/branch/0/when: In the step "who", the condition of branch 1: now {"field":"customer.properties.plan","op":"is","value":"fr..., before {"field":"customer.properties.plan","op":"is","value":"pro"}',
        'removed /steps/who/branch/0/next: From the step "who" the way by branch 1 leads to the end instead of "page"',
        'changed /steps/hold/wait/for: In the step "hold", wait for: now "3h", before "2h"',
        'added /steps/hold/onInterrupt: From the step "hold" the way when interrupted leads to "tag" instead of the end',
        'changed /steps/close: The step "close" was an action and is now a stop',
        'removed /steps/page: The step "page" was taken away',
        'added /steps/a~1b: The step "a/b" was added, an action',
      ].toSorted(),
    );
  });

  test("null is not nothing", () => {
    const [one] = diffDocuments(
      { ...example, steps: { ...example.steps, tag: { action: "x.y", input: { a: 1 } } } },
      { ...example, steps: { ...example.steps, tag: { action: "x.y", input: { a: 1, "b/c": null } } } },
    );
    expect(one).toMatchObject({ path: "/steps/tag/input/b~1c", kind: "added", before: null, after: null });
  });
});
