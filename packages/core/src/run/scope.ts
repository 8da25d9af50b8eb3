import type { Ledger } from "../domain/ledger.ts";
import type { SettingsIndex } from "../domain/settings-index.ts";
import type { Instant } from "../model/common.ts";
import type { Event, Refs } from "../model/event.ts";
import type { Run } from "../model/run.ts";
import type { Meter } from "../template/meter.ts";
import type { RowChange, Scope } from "../template/scope.ts";
import { refsOfRun } from "./refs.ts";
import { type Origin, rootNamed } from "./roots.ts";

/** Where what a scope reads is loaded from, and what evaluating is counted on. */
export interface Sight {
  readonly ledger: Ledger;
  readonly settings: SettingsIndex;
  readonly meter: Meter;
}

/** What a trigger's condition reads: the event that may start it and the rows it is about. */
export const eventScope = (event: Event, sight: Sight): Scope =>
  new LazyScope({ refs: event.refs, at: event.at, event, run: null }, event.changes, sight);

/** What a time trigger's condition reads: its subject alone (MILL law 14). */
export const subjectScope = (refs: Refs, at: Instant, sight: Sight): Scope =>
  new LazyScope({ refs, at, event: null, run: null }, [], sight);

/** What a run's step reads: its subject now, its inputs, and the outputs of its steps so far by step id. */
export const runScope = (run: Run, at: Instant, sight: Sight): Scope =>
  new LazyScope({ refs: refsOfRun(run), at, event: null, run }, [], sight);

/** Loads a root when it is first read, through the batch's own changes, so that what nobody reads is no need. */
class LazyScope implements Scope {
  readonly changes: readonly RowChange[];
  readonly at: Instant;
  readonly zone: string;
  readonly meter: Meter;
  readonly #origin: Origin;
  readonly #sight: Sight;
  /** made when it is first read: most steps read nothing */
  #known: Map<string | number, unknown> | null = null;
  /** the root that was read last: a condition's clauses, and those of the next workflow, mostly read the same */
  #last: string | number | null = null;
  #value: unknown;

  constructor(origin: Origin, changes: readonly RowChange[], sight: Sight) {
    this.changes = changes;
    this.at = origin.at;
    this.zone = sight.settings.organization.zone;
    this.meter = sight.meter;
    this.#origin = origin;
    this.#sight = sight;
  }

  root(name: string | number): unknown {
    if (name === this.#last) return this.#value;
    const known = (this.#known ??= new Map());
    let value: unknown = known.get(name);
    if (value === undefined) {
      value = rootNamed(name)?.load(this.#origin, this.#sight, this);
      known.set(name, value);
    }
    this.#last = name;
    this.#value = value;
    return value;
  }
}
