import { type Static, type TSchema, Type } from "typebox";
import { eventTypes } from "../domain/events.ts";
import { type Json, oneOf } from "../model/common.ts";

/** What one document may hold; beyond it is refused before anything else is looked at. */
export const documentLimits = {
  bytes: 256 * 1024,
  depth: 100,
  steps: 500,
  triggers: 50,
  branches: 100,
  mailboxes: 200,
} as const;

export const workflowKinds = ["automatic", "manual", "callable"] as const;
export const whenRunningChoices = ["start", "skip", "replace"] as const;
export const parameterTypes = ["text", "number", "boolean", "instant", "list", "object", "any"] as const;

const closed = { additionalProperties: false } as const;
const json = (description: string) => Type.Unsafe<Json>(Type.Unknown({ description }));
const when = json("a condition; all, any and not nest");
const word = (description: string) => Type.String({ minLength: 1, maxLength: 100, description });
const event = word(`an event: ${Object.keys(eventTypes)[0]} ...`);
const duration = Type.String({
  minLength: 1,
  maxLength: 100,
  description: 'a length of time such as "2h", "1d" or "PT30M"',
});
const calendar = word('short name of a calendar whose open time counts; "business_hours" is the organization\'s own');
const edge = Type.Optional(
  Type.Union([word("the step that follows"), Type.Null()], { description: "the step that follows; none ends the run" }),
);

/** The two kinds of trigger, told apart by the field of that name. */
export const triggerSchemas = {
  event: Type.Object({ event, when: Type.Optional(when) }, closed),
  time: Type.Object(
    {
      time: Type.Object(
        {
          since: word("an instant of the subject, such as conversation.waiting_since"),
          for: duration,
          in: Type.Optional(calendar),
        },
        closed,
      ),
      when: Type.Optional(when),
    },
    closed,
  ),
} as const;

/** The four kinds of step, told apart by the field of that name. */
export const stepSchemas = {
  action: Type.Object(
    {
      action: word("the command that the step issues"),
      input: Type.Optional(
        Type.Unsafe<{ readonly [name: string]: Json }>(
          Type.Object({}, { description: "the command's input: literals, Liquid texts and references" }),
        ),
      ),
      next: edge,
      onError: edge,
      await: Type.Optional(
        Type.Boolean({ description: "go on only when the effect that the action asks for is settled" }),
      ),
    },
    closed,
  ),
  branch: Type.Object(
    {
      branch: Type.Array(Type.Object({ when, next: edge }, closed), { minItems: 1, maxItems: documentLimits.branches }),
      next: edge,
      onError: edge,
    },
    closed,
  ),
  wait: Type.Object(
    {
      wait: Type.Object(
        {
          for: Type.Optional(duration),
          until: Type.Optional(json("an instant: a literal, a Liquid text or a reference")),
          in: Type.Optional(calendar),
          unless: Type.Optional(event),
        },
        closed,
      ),
      next: edge,
      onInterrupt: edge,
      onError: edge,
    },
    closed,
  ),
  stop: Type.Object(
    {
      stop: Type.Union([
        Type.Literal(true),
        Type.Object(
          {
            reason: Type.Optional(Type.String({ maxLength: 1000 })),
            outputs: Type.Optional(json("what the run answers")),
          },
          closed,
        ),
      ]),
    },
    closed,
  ),
} as const;

const parameters = Type.Record(
  Type.String({ pattern: "^[A-Za-z][A-Za-z0-9_]{0,62}$" }),
  Type.Object(
    {
      type: oneOf(parameterTypes),
      required: Type.Optional(Type.Boolean()),
      description: Type.Optional(Type.String({ maxLength: 1000 })),
    },
    closed,
  ),
  closed,
);

const shell = <T extends TSchema, S extends TSchema>(trigger: T, step: S) =>
  Type.Object(
    {
      name: Type.String({ minLength: 1, maxLength: 200 }),
      description: Type.Optional(Type.String({ maxLength: 5000 })),
      kind: oneOf(workflowKinds),
      mailboxes: Type.Optional(
        Type.Array(word("short name or id of a mailbox"), {
          minItems: 1,
          maxItems: documentLimits.mailboxes,
          description: "default: all",
        }),
      ),
      triggers: Type.Optional(Type.Array(trigger, { maxItems: documentLimits.triggers })),
      start: word("the first step"),
      steps: Type.Record(Type.String(), step, { minProperties: 1, maxProperties: documentLimits.steps }),
      order: Type.Optional(
        Type.Integer({
          minimum: -1_000_000,
          maximum: 1_000_000,
          description: "runs that one event starts go in this order; default 0",
        }),
      ),
      limits: Type.Optional(
        Type.Object(
          {
            runs_per_day: Type.Optional(
              Type.Integer({
                minimum: 1,
                maximum: 1_000_000,
                description: "runs for one conversation or customer a day",
              }),
            ),
          },
          closed,
        ),
      ),
      when_running: Type.Optional(
        oneOf(whenRunningChoices, "what becomes of a start while a run for the same subject waits; default start"),
      ),
      inputs: Type.Optional(parameters),
      outputs: Type.Optional(parameters),
      layout: Type.Optional(json("where the builder draws things; ignored otherwise")),
    },
    { ...closed, title: "Workflow" },
  );

/** The document's outer shape alone: triggers and steps are checked one by one, each against the schema of its kind. */
export const documentShellSchema = shell(Type.Unknown(), Type.Unknown());

/** The workflow document (DESIGN section 9) as JSON Schema: for the API, editors and files in Git. */
export const WorkflowDocumentSchema = shell(
  Type.Union([triggerSchemas.event, triggerSchemas.time]),
  Type.Union([stepSchemas.action, stepSchemas.branch, stepSchemas.wait, stepSchemas.stop]),
);

export type TriggerKind = keyof typeof triggerSchemas;
export type StepKind = keyof typeof stepSchemas;
export type EventTriggerDocument = Static<(typeof triggerSchemas)["event"]>;
export type TimeTriggerDocument = Static<(typeof triggerSchemas)["time"]>;
export type TriggerDocument = EventTriggerDocument | TimeTriggerDocument;
export type ActionDocument = Static<(typeof stepSchemas)["action"]>;
export type BranchDocument = Static<(typeof stepSchemas)["branch"]>;
export type WaitDocument = Static<(typeof stepSchemas)["wait"]>;
export type StopDocument = Static<(typeof stepSchemas)["stop"]>;
export type StepDocument = ActionDocument | BranchDocument | WaitDocument | StopDocument;

/** A workflow as its owner wrote it: plain JSON, the same for the builder, the API, files and imports. */
export type WorkflowDocument = Static<typeof WorkflowDocumentSchema>;
