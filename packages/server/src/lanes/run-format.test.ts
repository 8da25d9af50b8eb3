import type { Json, Run, StepResult } from "@threadmill/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readRun, readSteps, shortRun, type StoredStep, writeSteps } from "./run-format.ts";
import { rowsInJson } from "./row-text.ts";
import { worldTables } from "./tables.ts";
import { Words } from "./words.ts";

const run = {
  id: "01a1fee2-c7bb-70c8-94bf-7004d23a7e4b",
  conversation: "01a1fee2-c7bb-73db-9505-c7280b1dbb14",
  customer: "01a1fee2-c7bb-70fb-a217-02fb56cf1558",
  message: null,
  started_at: "2026-11-21T16:13:57.563Z",
};
const later = "2026-11-21T18:13:57.563Z";

const stored = (steps: readonly StepResult[]): StoredStep[] => {
  const words = new Words(false);
  writeSteps(words, run, steps);
  return JSON.parse(words.toString()) as StoredStep[];
};

const word = fc.oneof(
  fc.string(),
  fc.constantFrom("~", "~~", "~x", run.conversation, run.customer, run.id, "c7bb-73db", "__proto__"),
);
const value: fc.Arbitrary<Json> = fc.oneof(
  word,
  fc.constant(null),
  fc.array(word),
  fc.dictionary(
    fc.constantFrom("conversation", "customer", "message", "text", "~"),
    fc.oneof(word, fc.nat(), fc.constant(null)),
  ),
);
const step: fc.Arbitrary<StepResult> = fc.record(
  {
    step: word,
    kind: fc.constantFrom("message.send", "branch", "wait"),
    status: fc.constantFrom("done", "failed", "waiting", "interrupted"),
    at: fc.constantFrom(run.started_at, later),
    finished_at: fc.constant(later),
    input: value,
    output: value,
    reason: fc.record({ code: word, message: word }),
    events: fc.array(
      fc.oneof(fc.uuid({ version: 7 }), fc.constantFrom("01a1fee2-c7bb-7036-9adf-cb42fdf55e64", run.id)),
    ),
    erased: fc.constant(true),
  },
  { requiredKeys: ["step", "kind", "status", "at"] },
);

test("steps come back from the history as they were, whatever went in and out", () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      expect(readSteps(run, stored(steps))).toEqual(JSON.parse(JSON.stringify(steps)));
    }),
  );
});

test("who a run acts for and what started it come back too", () => {
  const workflow = run.id.replace(/b$/, "c");
  const actors = [
    { kind: "workflow", id: workflow, publisher: null },
    { kind: "workflow", id: run.id, publisher: "p" },
    { kind: "user", id: workflow },
    { kind: "system", id: null },
  ] as const;
  for (const actor of actors) {
    for (const event of [
      null,
      run.id,
      "01a1fee2-c7bb-7e9a-8b04-7d4b4f4dd07e",
      "11a1fee2-c7bb-7e9a-8b04-7d4b4f4dd07e",
    ]) {
      const whole = {
        ...run,
        workflow,
        actor,
        trigger: { type: "time", event, index: 0 },
        steps: [],
      } as unknown as Run;
      const own = { lane: 7, organization: run.id, row: whole as unknown as Record<string, unknown> };
      const [row] = JSON.parse(rowsInJson(worldTables.runs_history.columns, shortRun)([own]).toString());
      expect(readRun(row)).toMatchObject({ actor, trigger: whole.trigger });
      expect(readRun(whole)).toEqual(whole);
    }
  }
});

test("steps that were kept as they are, by an earlier version or of a live run, are read as they are", () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      expect(readSteps(run, steps)).toEqual(steps);
    }),
  );
});

test("the steps of an ordinary run lose two fifths of their bytes", () => {
  const done = (kind: string, more: object): StepResult => ({
    step: "a",
    kind,
    status: "done",
    at: run.started_at,
    input: { conversation: run.conversation, ...more },
    output: { conversation: run.conversation, changed: true },
    events: ["01a1fee2-c7bb-7036-9adf-cb42fdf55e64"],
  });
  const steps = [
    done("conversation.add_tags", { tags: ["refund"] }),
    done("conversation.set_topic", { topic: "Refunds" }),
  ];
  const bytes = (of: unknown): number => JSON.stringify(of).length;
  expect(bytes(stored(steps)) / bytes(steps)).toBeLessThan(0.6);
});
