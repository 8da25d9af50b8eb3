import { key } from "../domain/keys.ts";
import type { Id } from "../model/common.ts";
import type { Effect } from "../model/effect.ts";
import type { Reason, Waiting } from "../model/run.ts";
import type { Batch, Root } from "./batch.ts";
import { endRun, failWaiting, readRun } from "./runs.ts";
import type { Item } from "./types.ts";
import { silence } from "./watch.ts";
import { tellWithheld } from "./withheld.ts";

const internal: Reason = { code: "internal", message: "A fault inside Threadmill; it was reported" };

/**
 * A bug in the core: the item changed nothing, but it is over, or it would come back for ever. The runs of a left-over,
 * timer or effect fail visibly, the effect is dead, a subject's clock is stopped; a command is the shell's to keep (MILL
 * law 11). A need passes through.
 */
export function poison(batch: Batch, root: Root, item: Item | null, error: unknown): void {
  if (item === null) for (const id of root.queue) failQueued(batch, root, id);
  else if (item.kind === "timer") failWhere(batch, root, item.run, (waiting) => waiting.wait === item.wait);
  else if (item.kind === "settled") failEffect(batch, root, item.effect);
  else if (item.kind === "wake") silence(batch, item.subject);
  root.queue.clear();
  // what a left-over had held back before is over with it
  tellWithheld(batch, root);
  batch.poisoned.push({ item, error: (error as Error | null)?.stack ?? String(error) });
}

function failQueued(batch: Batch, root: Root, id: Id): void {
  const run = readRun(batch, id);
  if (run?.status === "queued") endRun(batch, run, "fault", internal, root.at);
}

/** Fails a run that still waits for this. */
function failWhere(batch: Batch, root: Root, id: Id, waits: (waiting: Waiting) => boolean): void {
  const run = readRun(batch, id);
  if (run !== null && run.waiting !== null && waits(run.waiting)) failWaiting(batch, run, internal, root.at);
}

function failEffect(batch: Batch, root: Root, id: Id): void {
  const effect = batch.ledger.get<Effect>(key.effect(id));
  if (effect === null) return;
  batch.ledger.set(key.effect(id), { ...effect, status: "dead", lease_until: null, last_error: internal });
  if (effect.run !== null) failWhere(batch, root, effect.run, (waiting) => waiting.effect === id);
}
