import { Type } from "typebox";
import { refuse } from "../../model/command.ts";
import { IdSchema } from "../../model/common.ts";
import { transition } from "../../run/machine.ts";
import { accept, defineCommand } from "../define.ts";
import { key } from "../keys.ts";

/** Ends a run that waits. A run that is over answers `changed: false`. */
export const cancelRun = defineCommand({
  type: "run.cancel",
  summary: "Cancels a waiting run",
  permission: "runs.cancel",
  target: null,
  action: false,
  events: [],
  input: Type.Object(
    { run: IdSchema, reason: Type.Optional(Type.String({ maxLength: 500 })) },
    { additionalProperties: false },
  ),
  needs: (input) => [key.run(input.run)],
  decide(input, draft) {
    const run = draft.run(input.run);
    if (run === null) return refuse("not_found", "run_not_found", "There is no such live run", "/run");
    const status = transition(run.status, "cancel");
    if (status === null) return accept({ run: run.id, changed: false });
    draft.endRun({
      ...run,
      status,
      cursor: null,
      waiting: null,
      reason: { code: "cancelled", message: input.reason ?? "Cancelled by a person" },
      finished_at: draft.at,
    });
    return accept({ run: run.id, changed: true });
  },
});
