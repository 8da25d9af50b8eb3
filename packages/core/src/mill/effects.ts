import type { Command } from "../model/command.ts";
import type { Effect, Outcome } from "../model/effect.ts";
import { cut } from "../text/characters.ts";

const longestProviderId = 200;

/** What the world learns from an effect's outcome, as a command; a new kind of effect is a line in the table below. */
interface EffectKind {
  settled(effect: Effect, outcome: Outcome): Pick<Command, "type" | "input"> | null;
}

const nothing = (): null => null;

/** Every kind of effect there is; the workers in the server are registered under the same names. */
export const effectKinds: Readonly<Record<string, EffectKind>> = {
  "message.deliver": { settled: recordDelivery },
  /** the rest of `customer.erase`: what was said and logged before */
  "customer.blank": { settled: nothing },
  /** the subjects that there are look at the clock of a time trigger that was published */
  "workflow.watch": { settled: nothing },
};

function recordDelivery(effect: Effect, outcome: Outcome): Pick<Command, "type" | "input"> {
  const message = effect.payload["message"] as string;
  if (outcome.status === "done") {
    const { provider_id } = outcome.output;
    // an id that is none is left out: were the outcome refused for it, the effect would be performed again
    const fits = typeof provider_id === "string" && provider_id.length > 0 && provider_id.length <= longestProviderId;
    const known: Command["input"] = fits ? { provider_id } : {};
    return { type: "message.record_delivery", input: { message, delivery: "sent", ...known } };
  }
  // an unknown outcome that reaches here was not to be retried: a person decides
  const delivery = outcome.status === "failed" ? "failed" : "held";
  return { type: "message.record_delivery", input: { message, delivery, error: cut(outcome.error.message, 500) } };
}
