/** One row that the triggering event changed. `before` is null where it created the row; else both hold the changed fields only. */
export interface RowChange {
  readonly table: string;
  readonly id: string;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>>;
}

/** What a condition or text may read: named roots (customer, conversation, message, event, steps ...) as plain JSON rows. */
export interface Scope {
  readonly roots: Readonly<Record<string, unknown>>;
  /** Changes of the triggering event, for `changed`, `changed_from` and `changed_to`. */
  readonly changes: readonly RowChange[];
  /** The instant "now" of the item being processed. */
  readonly at: string;
  /** IANA zone of the organization, in which calendar days are meant. */
  readonly zone: string;
}
