import { takenOver, type WorkflowDocument } from "@threadmill/core";
import type { PoolClient } from "pg";
import { askToWatch } from "../../effects/watch.ts";
import { freshId } from "../../lanes/fresh-id.ts";
import type { Place } from "../../lanes/port.ts";
import type { VersionRow } from "../tables.ts";

/** The instant that a time trigger counts from: a column of its subject's table. */
interface Clock {
  readonly table: "conversations" | "customers";
  readonly field: string;
}

/** The clocks of a document's time triggers. The document has been validated, so the fields exist. */
export function clocksOf(document: WorkflowDocument): Clock[] {
  return (document.triggers ?? []).flatMap((trigger) => {
    if (!("time" in trigger)) return [];
    const [subject, field] = trigger.time.since.split(".") as ["conversation" | "customer", string];
    return [{ table: `${subject}s` as const, field }];
  });
}

/** Makes all time triggers of a version fire for what falls due from an instant on, whatever was said before. */
export async function countFrom(
  tx: PoolClient,
  { lane, organization }: Place,
  { id }: { readonly id: string },
  from: string,
): Promise<void> {
  await tx.query(
    "update workflow_versions set due_from = $4, trigger_due_from = '{}' where lane = $1 and organization = $2 and id = $3",
    [lane, organization, id, from],
  );
}

/**
 * After a version with time triggers was published or enabled: asks that the subjects there are look at their clocks, in
 * the same transaction. `include` also fires for what was overdue before.
 */
export async function watchClocks(
  tx: PoolClient,
  place: Place,
  version: { readonly id: string; readonly document: unknown },
  { at, overdue }: { readonly at: string; readonly overdue: "skip" | "include" },
): Promise<void> {
  const clocks = clocksOf(version.document as WorkflowDocument);
  if (clocks.length > 0 && overdue === "include") await countFrom(tx, place, version, "epoch");
  for (const clock of clocks)
    await askToWatch(tx, place, { id: freshId(Date.parse(at)), version: version.id, at, ...clock });
}

/**
 * After a change of the settings by which clocks count: asks that the subjects of these versions look again. A slice of
 * subjects is looked at for a clock once, whatever the number of versions, and not at all anew where that still waits.
 */
export async function watchAgain(
  tx: PoolClient,
  place: Place,
  workflows: readonly { readonly document: WorkflowDocument }[],
  at: string,
): Promise<void> {
  const clocks = new Map(
    workflows.flatMap(({ document }) => clocksOf(document)).map((clock) => [clock.field + clock.table, clock]),
  );
  for (const clock of clocks.values()) {
    const { rows } = await tx.query(
      `select 1 from effects where lane = $1 and organization = $2 and order_key = 'watch/settings' and status = 'due'
and payload->>'table' = $3 and payload->>'field' = $4 and not payload ? 'after'`,
      [place.lane, place.organization, clock.table, clock.field],
    );
    if (rows.length > 0) continue;
    await askToWatch(tx, place, { id: freshId(Date.parse(at)), version: "settings", at, ...clock });
  }
}

/**
 * From when on the time triggers of a new version fire that take over from the version before, by their place: a
 * publication that changes nothing about a trigger does not drop what is due and not yet true.
 */
export function takeOver(before: VersionRow | null, now: WorkflowDocument): Record<string, string> {
  if (before === null) return {};
  const kept = takenOver(before.document as WorkflowDocument, now);
  return Object.fromEntries(
    kept.map(({ index, before: place }) => [index, before.trigger_due_from[place] ?? before.due_from]),
  );
}

/** How many subjects have such a clock at all: what publishing may have to look at. */
export async function countClocks(
  tx: PoolClient,
  { lane, organization }: Place,
  document: WorkflowDocument,
): Promise<number> {
  let count = 0;
  for (const { table, field } of clocksOf(document)) {
    const { rows } = await tx.query<{ count: number }>(
      `select count(*) as count from ${table} where lane = $1 and organization = $2 and "${field}" is not null`,
      [lane, organization],
    );
    count += rows[0]?.count ?? 0;
  }
  return count;
}
