import { Type } from "typebox";
import { IdSchema } from "../../model/common.ts";
import { accept, defineCommand } from "../define.ts";
import { key } from "../keys.ts";
import { parkedNotFound, resolved } from "./with-parked.ts";

/** Nobody need look at it any more: it was seen to in another way, or is not worth it. */
export const resolveParked = defineCommand({
  type: "parked.resolve",
  summary: "Marks an item that no batch could carry as seen to, without doing it",
  permission: "operations.write",
  target: null,
  action: false,
  events: [],
  input: Type.Object({ parked: IdSchema }, { additionalProperties: false }),
  needs: (input) => [key.parked(input.parked)],
  decide(input, draft) {
    const row = draft.parked(input.parked);
    if (row === null) return parkedNotFound();
    if (row.resolved_at !== null) return accept({ parked: row.id, changed: false });
    draft.putParked(resolved(row, "resolved", draft));
    return accept({ parked: row.id, changed: true });
  },
});
