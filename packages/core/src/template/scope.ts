import type { Meter } from "./meter.ts";

/** One row that the triggering event changed. `before` is null where it created the row; else both hold the changed fields only. */
export interface RowChange {
  readonly table: string;
  readonly id: string;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>>;
}

/** What a condition or text may read: named roots (customer, conversation, message, event, steps ...) as plain JSON rows. */
export interface Scope {
  /** A root by its name, loaded when it is first read; undefined where there is none. Throws `Missing`, which nothing may catch. */
  root(name: string | number): unknown;
  /** Changes of the triggering event, for `changed`, `changed_from` and `changed_to`. */
  readonly changes: readonly RowChange[];
  /** The instant "now" of the item being processed. */
  readonly at: string;
  /** IANA zone of the organization, in which calendar days are meant. */
  readonly zone: string;
  /** Where the work of evaluating is counted. */
  readonly meter: Meter;
}

/** A scope of nothing, for values that are written down and never look at it. */
export const emptyScope: Scope = {
  root: () => undefined,
  changes: [],
  at: "1970-01-01T00:00:00.000Z",
  zone: "UTC",
  meter: { left: () => 0, take() {} },
};
