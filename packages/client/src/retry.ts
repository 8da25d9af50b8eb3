/** When a request is sent again: a method, how the attempt ended, and how often it was tried. */
export interface Attempt {
  readonly method: string;
  /** the status of the answer; null when none came */
  readonly status: number | null;
  /** the code of the problem, if it was one */
  readonly code: string | null;
}

/** Codes that say that nothing was done. */
const undone: ReadonlySet<string> = new Set(["unavailable", "shutting_down", "overloaded"]);

/**
 * Whether the same request may be sent again. A POST carries an `Idempotency-Key`, so that it is done once however often
 * it is sent; PATCH has none, and is repeated only where the server says that nothing was done.
 */
export function maySendAgain({ method, status, code }: Attempt): boolean {
  if (status !== null && status !== 503) return false;
  return method !== "PATCH" || (code !== null && undone.has(code));
}

const baseMs = 100;
const mostMs = 10_000;

/** How long to wait before attempt `next` (2, 3 ...): what the server asks for, or twice as long each time, scattered. */
export function waitMs(next: number, retryAfter: string | null, random: number): number {
  const asked = retryAfter === null ? Number.NaN : Number(retryAfter) * 1000;
  if (Number.isFinite(asked) && asked >= 0) return Math.min(asked, mostMs);
  return Math.min(mostMs, baseMs * 2 ** (next - 2)) * (0.5 + random / 2);
}
