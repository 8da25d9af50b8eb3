import {
  commands,
  compileBody,
  emptyScope,
  type Key,
  needsOf,
  prepare,
  type SettingsIndex,
  type Surroundings,
  type VersionBody,
  type WorkflowDocument,
} from "@threadmill/core";

/** A version's steps as this process holds them. */
interface Held {
  readonly body: VersionBody | null;
  /** what its steps will read whatever starts them, such as the load of a user they assign to */
  readonly needs: readonly Key[];
  readonly release: () => void;
}

/** Something in the settings that does not compile any more; its workflow does not run, and the log says why. */
export interface BrokenWorkflow {
  readonly workflow: string | null;
  readonly version: string;
  readonly problems: readonly { readonly code: string; readonly path: string; readonly message: string }[];
}

/** Steps that a process keeps ready at most for one organization; those of the other workflows are read when they matter. */
const heldAtMost = 1000;

/** The steps of an organization's versions, published or older, read when a run first takes one. */
export class Bodies {
  readonly #surroundings: Surroundings;
  readonly #held = new Map<string, Held>();
  #needs: readonly Key[] | null = null;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  get(id: string): VersionBody | null {
    return this.#held.get(id)?.body ?? null;
  }

  /**
   * Keys that steps with written-down inputs read of anything but their target. Loading them with the first bundles saves
   * nearly every batch a second round through the mill.
   */
  get standingNeeds(): readonly Key[] {
    return (this.#needs ??= [...new Set([...this.#held.values()].flatMap(({ needs }) => needs))]);
  }

  /** Makes a version's steps ready; a null document is that of a version which is not there. */
  put(id: string, document: WorkflowDocument | null, onBroken: (broken: BrokenWorkflow) => void): void {
    this.#drop(id);
    let made: Pick<Held, "body" | "needs"> = { body: null, needs: [] };
    let release = (): void => {};
    if (document !== null) {
      const making = this.#surroundings.make(
        (settings) => {
          const result = compileBody(id, document, settings);
          if (result.ok) return { body: result.body, needs: standingNeedsOf(result.body, settings) };
          onBroken({ workflow: null, version: id, problems: result.problems });
          return { body: null, needs: [] };
        },
        () => this.#drop(id),
      );
      made = making.made;
      release = making.release;
    }
    this.#held.set(id, { ...made, release });
    this.#needs = null;
  }

  /** Lets go of the longest held beyond the limit; between batches, for a batch must find again what it loaded. */
  trim(): void {
    for (const id of this.#held.keys()) {
      if (this.#held.size <= heldAtMost) return;
      this.#drop(id);
    }
  }

  #drop(id: string): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    held.release();
    this.#held.delete(id);
    this.#needs = null;
  }
}

const nobody = "00000000-0000-7000-8000-000000000000";

function standingNeedsOf({ steps }: VersionBody, settings: SettingsIndex): Key[] {
  const keys = new Set<Key>();
  for (const step of steps.values()) {
    if (step.kind !== "action" || !step.input.static) continue;
    const target = commands.get(step.action)?.target ?? null;
    const input = step.input.resolve(emptyScope) as object;
    const prepared = prepare(step.action, target === null ? input : { [target]: nobody, ...input }, settings);
    if (!prepared.ok) continue;
    const needs = needsOf({ type: step.action, actor: { kind: "system", id: null }, input: prepared.input }, settings);
    for (const name of needs) if (!name.includes(nobody)) keys.add(name);
  }
  return [...keys];
}
