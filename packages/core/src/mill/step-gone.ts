import type { Reason, Run } from "../model/run.ts";

/** Why a run cannot go on: its version, or a step of it, can be found no more. */
export function stepGone(run: Run, step: string | null): Reason {
  return { code: "step_gone", message: `The step ${step} of the workflow version ${run.version} is gone` };
}
