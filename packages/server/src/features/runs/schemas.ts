import { IdSchema, InstantSchema, oneOf, orNull, runStatuses } from "@threadmill/core";
import { Type } from "typebox";

const ReasonSchema = Type.Object(
  { code: Type.String(), message: Type.String(), detail: Type.Optional(Type.Unknown()) },
  { title: "Reason" },
);
const ActorSchema = Type.Object(
  {
    kind: oneOf(["user", "workflow", "channel", "system"] as const),
    id: orNull(IdSchema),
    publisher: Type.Optional(orNull(IdSchema)),
  },
  { title: "Actor" },
);

const StepSchema = Type.Object(
  {
    step: Type.String({ description: "the step's id in the document" }),
    kind: Type.String({ description: "the action, or `branch`, `wait`, `stop`" }),
    status: oneOf(["done", "failed", "waiting", "interrupted"] as const),
    at: InstantSchema,
    finished_at: Type.Optional(InstantSchema),
    input: Type.Optional(Type.Unknown()),
    output: Type.Optional(Type.Unknown()),
    reason: Type.Optional(ReasonSchema),
    events: Type.Optional(Type.Array(IdSchema)),
  },
  { title: "StepResult" },
);

const head = {
  id: IdSchema,
  workflow: IdSchema,
  version: IdSchema,
  subject_kind: oneOf(["conversation", "customer", "user", "organization"] as const),
  subject: IdSchema,
  customer: orNull(IdSchema),
  conversation: orNull(IdSchema),
  message: orNull(IdSchema),
  status: oneOf(runStatuses),
  reason: orNull(ReasonSchema),
  root: Type.String({ description: "what set it off: the id of a command, or what stands for one" }),
  trigger: Type.Unknown({ description: "the event or command that started it" }),
  actor: ActorSchema,
  depth: Type.Integer({ description: "how many workflows started one another up to this run" }),
  waiting: orNull(Type.Unknown({ description: "what it waits for" })),
  started_at: InstantSchema,
  finished_at: orNull(InstantSchema),
};

/** A run without its steps. */
export const RunHeadSchema = Type.Object(head, { title: "RunHead" });

/** A run with each step it took. */
export const RunSchema = Type.Object(
  {
    ...head,
    cursor: orNull(Type.String({ description: "the next step" })),
    inputs: Type.Unknown(),
    outputs: Type.Unknown(),
    steps: Type.Array(StepSchema),
  },
  { title: "Run" },
);
