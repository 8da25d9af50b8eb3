import { Type } from "typebox";
import { refuse } from "../../model/command.ts";
import { IdSchema } from "../../model/common.ts";
import { customerErased } from "../customer/with-customer.ts";
import { accept, defineCommand } from "../define.ts";
import { key } from "../keys.ts";
import { parkedNotFound, resolved } from "./with-parked.ts";

/**
 * Has an item done after all, in the same decision that marks it as retried: both happen or neither, so it is done once
 * however often it is asked for. What refuses it then is the answer, and it goes on waiting. The mill does it: see
 * `mill/again.ts`.
 */
export const retryParked = defineCommand({
  type: "parked.retry",
  summary: "Does an item after all that no batch could carry",
  permission: "operations.write",
  target: null,
  action: false,
  events: [],
  input: Type.Object({ parked: IdSchema }, { additionalProperties: false }),
  needs: (input) => [key.parked(input.parked)],
  decide(input, draft) {
    const row = draft.parked(input.parked);
    if (row === null) return parkedNotFound();
    const { item } = row;
    if (item.kind === undefined && item.erased === true) return customerErased("/parked");
    if (row.resolved_at !== null) return refuse("conflict", "parked_resolved", "It was seen to already", "/parked");
    if (item.kind !== "command" && item.kind !== "settled" && item.kind !== "wake")
      return refuse("conflict", "parked_over", "The runs that it would have gone on with have failed", "/parked");
    draft.putParked(resolved(row, "retried", draft));
    draft.doAgain(item);
    return accept({ parked: row.id, changed: true });
  },
});
