/** Remembers answers for a little while; `forget` makes that one be asked anew at once. */
export interface TtlCache<T> {
  /** What is known, unless it is older than `mostMs`. */
  get(key: string, mostMs?: number): Promise<T>;
  forget(key: string): void;
  /** Forgets everything. */
  clear(): void;
}

/** How long and how much is remembered. */
export interface TtlCacheOptions<T> {
  readonly load: (key: string) => Promise<T>;
  readonly ttlMs: number;
  readonly most: number;
  /** milliseconds since any fixed instant */
  readonly nowMs: () => number;
}

/**
 * Keeps what `load` gave for `ttlMs`. Those who ask while it loads share the one load; what fails is not kept. A load that
 * was under way when `forget` came is not kept either, for it may have read what was there before. Beyond `most` answers,
 * the one that nobody has asked for longest goes.
 */
export function ttlCache<T>({ load, ttlMs, most, nowMs }: TtlCacheOptions<T>): TtlCache<T> {
  const known = new Map<string, { readonly since: number; readonly value: Promise<T> }>();
  return {
    get(key, mostMs = ttlMs) {
      const found = known.get(key);
      // whatever was asked for last stands last, so that a flood of made-up keys drives out what nobody asks for any more
      known.delete(key);
      if (found !== undefined && nowMs() < found.since + mostMs) {
        known.set(key, found);
        return found.value;
      }
      const value = load(key);
      const entry = { since: nowMs(), value };
      const [longestUnasked] = known.keys();
      if (known.size >= most && longestUnasked !== undefined) known.delete(longestUnasked);
      known.set(key, entry);
      value.catch(() => {
        if (known.get(key) === entry) known.delete(key);
      });
      return value;
    },
    forget: (key) => void known.delete(key),
    clear: () => known.clear(),
  };
}
