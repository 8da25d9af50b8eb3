import { AllowanceSpent, type Meter } from "../template/meter.ts";
import type { Scope } from "../template/scope.ts";
import { readKey } from "../template/path.ts";

/** For tests: a meter that never runs out. */
export const unmetered: Meter = { left: () => Number.POSITIVE_INFINITY, take() {} };

/** For tests: a scope of these roots, at five in the afternoon on 2026-11-20, UTC, unless told otherwise. */
export function scopeOf(roots: Readonly<Record<string, unknown>>, more: Partial<Omit<Scope, "root">> = {}): Scope {
  return {
    root: (name) => readKey(roots, name),
    changes: [],
    at: "2026-11-20T17:00:00.000Z",
    zone: "UTC",
    meter: unmetered,
    ...more,
  };
}

/** For tests: a meter of so many steps, which says how many were taken. */
export function meterOf(steps: number): Meter & { readonly taken: () => number } {
  let taken = 0;
  return {
    left: () => steps - taken,
    take(more) {
      taken += more;
      if (taken > steps) throw new AllowanceSpent();
    },
    taken: () => taken,
  };
}
