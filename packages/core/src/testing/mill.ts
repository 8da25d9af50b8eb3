import { type Key, key, splitKey } from "../domain/keys.ts";
import type { World } from "../domain/ledger.ts";
import { indexSettings, type SettingsIndex } from "../domain/settings-index.ts";
import { type PublishedWorkflow, Workflows } from "../match/active.ts";
import { process } from "../mill/process.ts";
import type { Config, Item, Leftover, Output, Poisoned, Receipt, Reply } from "../mill/types.ts";
import type { Id, Json } from "../model/common.ts";
import type { Effect } from "../model/effect.ts";
import type { Event } from "../model/event.ts";
import type { Run } from "../model/run.ts";
import type { Settings } from "../model/settings.ts";
import { isLive } from "../run/machine.ts";
import type { CompiledVersion } from "../workflow/compiled.ts";
import { compileVersion } from "../workflow/compile.ts";
import type { WorkflowDocument } from "../workflow/document.ts";
import { ids, sampleSettings, testId } from "./settings.ts";
import { asStored, storedRow } from "./stored.ts";
import { type MemoryWorld, memoryWorld, sparseWorld, type StartingRows, tableOf } from "./world.ts";

/** How much of the world a call finds loaded: all of it, what was asked for with its bundles, or row by row. */
export type Loading = "all" | "bundles" | "rows";

export interface MillOptions {
  readonly settings?: SettingsIndex;
  readonly workflows?: readonly PublishedWorkflow<CompiledVersion>[];
  /** versions that are no longer published; they are loaded on need */
  readonly older?: readonly CompiledVersion[];
  readonly start?: StartingRows;
  readonly loading?: Loading;
  /** commits the decided prefix as soon as something is lacking, in place of loading first */
  readonly eager?: boolean;
  /** makes every call twice and fails where the two differ by a byte */
  readonly twice?: boolean;
  /** decides so many items at a time and goes on from what they left without loading it again, as a server's batch does */
  readonly atOnce?: number;
}

/** An effect as its row stands in the table. */
export type EffectRow = Effect & { readonly status: "due" | "dead"; readonly last_error: Json };
export interface TimerRow {
  readonly run: Id;
  readonly wait: number;
  readonly due_at: string;
}

/**
 * The shell, in memory: loads what a call lacks, commits what it wrote, keeps the log, receipts and the left-over. As in
 * the server, a run that is over leaves the live table for the history.
 */
export interface MillShell {
  readonly world: MemoryWorld;
  readonly history: Map<Id, Run>;
  readonly log: Event[];
  readonly replies: Reply[];
  readonly receipts: Receipt[];
  readonly dropped: Item[];
  readonly poisoned: Poisoned[];
  leftover: Leftover | null;
  /** what `publish` changes */
  config: Config;
  /** One batch: as many rounds as its needs take, and one commit. Answers how many items are done. */
  call(items: readonly Item[], slice?: number): Output;
  /** Calls until every item is done and nothing is left over. */
  feed(items: readonly Item[], slice?: number): void;
  /** Live or over; null when there is none. */
  run(id: Id): Run | null;
  /** Every run there was, by id. */
  runs(): readonly Run[];
  effects(): readonly EffectRow[];
  timers(): readonly TimerRow[];
}

