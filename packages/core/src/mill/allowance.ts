import type { Reason } from "../model/run.ts";
import type { Batch, Root } from "./batch.ts";

/** Distinct keys that one root may read (MILL law 4); a root that wants more is bulk work in disguise. */
const readCap = 2000;

/** Why a root may take no more steps, or null. */
export function exhausted(batch: Batch, root: Root): Reason | null {
  if (batch.ledger.reads().size <= readCap) return spent(batch, root);
  return {
    code: "read_cap",
    message: `One message or command made workflows read more than ${readCap} different things`,
  };
}

/** Why a root may start no more runs, or null: they share its allowance, and each is to have a step of it. */
export function crowded(batch: Batch, root: Root): Reason | null {
  const { allowance } = batch;
  const most = Math.max(1, Math.floor((allowance - 1) / 2));
  if (root.started < most) return spent(batch, root);
  return { code: "starts", message: `One message or command may start ${most} runs, and these are started` };
}

function spent(batch: Batch, root: Root): Reason | null {
  const { allowance } = batch;
  if (root.spent < allowance) return null;
  return {
    code: "allowance",
    message: `One message or command may set off ${allowance} operations, and these are spent`,
  };
}
