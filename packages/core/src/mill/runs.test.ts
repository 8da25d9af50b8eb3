import { expect, test } from "vitest";
import { key } from "../domain/keys.ts";
import type { Run } from "../model/run.ts";
import { publish } from "../testing/mill.ts";
import { ids } from "../testing/settings.ts";
import { stage } from "../testing/stage.ts";
import { Batch } from "./batch.ts";
import { endRun, putRun } from "./runs.ts";

test("M3: a signal that comes too late changes nothing, not even the reference", () => {
  const play = stage({ workflows: [publish(1, { kind: "manual", steps: { done: { stop: true } } })] });
  play.issue("run.start", { workflow: "workflow-1" });
  const run = play.runsOf(1)[0] as Run;
  const batch = new Batch(ids.organization, play.shell.world, play.shell.config, 1);
  expect(putRun(batch, run, "cancel", play.now(), { reason: { code: "late", message: "too late" } })).toBe(run);
  endRun(batch, run, "stop", { code: "late", message: "too late" }, play.now());
  expect(batch.ledger.peek(key.run(run.id))).toBeNull();
  expect(() => putRun(batch, run, "advance", play.now())).toThrow("a stopped run cannot get the signal advance");
});
