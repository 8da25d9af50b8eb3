import { refuse, type Refusal } from "../model/command.ts";
import type { Reason, Run } from "../model/run.ts";

/** Why a run cannot go on: its version, or a step of it, can be found no more. */
export function stepGone(run: Run, step: string | null): Reason {
  return { code: "step_gone", message: `The step ${step} of the workflow version ${run.version} is gone` };
}

/** Whoever sends two requests with one key meant one of them: neither is done in the place of the other. */
export const keyReused: Refusal = refuse("invalid", "idempotency_key_reused", "The key was used for another request");
