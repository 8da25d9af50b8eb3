import { validateWorkflow } from "@threadmill/core";
import type { PoolClient } from "pg";
import { loadConfig } from "../../lanes/configs.ts";
import type { Place } from "../../lanes/port.ts";

const brokenReference = new Set(["reference_archived", "reference_dangling"]);

/**
 * Pauses every enabled workflow whose published document names something that is archived or gone, and notes why. Called
 * in the transaction that archived it, after the change.
 */
export async function pauseReferring(tx: PoolClient, { lane, organization }: Place): Promise<void> {
  const { rows } = await tx.query<{ id: string; document: unknown }>(
    `select w.id, v.document from workflows w
join workflow_versions v on v.lane = w.lane and v.organization = w.organization and v.id = w.published
where w.lane = $1 and w.organization = $2 and w.enabled and w.archived_at is null`,
    [lane, organization],
  );
  if (rows.length === 0) return;
  const settings = (await loadConfig(tx, lane, organization, () => {}))?.settings ?? null;
  for (const { id, document } of rows) {
    const broken = validateWorkflow(document, settings).problems.find(
      (one) => brokenReference.has(one.code) && one.severity === "error",
    );
    if (broken === undefined) continue;
    await tx.query(
      "update workflows set enabled = false, paused_reason = $4, updated_at = now() where lane = $1 and organization = $2 and id = $3",
      [lane, organization, id, `${broken.message} (${broken.path})`],
    );
  }
}
