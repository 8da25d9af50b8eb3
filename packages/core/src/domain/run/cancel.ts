import { Type } from "typebox";
import { refuse } from "../../model/command.ts";
import { IdSchema } from "../../model/common.ts";
import { transition } from "../../run/machine.ts";
import { refsOfRun } from "../../run/refs.ts";
import { cutShort } from "../../run/result.ts";
import { accept, defineCommand } from "../define.ts";
import { key } from "../keys.ts";

/**
 * Ends a live run. One that is over is refused like one that never was: it has left the live table, and the answer must
 * not depend on whether it did so in this batch or an earlier one (MILL law 1).
 */
export const cancelRun = defineCommand({
  type: "run.cancel",
  summary: "Cancels a waiting run",
  permission: "runs.cancel",
  target: null,
  action: false,
  events: ["run.cancelled"],
  input: Type.Object(
    { run: IdSchema, reason: Type.Optional(Type.String({ maxLength: 500 })) },
    { additionalProperties: false },
  ),
  needs: (input) => [key.run(input.run)],
  decide(input, draft) {
    const run = draft.run(input.run);
    const status = run === null ? null : transition(run.status, "cancel");
    const reached = run?.conversation ? draft.reachesConversation(run.conversation) : true;
    if (run === null || status === null || !reached)
      return refuse("not_found", "run_not_found", "There is no such live run", "/run");
    const reason = { code: "cancelled", message: input.reason ?? "Cancelled by a person" };
    const ended = cutShort(run, reason, draft.at);
    const ended_by = draft.actor;
    draft.endRun(run, {
      ...ended,
      status,
      cursor: null,
      waiting: null,
      hears: null,
      reason,
      ended_by,
      finished_at: draft.at,
    });
    const told = { run: run.id, workflow: run.workflow, ...(input.reason !== undefined && { reason: input.reason }) };
    draft.emit("run.cancelled", refsOfRun(run), [], told);
    return accept({ run: run.id, changed: true });
  },
});
