import type { Outcome } from "@threadmill/core";
import type { Claimed } from "./claim.ts";
import type { Performed } from "./performer.ts";

/** Attempts before an effect is given up: over the back-off below, about a day. */
export const attemptsAtMost = 36;

/** After attempt 1, 2, 3 ...: 1 s, 2 s, 4 s ... an hour at most, each drawn from the upper half, so that a provider that comes back is not stormed. */
export function retryAfterMs(attempt: number, random: () => number): number {
  const full = Math.min(1000 * 2 ** Math.min(attempt - 1, 20), 3_600_000);
  return full / 2 + random() * (full / 2);
}

/** What ends the effect, or null when it is to be tried again. */
export function conclude(claimed: Pick<Claimed, "attempt">, attempt: Performed): Outcome | null {
  const last = claimed.attempt >= attemptsAtMost;
  if (attempt.status === "retry") return last ? { status: "failed", error: storable(attempt.error) } : null;
  if (attempt.status === "unknown" && attempt.policy === "retry" && !last) return null;
  if (attempt.status === "done") return { status: "done", output: attempt.output };
  return { status: attempt.status, error: storable(attempt.error) };
}

/** What others' systems say, cut to size, as text that every column takes. */
export function storable({ code, message }: { readonly code: string; readonly message: string }): {
  code: string;
  message: string;
} {
  const clean = (text: string): string => text.slice(0, 500).replaceAll("\0", "").toWellFormed();
  return { code: clean(code), message: clean(message) };
}
