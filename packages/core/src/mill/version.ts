import { key } from "../domain/keys.ts";
import { Missing } from "../domain/ledger.ts";
import type { Id } from "../model/common.ts";
import type { Run } from "../model/run.ts";
import type { Step, VersionBody } from "../workflow/compiled.ts";
import type { Batch } from "./batch.ts";

/** A run's version; older ones are loaded on need. Null when it is gone, which its runs must say (MILL law 8). */
export function versionOf(batch: Batch, id: Id): VersionBody | null {
  const version = batch.config.workflows.version(id);
  if (version !== null) return version;
  // the shell puts a loaded version into the configuration; one that it could not find is known to be absent
  if (batch.ledger.peek(key.version(id)) === null) return null;
  throw new Missing([key.version(id)]);
}

/** A step of a run's version; null when it is gone. */
export function stepOf(batch: Batch, run: Run, step: string): Step | null {
  return versionOf(batch, run.version)?.steps.get(step) ?? null;
}
