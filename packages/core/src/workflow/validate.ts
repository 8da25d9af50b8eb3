import type { AnyCommand } from "../domain/define.ts";
import type { SettingsIndex } from "../domain/settings-index.ts";
import { checkWorkflow } from "./check.ts";
import type { WorkflowDocument } from "./document.ts";
import type { Problem } from "./problem.ts";
import { noteNames } from "./settings-names.ts";
import { shapeOf } from "./shape.ts";

export type { Problem } from "./problem.ts";

/** What a document was found to be. */
export interface Validation {
  readonly problems: readonly Problem[];
  /** the settings that it names, as `noteNames` writes them: a change of none of these changes the problems */
  readonly names: readonly string[];
}

/**
 * Everything wrong with a workflow document, errors and warnings, each with a JSON pointer. A document without errors
 * can be published. Without settings, names of mailboxes, teams ... are not looked up. `commands` are the registry's save in tests.
 */
export function validateWorkflow(
  json: unknown,
  settings: SettingsIndex | null,
  commands?: ReadonlyMap<string, AnyCommand>,
): Validation {
  if (settings === null) return { problems: checkWorkflow(json, null, commands).problems, names: [] };
  const noted = noteNames(settings);
  const { problems } = checkWorkflow(json, noted.settings, commands);
  return { problems, names: [...noted.names].sort() };
}

/** Whether nothing stands in the way of publishing. */
export const isPublishable = (problems: readonly Problem[]): boolean =>
  problems.every((one) => one.severity === "warning");

/** Whether a document has the right shape, whatever else is wrong with it: then it can be brought to canonical form and compared. */
export const isWorkflowDocument = (json: unknown): json is WorkflowDocument => shapeOf(json).problems.length === 0;
