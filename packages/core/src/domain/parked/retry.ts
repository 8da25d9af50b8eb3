import { refuse } from "../../model/command.ts";
import { customerErased } from "../customer/with-customer.ts";
import { accept, defineCommand } from "../define.ts";
import { aboutParked, resolved, withParked } from "./with-parked.ts";

/**
 * Has an item done after all, in the same decision that marks it as retried: both happen or neither, so it is done once
 * however often it is asked for. What refuses it then is the answer, and it goes on waiting. The mill does it: see
 * `mill/again.ts`.
 */
export const retryParked = defineCommand({
  ...aboutParked,
  type: "parked.retry",
  summary: "Does an item after all that no batch could carry",
  decide: (input, draft) =>
    withParked(input, draft, (row) => {
      const { item } = row;
      if (item.kind === undefined && item.erased === true) return customerErased("/parked");
      if (row.resolved_at !== null) return refuse("conflict", "parked_resolved", "It was seen to already", "/parked");
      if (item.kind !== "command" && item.kind !== "settled" && item.kind !== "wake")
        return refuse("conflict", "parked_over", "The runs that it would have gone on with have failed", "/parked");
      draft.putParked(resolved(row, "retried", draft));
      draft.doAgain(item);
      return accept({ parked: row.id, changed: true });
    }),
});
