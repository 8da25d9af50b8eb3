import type { SettingsIndex } from "../domain/settings-index.ts";
import { noteNames } from "./settings-names.ts";

/**
 * The settings that the compiled versions of an organization were made with, and what was made with which name. A change
 * of the settings lets go of what named the changed things, and of nothing else; it is made again when it is next asked for.
 */
export class Surroundings {
  #settings: SettingsIndex;
  readonly #users = new Map<string, Set<() => void>>();

  constructor(settings: SettingsIndex) {
    this.#settings = settings;
  }

  get settings(): SettingsIndex {
    return this.#settings;
  }

  /** How many names something is held by. */
  get held(): number {
    return this.#users.size;
  }

  /**
   * Makes something; `forget` is called when a name that was looked up for it has come to mean something else. Whoever lets
   * go of what was made before that calls `release`.
   */
  make<T>(
    making: (settings: SettingsIndex) => T,
    forget: () => void,
  ): { readonly made: T; readonly release: () => void } {
    const { settings, names } = noteNames(this.#settings);
    const made = making(settings);
    for (const name of names) {
      const users = this.#users.get(name);
      if (users === undefined) this.#users.set(name, new Set([forget]));
      else users.add(forget);
    }
    const release = (): void => {
      for (const name of names) {
        const users = this.#users.get(name);
        if (users?.delete(forget) === true && users.size === 0) this.#users.delete(name);
      }
    };
    return { made, release };
  }

  /** Takes over other settings, in which these names (as `settingsName` writes them) may mean something else. */
  change(settings: SettingsIndex, names: Iterable<string>): void {
    this.#settings = settings;
    for (const name of names) {
      const users = this.#users.get(name);
      this.#users.delete(name);
      for (const forget of users ?? []) forget();
    }
  }
}

/** Something that is made of the settings when it is first asked for, and again after what it names has changed. */
export class Linked<T> {
  readonly #surroundings: Surroundings;
  readonly #making: (settings: SettingsIndex) => T;
  #made: { readonly made: T; readonly release: () => void } | null = null;
  readonly #forget = (): void => this.release();

  constructor(surroundings: Surroundings, making: (settings: SettingsIndex) => T) {
    this.#surroundings = surroundings;
    this.#making = making;
  }

  get(): T {
    return (this.#made ??= this.#surroundings.make(this.#making, this.#forget)).made;
  }

  /** Lets go of what was made, under all the names that it was made with. */
  release(): void {
    this.#made?.release();
    this.#made = null;
  }
}
