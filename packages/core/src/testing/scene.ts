import { decide, type Decision } from "../domain/decide.ts";
import type { Standing, WorkflowDirectory } from "../domain/standing.ts";
import { Ledger, type World } from "../domain/ledger.ts";
import { prepare } from "../domain/registry.ts";
import type { SettingsIndex } from "../domain/settings-index.ts";
import { mintId, rootSeed } from "../id/id.ts";
import type { Json } from "../model/common.ts";
import type { Actor } from "../model/event.ts";
import { addMs } from "../time/instant.ts";
import { actors, sampleIndex } from "./settings.ts";
import { memoryWorld } from "./world.ts";

export interface SceneOptions {
  readonly world?: World;
  readonly settings?: SettingsIndex;
  readonly actor?: Actor;
  /** the workflows that may be started by name; default: none */
  readonly workflows?: WorkflowDirectory;
}

export interface IssueOptions {
  readonly actor?: Actor;
  /** the only permissions that it may use; default: all that the actor has */
  readonly scopes?: readonly string[];
  /** the command's id, from which all ids of the decision follow */
  readonly root?: string;
  readonly at?: string;
}

/** Where commands are decided one after the other on one ledger, as in a batch, without workflows. */
export interface Scene {
  readonly ledger: Ledger;
  readonly settings: SettingsIndex;
  /** Checks, prepares and decides a command; a second passes between two, unless `at` says otherwise. */
  issue(type: string, input: { readonly [name: string]: Json }, options?: IssueOptions): Decision;
  /** Lets time pass. */
  pass(ms: number): void;
  now(): string;
}

/** A scene of the sample organization on an empty world, unless told otherwise. */
export function scene(options: SceneOptions = {}): Scene {
  const settings = options.settings ?? sampleIndex();
  const ledger = new Ledger(options.world ?? memoryWorld());
  let at = "2026-11-20T17:00:00.000Z";
  let count = 0;
  return {
    ledger,
    settings,
    now: () => at,
    pass(ms) {
      at = addMs(at, ms);
    },
    issue(type, input, { actor = options.actor ?? actors.admin, scopes, root = `command-${++count}`, at: given } = {}) {
      at = given ?? addMs(at, 1000);
      const prepared = prepare(type, input, settings);
      if (!prepared.ok) return { answer: prepared, events: [], effects: [], runs: [] };
      const seed = rootSeed(settings.organization.id, root);
      let minted = 0;
      const standing: Standing = {
        ledger,
        settings,
        workflows: options.workflows ?? { published: () => null },
        actor,
        at,
        root,
        cause: {},
        depth: 0,
        mint: () => mintId(at, seed, minted++),
      };
      return decide({ type, actor, input: prepared.input, ...(scopes && { scopes }) }, standing);
    },
  };
}
