import type { Attempt } from "../channels/provider.ts";
import type { Claimed } from "./claim.ts";

/** What an attempt came to, and for an unknown outcome whether it is to be tried again or held for a person. */
export type Performed = Attempt & { readonly policy?: "retry" | "hold" };

/**
 * Performs one effect. What the outside world does is an attempt's answer; a throw is a fault of ours, tried again. The
 * signal asks long work to end soon, since the process is going; what is nearly done is better finished.
 */
export type Performer = (claimed: Claimed, signal: AbortSignal) => Promise<Performed>;

/** Effects that go out with one call. */
export interface Call {
  readonly effects: readonly Claimed[];
  /** Makes the call: what became of each, in their order. A fault of ours is a rejection of those that it met. */
  make(): Promise<readonly PromiseSettledResult<Performed>[]>;
}

/** Performs effects of one kind, several with one call where that is possible. Short work alone: it is not asked to end. */
export interface SetPerformer {
  /** Divides effects into calls. Throws when that cannot be done now: nothing went out then. */
  callsFor(claimed: readonly Claimed[]): Promise<readonly Call[]>;
}

/** A performer of single effects, as one of sets. */
export function oneByOne(perform: Performer, signal: AbortSignal): SetPerformer {
  return {
    callsFor: async (claimed) =>
      claimed.map((each) => ({ effects: [each], make: () => Promise.allSettled([perform(each, signal)]) })),
  };
}
