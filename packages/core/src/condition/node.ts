import type { Scope } from "../template/scope.ts";
import type { Explanation } from "./explain.ts";
import type { IndexHint } from "./operator.ts";

/** A compiled clause or group. */
export interface Node {
  readonly test: (scope: Scope) => boolean;
  readonly explain: (scope: Scope) => Explanation;
  /** the next instant (ms) after the scope's at which the clock alone may change the answer; null for never */
  readonly nextChange: (scope: Scope) => number | null;
  /** what must be there for it to hold, by field; empty where nothing is known */
  readonly hints: readonly FieldHint[];
}

/** A necessary thing about one field. */
export type FieldHint = IndexHint & { readonly field: string };

/** The earliest of some instants (ms). */
export function soonest(instants: readonly (number | null)[]): number | null {
  return instants.reduce((a, b) => (a === null || b === null ? (a ?? b) : Math.min(a, b)), null);
}
