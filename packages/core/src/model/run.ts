import { Type } from "typebox";
import type { Actor } from "./event.ts";
import {
  type Id,
  IdSchema,
  type Instant,
  InstantSchema,
  type Json,
  oneOf,
  orNull,
  type Ref,
  subjectKinds,
} from "./common.ts";
import { personal, plain } from "./marks.ts";

/** `queued` and `waiting` runs are live; the others are final. See run/SPEC.md. */
export const runStatuses = ["queued", "waiting", "finished", "failed", "stopped", "cancelled", "skipped"] as const;
export type RunStatus = (typeof runStatuses)[number];

/** Why a run or step is what it is; `code` is stable, `message` is for people. */
export interface Reason {
  readonly code: string;
  readonly message: string;
  readonly detail?: Json;
}

/** One step that a run took: what went in, what came out, when and why. */
export interface StepResult {
  readonly step: string;
  /** the action, or `branch`, `wait`, `stop` */
  readonly kind: string;
  readonly status: "done" | "failed" | "waiting" | "interrupted";
  readonly at: Instant;
  readonly finished_at?: Instant;
  readonly input?: Json;
  readonly output?: Json;
  readonly reason?: Reason;
  /** ids of the events it caused, so that undo needs no index (MILL law 13) */
  readonly events?: readonly Id[];
  /** what went in and out was erased with the customer */
  readonly erased?: boolean;
}

/** What a waiting run waits for. `wait` numbers the waits of a run, so that a late timer is known as such. */
export interface Waiting {
  readonly wait: number;
  readonly step: string;
  readonly due_at: Instant | null;
  /** the event type that interrupts it */
  readonly unless: string | null;
  /** the effect whose outcome it waits for */
  readonly effect: Id | null;
}

/** One execution of one workflow version. Rows only, not in the log. */
export interface Run {
  readonly id: Id;
  readonly workflow: Id;
  readonly version: Id;
  readonly subject_kind: Ref["kind"];
  readonly subject: Id;
  readonly customer: Id | null;
  readonly conversation: Id | null;
  readonly message: Id | null;
  readonly status: RunStatus;
  readonly reason: Reason | null;
  readonly root: string;
  /** the event (or command) that started it, by type and id, and which of the workflow's triggers it was */
  readonly trigger: { readonly type: string; readonly event: Id | null; readonly index: number | null };
  /** for whom it acts: its workflow, with the rights of whoever published the version */
  readonly actor: Actor;
  /** who asked for it by a command; null where an event or the clock started it */
  readonly started_by: Actor | null;
  /** who cancelled it; null where it ended otherwise */
  readonly ended_by: Actor | null;
  readonly depth: number;
  /** the next step to take; null when final */
  readonly cursor: string | null;
  readonly waits: number;
  readonly waiting: Waiting | null;
  /** the customer whose events interrupt it, where it is about a conversation and waits for one; else null */
  readonly hears: Id | null;
  readonly inputs: { readonly [name: string]: Json };
  readonly outputs: Json;
  /** results of the steps so far, in order; a step taken twice stands twice */
  readonly steps: readonly StepResult[];
  readonly started_at: Instant;
  readonly finished_at: Instant | null;
}

/** Why a run or step is what it is, as the API shows it. What the message and detail quote may be anybody's words. */
const ReasonSchema = Type.Object(
  {
    code: plain(Type.String()),
    message: personal(Type.String(), "Erased"),
    detail: personal(Type.Optional(Type.Unknown())),
  },
  { title: "Reason" },
);

export const ActorSchema = Type.Object(
  {
    kind: oneOf(["user", "workflow", "channel", "system"] as const),
    id: orNull(IdSchema),
    publisher: Type.Optional(orNull(IdSchema)),
    token: Type.Optional(IdSchema),
    session: Type.Optional(IdSchema),
  },
  { title: "Actor" },
);

const StepResultSchema = Type.Object(
  {
    step: plain(Type.String({ description: "the step's id in the document" })),
    kind: plain(Type.String({ description: "the action, or `branch`, `wait`, `stop`" })),
    status: plain(oneOf(["done", "failed", "waiting", "interrupted"] as const)),
    at: plain(InstantSchema),
    finished_at: plain(Type.Optional(InstantSchema)),
    input: personal(Type.Optional(Type.Unknown())),
    output: personal(Type.Optional(Type.Unknown())),
    reason: Type.Optional(ReasonSchema),
    events: plain(Type.Optional(Type.Array(IdSchema))),
    erased: plain(Type.Optional(Type.Boolean({ description: "what went in and out was erased with the customer" }))),
  },
  { title: "StepResult" },
);

const runHead = {
  id: plain(IdSchema),
  workflow: plain(IdSchema),
  version: plain(IdSchema),
  subject_kind: plain(oneOf(subjectKinds)),
  subject: plain(IdSchema),
  customer: plain(orNull(IdSchema)),
  conversation: plain(orNull(IdSchema)),
  message: plain(orNull(IdSchema)),
  status: plain(oneOf(runStatuses)),
  reason: orNull(ReasonSchema),
  root: plain(Type.String({ description: "what set it off: the id of a command, or what stands for one" })),
  trigger: plain(Type.Unknown({ description: "the event or command that started it" })),
  actor: plain(ActorSchema),
  started_by: plain(
    Type.Union([ActorSchema, Type.Null()], { description: "who asked for it; null: an event or the clock" }),
  ),
  ended_by: plain(Type.Union([ActorSchema, Type.Null()], { description: "who cancelled it; null: nobody" })),
  depth: plain(Type.Integer({ description: "how many workflows started one another up to this run" })),
  waiting: plain(orNull(Type.Unknown({ description: "what it waits for" }))),
  started_at: plain(InstantSchema),
  finished_at: plain(orNull(InstantSchema)),
};

/** A run without its steps, as the API shows it. */
export const RunHeadSchema = Type.Object(runHead, { title: "RunHead" });

/** A run with each step it took, as the API shows it. */
export const RunSchema = Type.Object(
  {
    ...runHead,
    cursor: plain(orNull(Type.String({ description: "the next step" }))),
    inputs: personal(Type.Unknown(), {}),
    outputs: personal(Type.Unknown()),
    steps: Type.Array(StepResultSchema),
  },
  { title: "Run" },
);
