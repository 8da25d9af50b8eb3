import type { Json, Run, StepResult } from "@threadmill/core";
import type { Shortened } from "./row-text.ts";
import { meant, wholeId, writeCut, writeSigned } from "./short.ts";
import type { Words } from "./words.ts";

/**
 * How the history writes a finished run's columns: its steps are short (`StoredStep`), and it does not say twice which workflow
 * it is of.
 */
export const shortRun: Shortened = {
  steps: (words, row) => writeSteps(words, row as unknown as Run, row["steps"] as readonly StepResult[]),
  actor: (words, row) => {
    const actor = row["actor"] as Run["actor"];
    if (actor.kind === "workflow" && actor.id === row["workflow"]) words.json(actor, "id");
    else words.json(actor);
  },
  trigger: (words, row) => {
    const trigger = row["trigger"] as Run["trigger"];
    if (typeof trigger.event !== "string") return words.json(trigger);
    writeMembers(words, trigger, (name, value) => {
      if (name !== "event") return false;
      writeCut(words, value, row["id"] as string);
      return true;
    });
  },
};

/** A run, or the head of one without its steps, as it is read from either table: whole again. */
export function readRun<T extends Pick<Run, "id" | "workflow" | "actor" | "trigger">>(row: T): T {
  const { actor, trigger } = row;
  return {
    ...row,
    actor: actor.id === undefined ? { ...actor, id: row.workflow } : actor,
    ...(typeof trigger.event === "string" && { trigger: { ...trigger, event: wholeId(trigger.event, row.id) } }),
  };
}

/** What the history needs to know of a run to shorten its steps. */
type Whose = Pick<Run, "id" | "conversation" | "customer" | "message" | "started_at">;

/**
 * A step as the history keeps it. Bytes are what a finished run costs, and its steps nearly always follow one another at
 * once and are done to what the run is about: such a step leaves out its instant and, when it is done, its status; says
 * `~` for what is the run's own, and only the end of ids that begin as the run's does. The three steps of an ordinary run take
 * 0.6 KB instead of 1.0. A step that has its instant is as it was.
 */
export type StoredStep = Omit<StepResult, "at" | "status"> & Partial<Pick<StepResult, "at" | "status">>;

/** Fields of inputs and outputs that may be the run's own. */
const own = ["conversation", "customer", "message"] as const;

/** Writes a finished run's steps as the history keeps them: a JSON list of `StoredStep`. */
export function writeSteps(words: Words, run: Whose, steps: readonly StepResult[]): void {
  let before = run.started_at;
  let lead = "[";
  for (const step of steps) {
    const follows = step.at === before;
    before = step.at;
    words.plain(lead);
    lead = ",";
    if (!follows) words.json(step);
    else writeStep(words, run, step);
  }
  words.plain(steps.length === 0 ? "[]" : "]");
}

/** A step that follows the one before at once. */
function writeStep(words: Words, run: Whose, step: StepResult): void {
  let lead = "{";
  for (const name in step) {
    const value = step[name as keyof StepResult];
    if (value === undefined || name === "at" || (name === "status" && value === "done")) continue;
    words.plain(lead);
    words.string(name);
    words.plain(":");
    lead = ",";
    if (name === "input" || name === "output") writeWithOwn(words, value as Json, run);
    else if (name === "events") {
      let next = "[";
      for (const id of value as readonly string[]) {
        words.plain(next);
        writeCut(words, id, run.id);
        next = ",";
      }
      words.plain(next === "[" ? "[]" : "]");
    } else words.json(value);
  }
  words.plain(lead === "{" ? "{}" : "}");
}

/** Writes what went in or came out, the run's own as a sign. */
function writeWithOwn(words: Words, value: Json, run: Whose): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return words.json(value);
  writeMembers(words, value, (name, text) => {
    if (name !== "conversation" && name !== "customer" && name !== "message") return false;
    writeSigned(words, text, run[name]);
    return true;
  });
}

/** Writes an object; `special` may write a member that is a text, and answers whether it did. */
function writeMembers(words: Words, value: object, special: (name: string, text: string) => boolean): void {
  let lead = "{";
  for (const name in value) {
    const member = (value as { readonly [name: string]: unknown })[name];
    if (member === undefined) continue;
    words.plain(lead);
    words.string(name);
    words.plain(":");
    if (typeof member !== "string" || !special(name, member)) words.json(member);
    lead = ",";
  }
  words.plain(lead === "{" ? "{}" : "}");
}

/** The steps of a run, live or from the history, whole again. */
export function readSteps(run: Whose, steps: readonly StoredStep[]): StepResult[] {
  let before = run.started_at;
  return steps.map((step) => {
    if (step.at !== undefined) {
      before = step.at;
      return step as StepResult;
    }
    const { input, output, events, status = "done", ...rest } = step;
    return {
      ...rest,
      status,
      at: before,
      ...(input !== undefined && { input: withOwn(input, run) }),
      ...(output !== undefined && { output: withOwn(output, run) }),
      ...(events !== undefined && { events: events.map((id) => wholeId(id, run.id)) }),
    };
  });
}

/** The fields that may be the run's own, as they were. */
function withOwn(value: Json, run: Whose): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  let changed = value as { readonly [name: string]: unknown };
  for (const field of own) {
    const text = Object.hasOwn(changed, field) ? changed[field] : null;
    if (typeof text === "string") changed = { ...changed, [field]: meant(text, run[field]) };
  }
  return changed as Json;
}
