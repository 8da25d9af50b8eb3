import type { SettingsIndex } from "../domain/settings-index.ts";
import { checkWorkflow } from "./check.ts";
import type { Problem } from "./problem.ts";

export type { Problem } from "./problem.ts";

/**
 * Everything wrong with a workflow document, errors and warnings, each with a JSON pointer. A document without errors
 * can be published. Without settings, names of mailboxes, teams ... are not looked up.
 */
export function validateWorkflow(json: unknown, settings: SettingsIndex | null): { readonly problems: readonly Problem[] } {
  return { problems: checkWorkflow(json, settings).problems };
}

/** Whether nothing stands in the way of publishing. */
export const isPublishable = (problems: readonly Problem[]): boolean => problems.every((one) => one.severity === "warning");
