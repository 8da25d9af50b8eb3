import type { SettingsIndex } from "../domain/settings-index.ts";
import type { Id } from "../model/common.ts";
import type { Step, VersionBody } from "./compiled.ts";
import type { WorkflowDocument } from "./document.ts";
import type { Context } from "./part.ts";
import { pointer, type Problem } from "./problem.ts";
import { stepPlace } from "./reads.ts";
import { compileStep } from "./steps.ts";

export type BodyResult =
  | { readonly ok: true; readonly body: VersionBody }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * The steps of a version whose document was found sound when it was published, made ready with the settings as they
 * stand. Refused where this server cannot make a step ready any more; one whose action is gone is, and fails its run.
 */
export function compileBody(id: Id, document: WorkflowDocument, settings: SettingsIndex): BodyResult {
  const problems: Problem[] = [];
  const context: Context = { settings, problems, sound: true };
  const entries = Object.entries(document.steps);
  const place = stepPlace(new Set(), new Set());
  const steps = new Map<string, Step>();
  for (const [name, step] of entries) {
    const ready = compileStep(name, step, pointer("/steps", name), place, context);
    if (ready === null) return { ok: false, problems };
    steps.set(name, ready);
  }
  const whenRunning = document.when_running ?? "start";
  return { ok: true, body: { id, steps, whenRunning, runsPerDay: document.limits?.runs_per_day ?? null } };
}
