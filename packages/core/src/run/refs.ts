import type { Refs } from "../model/event.ts";
import type { Run } from "../model/run.ts";

/** What a run is about, as its events say it. */
export const refsOfRun = (
  run: Pick<Run, "customer" | "conversation" | "message" | "subject_kind" | "subject">,
): Refs => ({
  ...(run.customer !== null && { customer: run.customer }),
  ...(run.conversation !== null && { conversation: run.conversation }),
  ...(run.message !== null && { message: run.message }),
  ...(run.subject_kind === "user" && { user: run.subject }),
});
