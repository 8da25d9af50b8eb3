import { accept, defineCommand } from "../define.ts";
import { aboutParked, resolved, withParked } from "./with-parked.ts";

/** Nobody need look at it any more: it was seen to in another way, or is not worth it. */
export const resolveParked = defineCommand({
  ...aboutParked,
  type: "parked.resolve",
  summary: "Marks an item that no batch could carry as seen to, without doing it",
  decide: (input, draft) =>
    withParked(input, draft, (row) => {
      if (row.resolved_at !== null) return accept({ parked: row.id, changed: false });
      draft.putParked(resolved(row, "resolved", draft));
      return accept({ parked: row.id, changed: true });
    }),
});
