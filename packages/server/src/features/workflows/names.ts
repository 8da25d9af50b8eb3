import { type SettingsIndex, validateWorkflow, type WorkflowDocument } from "@threadmill/core";
import type { PoolClient } from "pg";
import type { Place } from "../../lanes/port.ts";
import { clocksOf } from "./clocks.ts";

/** A published version and what it names. */
interface Named {
  readonly id: string;
  readonly version: string;
  readonly document: WorkflowDocument;
}

/** A workflow that runs, with the document of its published version. */
export interface Naming extends Named {
  readonly slug: string;
  readonly name: string;
  /** who published the version that runs: it acts with their rights, so they are who must hear of it */
  readonly owner: string;
}

/** Stands among the names of a version that has a time trigger. */
export const clockName = "clock";

/** Lists what a published version names, in place of what its workflow named before. */
export async function listNames(
  tx: PoolClient,
  { lane, organization }: Place,
  { id, version, document }: Named,
  names: readonly string[],
): Promise<void> {
  const all = clocksOf(document).length > 0 ? [...names, clockName] : names;
  await tx.query("delete from workflow_names where lane = $1 and organization = $2 and workflow = $3", [
    lane,
    organization,
    id,
  ]);
  await tx.query(
    "insert into workflow_names (lane, organization, name, workflow) select $1, $2, name, $3 from unnest($4::text[]) name",
    [lane, organization, id, all],
  );
  await tx.query("update workflows set named = $4 where lane = $1 and organization = $2 and id = $3", [
    lane,
    organization,
    id,
    version,
  ]);
}

/** The workflows that run and name any of these, in their order. */
export async function namingWorkflows(
  tx: PoolClient,
  place: Place,
  settings: SettingsIndex,
  names: readonly string[],
): Promise<Naming[]> {
  const { lane, organization } = place;
  await listUnnamed(tx, place, settings);
  const { rows } = await tx.query<Naming>(
    `select w.id, w.slug, w.name, v.id as version, v.document, v.publisher as owner
from (select distinct workflow from workflow_names where lane = $1 and organization = $2 and name = any($3)) n
join workflows w on w.lane = $1 and w.organization = $2 and w.id = n.workflow
join workflow_versions v on v.lane = $1 and v.organization = $2 and v.id = w.published
where w.enabled and w.archived_at is null
order by w.position, w.id`,
    [lane, organization, names],
  );
  return rows;
}

/** Versions that were published before names were listed. */
async function listUnnamed(tx: PoolClient, place: Place, settings: SettingsIndex): Promise<void> {
  const { rows } = await tx.query<Named>(
    `select w.id, v.id as version, v.document from workflows w
join workflow_versions v on v.lane = w.lane and v.organization = w.organization and v.id = w.published
where w.lane = $1 and w.organization = $2 and w.named is distinct from w.published`,
    [place.lane, place.organization],
  );
  for (const row of rows) await listNames(tx, place, row, validateWorkflow(row.document, settings).names);
}
