import { namesOfRow } from "@threadmill/core";
import type { PoolClient } from "pg";
import type { Place } from "../../lanes/port.ts";
import type { Consequence } from "../../lanes/settings.ts";
import type { ChangeContext } from "../settings/resource.ts";
import { watchAgain } from "./clocks.ts";
import { clockName, namingWorkflows } from "./names.ts";
import { pauseReferring } from "./pause.ts";
import { settingsIn } from "./settings-in.ts";

type Row = Readonly<Record<string, unknown>>;

/** A change of one settings row; `before` is null where it was made. */
export interface RowChange extends Pick<ChangeContext, "tx" | "place" | "at"> {
  readonly noun: string;
  readonly before: Row | null;
  readonly after: Row;
}

/**
 * What a change of the settings means for the workflows that name the changed thing, in the transaction of the change:
 * those that name what is archived or gone are paused and say why; where the time triggers of others may fall due earlier,
 * or become true, their subjects are asked to look at their clocks again, because `wake_at` must stay a lower bound (MILL
 * law 14). What it gives is for the log.
 */
export async function workflowsFollow({
  tx,
  place,
  at,
  noun,
  before,
  after,
}: RowChange): Promise<readonly Consequence[]> {
  const renamed = before === null || ["slug", "email"].some((field) => before[field] !== after[field]);
  const archived = before !== null && before["archived_at"] !== after["archived_at"];
  // what a row holds besides its name is looked up when it is needed; only a calendar's hours move instants already told
  if (!renamed && !archived && noun !== "calendar") return [];
  const settings = await settingsIn(tx, place);
  if (settings === null) return [];
  const names = [...new Set([before, after].flatMap((row) => (row === null ? [] : namesOfRow(noun, row))))];
  const naming = await namingWorkflows(tx, place, settings, names);
  // other hours break no document
  const { consequences, standing } =
    renamed || archived
      ? await pauseReferring({ tx, place, at }, settings, naming)
      : { consequences: [], standing: naming };
  await watchAgain(tx, place, standing, at);
  return consequences;
}

/** The same for a change of the organization's zone: it moves the days that conditions of time triggers count in. */
export async function workflowsFollowZone(tx: PoolClient, place: Place, at: string): Promise<void> {
  const settings = await settingsIn(tx, place);
  if (settings !== null) await watchAgain(tx, place, await namingWorkflows(tx, place, settings, [clockName]), at);
}
