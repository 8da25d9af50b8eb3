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
 * was under way when `forget` came is not kept either, for it may have read what was there before.
 */
export function ttlCache<T>({ load, ttlMs, most, nowMs }: TtlCacheOptions<T>): TtlCache<T> {
  const known = new Map<string, { readonly since: number; readonly value: Promise<T> }>();
  return {
    get(key, mostMs = ttlMs) {
      const found = known.get(key);
      if (found !== undefined && nowMs() < found.since + mostMs) return found.value;
      const value = load(key);
      const entry = { since: nowMs(), value };
      // a flood of made-up keys must not fill memory; starting over costs one look-up for each that is real
      if (known.size >= most) known.clear();
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
