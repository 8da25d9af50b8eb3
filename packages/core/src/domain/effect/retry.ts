import { Type } from "typebox";
import { refuse } from "../../model/command.ts";
import { IdSchema } from "../../model/common.ts";
import { customerErased } from "../customer/with-customer.ts";
import { accept, defineCommand } from "../define.ts";
import { key } from "../keys.ts";

/** A person has a dead effect tried again. Its key stays, so that a provider that knows it does nothing twice. */
export const retryEffect = defineCommand({
  type: "effect.retry",
  summary: "Tries an effect again that was given up",
  permission: "runs.cancel",
  target: null,
  action: false,
  events: [],
  input: Type.Object({ effect: IdSchema }, { additionalProperties: false }),
  needs: (input) => [key.effect(input.effect)],
  decide(input, draft) {
    const effect = draft.effectRow(input.effect);
    const about = effect?.refs.conversation;
    if (effect === null || (about !== undefined && !draft.reachesConversation(about)))
      return refuse("not_found", "effect_not_found", "There is no such effect; what is done is not kept", "/effect");
    if ((effect.last_error as { readonly code?: string } | null)?.code === "customer_erased")
      return customerErased("/effect");
    if (effect.status !== "dead") return accept({ effect: effect.id, changed: false });
    draft.putEffect({ ...effect, status: "due", due_at: draft.at, attempt: effect.attempt + 1, lease_until: null });
    return accept({ effect: effect.id, changed: true });
  },
});
