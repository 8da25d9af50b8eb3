/** How often something may be done: `perSecond` lasting, and `burst` at once after a rest. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Counts callers, each against its own bucket. */
export interface RateLimit {
  /** Takes one for a caller; answers 0, or after how many seconds there is one again. */
  take(caller: string): number;
  /** As `take`, but takes nothing. */
  look(caller: string): number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Callers that are remembered at once; one that was forgotten begins with a full bucket, as one that rested does. */
const mostCallers = 10_000;

/** Buckets of tokens in this process: each fills at its rate up to its burst, and a request takes one. */
export function rateLimit({ perSecond, burst }: Rate, nowMs: () => number): RateLimit {
  const buckets = new Map<string, Bucket>();
  const filled = ({ tokens, atMs }: Bucket, now: number): number =>
    Math.min(burst, tokens + (Math.max(0, now - atMs) / 1000) * perSecond);

  const makeRoom = (now: number): void => {
    for (const [caller, bucket] of buckets) if (filled(bucket, now) >= burst) buckets.delete(caller);
    // all of them are busy: those that came first go first
    for (const caller of buckets.keys()) {
      if (buckets.size < mostCallers) break;
      buckets.delete(caller);
    }
  };

  const wait = (tokens: number): number => (tokens >= 1 ? 0 : Math.max(1, Math.ceil((1 - tokens) / perSecond)));

  return {
    look(caller) {
      const bucket = buckets.get(caller);
      return wait(bucket === undefined ? burst : filled(bucket, nowMs()));
    },
    take(caller) {
      const now = nowMs();
      let bucket = buckets.get(caller);
      if (bucket === undefined) {
        if (buckets.size >= mostCallers) makeRoom(now);
        buckets.set(caller, (bucket = { tokens: burst, atMs: now }));
      }
      bucket.tokens = filled(bucket, now);
      bucket.atMs = now;
      const seconds = wait(bucket.tokens);
      if (seconds === 0) bucket.tokens -= 1;
      return seconds;
    },
  };
}
