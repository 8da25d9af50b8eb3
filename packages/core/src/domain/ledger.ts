import type { Id } from "../model/common.ts";
import { type Key, tableOf } from "./keys.ts";

/** What the shell has loaded. `undefined` is missing (a need), `null` is known to be absent. */
export interface World {
  get(key: Key): unknown;
  /** Whether a row was made since the rest was loaded: views of it that are not there are known to be empty. */
  made?(id: Id): boolean;
}

/** Thrown when something must be read that the shell has not loaded. No guard may swallow it (MILL law 8). */
export class Missing extends Error {
  readonly keys: readonly Key[];
  constructor(keys: readonly Key[]) {
    super(`not loaded: ${keys.join(", ")}`);
    this.keys = keys;
  }
}

const none: readonly Id[] = [];

/** A place to come back to. */
export type Mark = number;

/**
 * The world as a batch sees it: what was loaded, with the batch's own changes on top. Every change can be taken back to
 * a mark, which is how a refusal, a failed step or an item with a need leaves nothing behind.
 */
export class Ledger {
  readonly #base: World;
  readonly #over = new Map<Key, unknown>();
  /** pairs of key and what stood there before; `undefined` when nothing did */
  readonly #undo: unknown[] = [];
  /** ids of rows made in this batch: views of them are known to be empty without a load */
  readonly #fresh = new Set<Id>();
  /** distinct keys read since the counter was reset: what a root's read cap counts (MILL law 4) */
  #reads = new Set<Key>();

  constructor(base: World) {
    this.#base = base;
  }

  /** The row or view under a key; null when it does not exist. Throws `Missing`. */
  get<T>(name: Key): T | null {
    this.#reads.add(name);
    const value = this.peek(name);
    if (value === undefined) throw new Missing([name]);
    return value as T | null;
  }

  /** As `get`, but `undefined` when it is not loaded; counts as no read. */
  peek(name: Key): unknown {
    const value = this.#over.get(name);
    return value === undefined ? this.#base.get(name) : value;
  }

  /**
   * A view that belongs to a row; known to be empty when the row was made in this batch. It counts as a read all the
   * same: what a root has read must not depend on where batches were split.
   */
  view<T>(name: Key, owner: Id): T | null {
    this.#reads.add(name);
    const value = this.peek(name);
    if (value !== undefined) return value as T | null;
    if (this.#isNew(owner)) return null;
    throw new Missing([name]);
  }

  /** A list view. */
  list(name: Key, owner: Id): readonly Id[] {
    return this.view<readonly Id[]>(name, owner) ?? none;
  }

  /** Reads what belongs together as one bundle (MILL law 4): its name is the one thing that is counted as read. */
  bundle(name: Key, parts: readonly Key[]): readonly unknown[] {
    this.#reads.add(name);
    this.expect(parts);
    return parts.map((part) => this.peek(part));
  }

  /** Asks for all of these in one go, so that reading them one by one costs one round; views of a new row are known. */
  expect(names: readonly Key[], owner?: Id): void {
    if (owner !== undefined && this.#isNew(owner)) return;
    const missing = names.filter((name) => this.peek(name) === undefined);
    if (missing.length > 0) throw new Missing(missing);
  }

  /** Puts a row; null deletes it. */
  set(name: Key, value: unknown): void {
    this.#undo.push(name, this.#over.get(name));
    this.#over.set(name, value);
  }

  /** Puts a row that did not exist before. */
  create(name: Key, id: Id, value: unknown): void {
    this.#fresh.add(id);
    this.set(name, value);
  }

  /** Changes a list view, where it is known; a view that is not loaded stays a need. */
  updateList(name: Key, owner: Id, change: (list: readonly Id[]) => readonly Id[]): void {
    const value = this.peek(name);
    if (value !== undefined) this.set(name, change((value as readonly Id[] | null) ?? []));
    else if (this.#isNew(owner)) this.set(name, change([]));
  }

  #isNew(id: Id): boolean {
    return this.#fresh.has(id) || this.#base.made?.(id) === true;
  }

  /** What was changed so far stays: no mark from before is come back to, and nothing is kept for it. */
  keep(): void {
    this.#undo.length = 0;
  }

  mark(): Mark {
    return this.#undo.length;
  }

  /** Takes every change since the mark back. */
  rollback(mark: Mark): void {
    while (this.#undo.length > mark) {
      const before = this.#undo.pop();
      const name = this.#undo.pop() as Key;
      if (before === undefined) this.#over.delete(name);
      else this.#over.set(name, before);
    }
  }

  resetReads(known?: Iterable<Key>): void {
    this.#reads = known === undefined ? new Set() : new Set(known);
  }

  reads(): ReadonlySet<Key> {
    return this.#reads;
  }

  /** The rows that changed against what was loaded, by key; views are left out. */
  writes(tables: ReadonlySet<string>): Map<Key, unknown> {
    const out = new Map<Key, unknown>();
    // a loop over the entries would make one for each
    this.#over.forEach((value, name) => {
      const table = tableOf(name);
      if (table === undefined || !tables.has(table)) return;
      const base = this.#base.get(name);
      if (value === base) return;
      // made and taken away again: there is nothing to delete
      if (value === null && !base && this.#fresh.has(name.slice(name.indexOf("/") + 1))) return;
      out.set(name, value);
    });
    return out;
  }

  /** Every row and view as it was put or became, and the ids of the rows that were made: what a world needs to go on from here. */
  after(): { readonly rows: ReadonlyMap<Key, unknown>; readonly made: ReadonlySet<Id> } {
    return { rows: this.#over, made: this.#fresh };
  }
}
