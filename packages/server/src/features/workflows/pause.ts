import { type SettingsIndex, validateWorkflow } from "@threadmill/core";
import type { Consequence } from "../../lanes/settings.ts";
import type { ChangeContext } from "../settings/resource.ts";
import type { Naming } from "./names.ts";

const brokenReference = new Set(["reference_archived", "reference_dangling"]);

/** What became of workflows whose settings changed. */
export interface Paused {
  /** for the log, where the owners of those that were paused find it */
  readonly consequences: readonly Consequence[];
  /** those that still run */
  readonly standing: readonly Naming[];
}

/**
 * Pauses those of some workflows whose published document names something that is archived or gone, and notes why. Called
 * in the transaction that changed the settings, with the settings after the change.
 */
export async function pauseReferring(
  { tx, place: { lane, organization }, at }: Pick<ChangeContext, "tx" | "place" | "at">,
  settings: SettingsIndex,
  naming: readonly Naming[],
): Promise<Paused> {
  const standing: Naming[] = [];
  const consequences: Consequence[] = [];
  for (const workflow of naming) {
    const { id, slug, name, owner } = workflow;
    const broken = validateWorkflow(workflow.document, settings).problems.find(
      (one) => brokenReference.has(one.code) && one.severity === "error",
    );
    if (broken === undefined) {
      standing.push(workflow);
      continue;
    }
    const reason = `${broken.message} (${broken.path})`;
    await tx.query(
      "update workflows set enabled = false, paused_reason = $4, updated_at = $5 where lane = $1 and organization = $2 and id = $3",
      [lane, organization, id, reason, at],
    );
    const data = {
      workflow: { id, slug, name },
      owner: { id: owner, name: settings.user(owner)?.name ?? null },
      reason,
    };
    consequences.push({ type: "workflow.paused", data });
  }
  return { consequences, standing };
}
