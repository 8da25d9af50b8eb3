import type { Instant } from "../model/common.ts";
import type { Reason, Run, StepResult } from "../model/run.ts";

/** A run whose last step result, that of a wait, is completed. */
export function withResult(run: Run, result: Partial<StepResult>, at: Instant): Run {
  const last = run.steps.at(-1) as StepResult;
  return { ...run, steps: [...run.steps.slice(0, -1), { ...last, ...result, finished_at: at }] };
}

/** A run that is ended from outside: the step at which it stood waits no more, for the same reason. */
export function cutShort(run: Run, reason: Reason, at: Instant): Run {
  return run.steps.at(-1)?.status === "waiting" ? withResult(run, { status: "interrupted", reason }, at) : run;
}
