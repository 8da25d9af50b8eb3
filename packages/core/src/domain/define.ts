import type { Static, TObject, TSchema } from "typebox";
import { type Accepted, type Refusal } from "../model/command.ts";
import type { Result } from "../model/receipt.ts";
import type { Draft } from "./draft.ts";
import type { EventType, NoticeType } from "./events.ts";
import type { Key } from "./keys.ts";
import type { Permission } from "./permissions.ts";
import type { SettingsIndex } from "./settings-index.ts";

/** The input field that names what a command is done to; a workflow step may leave it out and means its subject. */
export type Target = "conversation" | "customer" | "message" | "note" | "user" | "run";

/**
 * A command: everything that any part of the house needs to know of it. Its file is the one place to read and the one
 * to change: the HTTP route, the workflow action, the check of its input and its page in the reference follow from it.
 */
export interface CommandDefinition<S extends TObject = TObject> {
  readonly type: string;
  /** one sentence for the reference and the builder */
  readonly summary: string;
  readonly permission: Permission;
  readonly input: S;
  readonly target: Target | null;
  /** whether a workflow step may issue it */
  readonly action: boolean;
  readonly events: readonly (EventType | NoticeType)[];
  /** Brings the input to its normal form (addresses, names to ids) before anything is read. Pure. */
  readonly prepare?: (input: Static<S>, settings: SettingsIndex) => Static<S> | Refusal;
  /** The first bundles that deciding it will read (MILL law 4); the rest is found by trying. */
  readonly needs: (input: Static<S>, settings: SettingsIndex) => readonly Key[];
  readonly decide: (input: Static<S>, draft: Draft) => Accepted | Refusal;
}

/** Declares a command; keeps the input's type for `decide`. */
export function defineCommand<S extends TObject>(definition: CommandDefinition<S>): CommandDefinition<S> {
  return definition;
}

/** A definition whose input type is no longer known: what the registry holds. */
export type AnyCommand = Omit<CommandDefinition, "prepare" | "needs" | "decide"> & {
  readonly prepare?: (input: never, settings: SettingsIndex) => unknown;
  readonly needs: (input: never, settings: SettingsIndex) => readonly Key[];
  readonly decide: (input: never, draft: Draft) => Accepted | Refusal;
};

/** Says yes, with what the caller hears. A new field of an answer is marked in its schema first. */
export function accept(result: Result): Accepted {
  return { ok: true, result };
}

export type { Static, TObject, TSchema };