export function millShell(options: MillOptions = {}): MillShell {
  const settings = options.settings ?? indexSettings(officeSettings);
  const { loading = "all", eager = false, twice = false } = options;
  deepFreeze(settings.all);
  const known = new Map((options.older ?? []).map((version) => [version.id, version]));
  const loaded = new Map<Id, CompiledVersion>();
  const world = memoryWorld(options.start);
  for (const row of world.rows.values()) deepFreeze(row);
  const shell: MillShell = {
    world,
    history: new Map(),
    log: [],
    replies: [],
    receipts: [],
    dropped: [],
    poisoned: [],
    leftover: null,
    config: { settings, workflows: activate(options.workflows ?? [], (id) => loaded.get(id) ?? null) },
    call(items, slice = Number.POSITIVE_INFINITY) {
      if (options.atOnce !== undefined) return callInPieces(items, slice, options.atOnce);
      const lender = loading === "all" ? null : sparseWorld(withoutVersions(world, loaded));
      const base: World = lender ?? withoutVersions(world, loaded);
      deepFreeze(items);
      for (let round = 0; round < 1000; round += 1) {
        const look = { get: (name: Key) => base.get(name), leftover: shell.leftover };
        const once = () => process(settings.organization.id, items, look, shell.config, slice);
        const output = once();
        if (twice && bytes(output) !== bytes(once())) throw new Error("the same call gave something else");
        for (const name of output.needs) {
          const { table, rest } = splitKey(name);
          if (table !== "version") continue;
          const version = known.get(rest);
          if (version === undefined) world.rows.set(name, null);
          else loaded.set(rest, version);
        }
        const moved = output.done > 0 || output.leftover !== shell.leftover;
        if (output.needs.length === 0 || (eager && moved)) {
          commit(shell, output);
          return output;
        }
        if (lender === null && !output.needs.every((name) => name.startsWith("version/")))
          throw new Error(`asked for what is loaded: ${output.needs.join(", ")}`);
        lender?.load(loading === "bundles" ? withBundles(world, output.needs) : output.needs);
      }
      throw new Error("the needs do not end");
    },
    feed(items, slice) {
      let rest = items;
      for (let calls = 0; calls < 100_000; calls += 1) {
        const output = shell.call(rest, slice);
        rest = rest.slice(output.done);
        if (rest.length === 0 && shell.leftover === null) return;
      }
      throw new Error("the items do not end");
    },
    run: (id) => (world.rows.get(key.run(id)) as Run | undefined) ?? shell.history.get(id) ?? null,
    runs: () => [...tableOf<Run>(world.rows, "runs"), ...shell.history.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    effects: () => tableOf<EffectRow>(world.rows, "effects"),
    timers: () => tableOf<TimerRow>(world.rows, "timers"),
  };
  /** One batch in pieces: what was loaded once is never looked up again, what was not is found with all that is written. */
  function callInPieces(items: readonly Item[], slice: number, atOnce: number): Output {
    const held = new Map<Key, unknown>();
    const made = new Set<Id>();
    const base = withoutVersions(world, loaded);
    const get = (name: Key): unknown => {
      if (!held.has(name)) held.set(name, base.get(name));
      return held.get(name);
    };
    for (let done = 0, left = slice; ;) {
      const look = { get, made: (id: Id) => made.has(id), leftover: shell.leftover };
      const output = process(settings.organization.id, items.slice(done, done + atOnce), look, shell.config, left);
      if (output.needs.length > 0) throw new Error(`asked for what is loaded: ${output.needs.join(", ")}`);
      commit(shell, output);
      for (const [name, row] of output.after.rows) held.set(name, deepFreeze(row));
      for (const id of output.after.made) made.add(id);
      done += output.done;
      left -= output.operations;
      if (shell.leftover !== null || left <= 0 || done >= items.length) return { ...output, done };
    }
  }
  return shell;
}

/** The active workflows of a test: the steps of the published ones are there, `older` gives those of others. */
export function activate(
  published: readonly PublishedWorkflow<CompiledVersion>[],
  older: (id: Id) => CompiledVersion | null = () => null,
): Workflows {
  const known = new Map(published.map(({ version }) => [version.id, version]));
  const workflows = new Workflows((id) => known.get(id) ?? older(id));
  for (const each of published) workflows.put(each);
  return workflows;
}

function commit(shell: MillShell, output: Output): void {
  deepFreeze(output.events);
  // the next call finds what the database gives back, not what this one had in memory
  const writes = new Map([...output.writes].map(([name, row]) => [name, deepFreeze(row && storedRow(name, row))]));
  shell.world.write(writes);
  for (const [name, row] of writes) {
    if (!name.startsWith("runs/") || row === null || isLive((row as Run).status)) continue;
    shell.history.set((row as Run).id, row as Run);
    shell.world.rows.delete(name);
  }
  for (const receipt of output.receipts)
    if (receipt.key !== null) shell.world.rows.set(key.receipt(receipt.key), receipt);
  shell.log.push(...output.events);
  shell.replies.push(...output.replies);
  shell.receipts.push(...output.receipts);
  shell.dropped.push(...output.dropped);
  shell.poisoned.push(...output.poisoned);
  shell.leftover = deepFreeze(asStored(output.leftover)) as Leftover | null;
}

const bytes = (output: Output): string =>
  JSON.stringify({ ...output, writes: [...output.writes], after: [...output.after.rows, ...output.after.made] });

/** A version that was not looked for is missing; one that was not found is known to be absent. */
function withoutVersions(world: MemoryWorld, loaded: ReadonlyMap<Id, CompiledVersion>): World {
  return {
    get(name) {
      if (!name.startsWith("version/")) return world.get(name);
      return loaded.has(splitKey(name).rest) || world.rows.has(name) ? null : undefined;
    },
  };
}

/** Keys with what belongs to them, as the server's loader bundles them (MILL law 4). */
function withBundles(world: MemoryWorld, needs: readonly Key[]): ReadonlySet<Key> {
  const found = new Set<Key>();
  const add = (name: Key): void => {
    if (found.has(name)) return;
    found.add(name);
    const { table, rest } = splitKey(name);
    if (table === "version" || table === "sender") return;
    const row = world.get(name) as Readonly<Record<string, Id | null>> | readonly Id[] | null;
    if (row === null) return;
    if (Array.isArray(row)) {
      for (const id of row as readonly Id[]) add(table === "waiting" ? key.run(id) : key.conversation(id));
      return;
    }
    const follow = (field: string, of: (id: Id) => Key): void => {
      const id = (row as Readonly<Record<string, Id | null>>)[field] ?? null;
      if (id !== null) add(of(id));
    };
    if (table === "conversations") {
      add(key.waiting(rest));
      follow("customer", key.customer);
      follow("assignee", key.load);
      follow("merged_into", key.conversation);
    } else if (table === "customers") {
      add(key.waiting(rest));
      follow("merged_into", key.customer);
    } else if (table === "addresses") follow("customer", key.customer);
    else if (table === "messages") follow("conversation", key.conversation);
    else if (table === "latest") follow("id", key.conversation);
    else if (table === "provider") follow("id", key.message);
    else if (table === "effects") follow("run", key.run);
    else if (table === "runs") {
      add(key.timer(rest));
      follow("subject", key.waiting);
      follow("hears", key.waiting);
      follow("conversation", key.conversation);
      follow("customer", key.customer);
    }
  };
  for (const name of needs) add(name);
  return found;
}

/** Freezes a value to its depth, so that a test fails where an input is written to. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
  return value;
}

/** The sample organization with an office calendar; nine to five on weekdays, by the organization's clock. */
export const officeSettings: Settings = {
  ...sampleSettings,
  calendars: [
    {
      id: testId(60),
      slug: "office",
      name: "Office",
      calendar: {
        zone: "America/New_York",
        hours: Object.fromEntries(["mon", "tue", "wed", "thu", "fri"].map((day) => [day, [["09:00", "17:00"]]])),
        holidays: [],
      },
      archived_at: null,
    },
  ],
};

export interface PublishOptions {
  readonly settings?: SettingsIndex;
  readonly workflow?: Id;
  readonly id?: Id;
  readonly publisher?: Id | null;
  readonly publishedAt?: string;
  readonly dueFrom?: Readonly<Record<string, string>>;
}

/** A document as a published version. Its id follows from `n` unless given. Throws when it does not compile. */
export function publish(
  n: number,
  document: Partial<WorkflowDocument> & Pick<WorkflowDocument, "steps">,
  options: PublishOptions = {},
): PublishedWorkflow<CompiledVersion> {
  const result = compileVersion({
    id: options.id ?? testId(5000 + n),
    workflow: options.workflow ?? testId(4000 + n),
    publisher: options.publisher === undefined ? ids.users.ada : options.publisher,
    publishedAt: options.publishedAt ?? "2026-11-01T00:00:00.000Z",
    ...(options.dueFrom !== undefined && { dueFrom: options.dueFrom }),
    document: { name: `Workflow ${n}`, kind: "automatic", start: Object.keys(document.steps)[0], ...document },
    settings: options.settings ?? indexSettings(officeSettings),
  });
  if (!result.ok) throw new Error(`the document does not compile: ${JSON.stringify(result.problems)}`);
  return { slug: `workflow-${n}`, version: result.version };
}
