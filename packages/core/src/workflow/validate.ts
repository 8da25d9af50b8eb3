import type { AnyCommand } from "../domain/define.ts";
import type { SettingsIndex } from "../domain/settings-index.ts";
import { checkWorkflow } from "./check.ts";
import type { WorkflowDocument } from "./document.ts";
import type { Problem } from "./problem.ts";
import { shapeOf } from "./shape.ts";

export type { Problem } from "./problem.ts";

/**
 * Everything wrong with a workflow document, errors and warnings, each with a JSON pointer. A document without errors
 * can be published. Without settings, names of mailboxes, teams ... are not looked up. `commands` are the registry's save in tests.
 */
export function validateWorkflow(
  json: unknown,
  settings: SettingsIndex | null,
  commands?: ReadonlyMap<string, AnyCommand>,
): { readonly problems: readonly Problem[] } {
  return { problems: checkWorkflow(json, settings, commands).problems };
}

/** Whether nothing stands in the way of publishing. */
export const isPublishable = (problems: readonly Problem[]): boolean =>
  problems.every((one) => one.severity === "warning");

/** Whether a document has the right shape, whatever else is wrong with it: then it can be brought to canonical form and compared. */
export const isWorkflowDocument = (json: unknown): json is WorkflowDocument => shapeOf(json).problems.length === 0;
