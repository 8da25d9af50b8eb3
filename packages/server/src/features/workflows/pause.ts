import { validateWorkflow } from "@threadmill/core";
import { loadConfig } from "../../lanes/configs.ts";
import type { Consequence } from "../../lanes/settings.ts";
import type { ChangeContext } from "../settings/resource.ts";

const brokenReference = new Set(["reference_archived", "reference_dangling"]);

interface Running {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly document: unknown;
  /** who published the version that runs: it acts with their rights, so they are who must hear of it */
  readonly owner: string;
  readonly owner_name: string | null;
}

/**
 * Pauses every enabled workflow whose published document names something that is archived or gone, and notes why. Called
 * in the transaction that archived it, after the change. What it gives is for the log, where the owners find it.
 */
export async function pauseReferring({
  tx,
  place: { lane, organization },
  at,
}: Pick<ChangeContext, "tx" | "place" | "at">): Promise<Consequence[]> {
  const { rows } = await tx.query<Running>(
    `select w.id, w.slug, w.name, v.document, v.publisher as owner, u.name as owner_name from workflows w
join workflow_versions v on v.lane = w.lane and v.organization = w.organization and v.id = w.published
left join users u on u.lane = v.lane and u.organization = v.organization and u.id = v.publisher
where w.lane = $1 and w.organization = $2 and w.enabled and w.archived_at is null order by w.position, w.id`,
    [lane, organization],
  );
  if (rows.length === 0) return [];
  const settings = (await loadConfig(tx, lane, organization, () => {}))?.settings ?? null;
  const paused: Consequence[] = [];
  for (const { id, slug, name, document, owner, owner_name } of rows) {
    const broken = validateWorkflow(document, settings).problems.find(
      (one) => brokenReference.has(one.code) && one.severity === "error",
    );
    if (broken === undefined) continue;
    const reason = `${broken.message} (${broken.path})`;
    await tx.query(
      "update workflows set enabled = false, paused_reason = $4, updated_at = $5 where lane = $1 and organization = $2 and id = $3",
      [lane, organization, id, reason, at],
    );
    const data = { workflow: { id, slug, name }, owner: { id: owner, name: owner_name }, reason };
    paused.push({ type: "workflow.paused", data });
  }
  return paused;
}
