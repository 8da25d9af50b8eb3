import type { Attempt } from "../channels/provider.ts";

/** The longest message of a provider's that is kept, in characters. */
const longestMessage = 400;

/** An attempt as it may be stored and shown: what a provider says may hold what it was sent. */
export function redactedAttempt(attempt: Attempt, redact: (text: string) => string): Attempt {
  if (attempt.status === "done") {
    const output = Object.entries(attempt.output).map(([name, value]) => [
      name,
      typeof value === "string" ? redact(value) : value,
    ]);
    return { ...attempt, output: Object.fromEntries(output) as typeof attempt.output };
  }
  // redacted before it is cut: half a secret would not be found
  const message = redact(attempt.error.message)
    .replaceAll(/\p{Cc}+/gu, " ")
    .slice(0, longestMessage);
  return { ...attempt, error: { code: redact(attempt.error.code), message } };
}

/** A fault of a provider's code, fit for the log. */
export function redactedFault(error: unknown, redact: (text: string) => string): Error {
  const fault = new Error(redact(error instanceof Error ? error.message : String(error)));
  if (error instanceof Error && error.stack !== undefined) fault.stack = redact(error.stack);
  return fault;
}
