import { Type, type TObject, type TSchema } from "typebox";
import type { AnyCommand, Target } from "../domain/define.ts";
import { type EventType, eventTypes } from "../domain/events.ts";
import type { Permission } from "../domain/permissions.ts";
import { commands } from "../domain/registry.ts";
import type { SubjectKind } from "../model/common.ts";
import { settingsNounOf, type SettingsReference } from "./references.ts";
import { type Anchor, anchors } from "./subjects.ts";

/** A step that a workflow may take, for the builder and the reference. */
export interface ActionDescription {
  readonly type: string;
  readonly summary: string;
  /** the input field that a step may leave out: it then means the run's own subject */
  readonly target: Target | null;
  readonly permission: Permission;
  readonly events: AnyCommand["events"];
  /** the input as JSON Schema; a step may give a Liquid text or reference wherever it names a type */
  readonly input: TObject;
  /** fields that take the id or short name of something in the settings */
  readonly references: Readonly<Record<string, SettingsReference>>;
}

/** Every action, by type. Derived from the commands: there is no second list. */
export function listActions(known: ReadonlyMap<string, AnyCommand> = commands): ActionDescription[] {
  return [...known.values()]
    .filter((command) => command.action)
    .map(describe)
    .sort((a, b) => (a.type < b.type ? -1 : 1));
}

function describe({ type, summary, target, permission, events, input }: AnyCommand): ActionDescription {
  const names = Object.keys(input.properties).flatMap((field) => {
    const noun = settingsNounOf(field);
    return noun === null ? [] : [[field, noun] as const];
  });
  return {
    type,
    summary,
    target,
    permission,
    events,
    input: withOptional(input, target),
    references: Object.fromEntries(names),
  };
}

function withOptional(input: TObject, target: Target | null): TObject {
  const field = target === null ? undefined : input.properties[target];
  if (target === null || field === undefined) return input;
  const { additionalProperties } = input as { readonly additionalProperties?: boolean | TSchema };
  return Type.Object(
    { ...input.properties, [target]: Type.Optional(field) },
    additionalProperties === undefined ? {} : { additionalProperties },
  );
}

/** What may start an automatic workflow, for the builder and the reference. */
export interface TriggerDescription {
  readonly event: EventType;
  readonly summary: string;
  readonly subject: SubjectKind;
}

/** Every event that a trigger may name. Derived from the events: there is no second list. */
export function listTriggers(): TriggerDescription[] {
  return (Object.keys(eventTypes) as EventType[]).map((event) => ({ event, ...eventTypes[event] }));
}

/** Every instant that a time trigger may count from, read off the subjects' schemas. */
export const listAnchors = (): readonly Anchor[] => anchors();
