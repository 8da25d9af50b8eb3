import { canonicalWorkflow, isPublishable, refuse, type WorkflowDocument, workflowHash } from "@threadmill/core";
import type { PoolClient } from "pg";
import type { AppPorts } from "../../http/ports.ts";
import type { Call, Refused } from "../../http/route.ts";
import type { Place } from "../../lanes/port.ts";
import { freshId } from "../../lanes/fresh-id.ts";
import type { VersionRow, WorkflowRow } from "../tables.ts";
import { countFrom, takeOver, watchClocks } from "./clocks.ts";
import { type EarlyValidation, validationIn } from "./early.ts";
import { listNames } from "./names.ts";
import { documentRefused } from "./show.ts";
import { insertVersion, readVersion, updateWorkflow, waitingRuns } from "./store.ts";

/** What publishing made of a workflow. */
export interface Published {
  readonly row: WorkflowRow;
  readonly version: VersionRow;
  /** false when the draft does what the published version does already */
  readonly created: boolean;
}

/** Who publishes, where and when; `overdue` says whether time triggers also fire for what was due before. */
export interface Publisher {
  readonly place: Place;
  readonly publisher: string;
  readonly at: string;
  readonly overdue?: "skip" | "include";
}

/** Makes the draft the version that runs, within the transaction of a settings change; `early` is what it was found to be before. */
export async function publishDraft(
  tx: PoolClient,
  { place, publisher, at, overdue = "skip" }: Publisher,
  row: WorkflowRow,
  early: EarlyValidation | null,
): Promise<Published | Refused> {
  if (row.archived_at !== null) return refuse("conflict", "workflow_archived", "The workflow is archived");
  const { problems, names } = await validationIn(tx, place, row.draft, early);
  if (!isPublishable(problems)) return documentRefused(problems);
  const document = canonicalWorkflow(row.draft as WorkflowDocument);
  const hash = workflowHash(document);
  const current = row.published === null ? null : await readVersion(tx, place, row.published);
  const created = current === null || current.hash !== hash;
  const version = created
    ? await insertVersion(tx, {
        ...place,
        id: freshId(Date.parse(at)),
        workflow: row.id,
        document,
        hash,
        publisher,
        published_at: at,
        // one that was off takes nothing over: what fell due meanwhile is skipped
        trigger_due_from: row.enabled ? takeOver(current, document) : {},
      })
    : current;
  const order = document.order === undefined ? {} : { position: document.order };
  const changed = await updateWorkflow(
    tx,
    place,
    row.id,
    { enabled: true, paused_reason: null, published: version.id, ...order },
    at,
  );
  await listNames(tx, place, { id: row.id, version: version.id, document }, names);
  if (!created && !row.enabled) await countFrom(tx, place, version, at);
  if (created || !row.enabled || overdue === "include") await watchClocks(tx, place, version, { at, overdue });
  return { row: changed, version, created };
}

const atOnce = 200;

/** Cancels the runs that wait in other versions, by commands like anybody's. Tells how many of them. */
export async function cancelWaiting(
  { engine, pool }: Pick<AppPorts, "engine" | "pool">,
  { place, actor }: Call,
  workflow: string,
  version: string,
): Promise<number> {
  let cancelled = 0;
  for (let after: string | null = null; ;) {
    const ids: string[] = await waitingRuns(pool, place, { workflow, version, after, most: atOnce });
    const answers = await Promise.all(
      ids.map((run) =>
        engine.submit({ place, actor, type: "run.cancel", input: { run, reason: "Another version was published" } }),
      ),
    );
    cancelled += answers.filter(({ answer }) => answer.ok).length;
    after = ids.at(-1) ?? null;
    if (ids.length < atOnce) return cancelled;
  }
}
