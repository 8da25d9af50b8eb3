import { type Actor, IdSchema, InstantSchema, type Json, oneOf, orNull } from "@threadmill/core";
import { type Static, Type } from "typebox";

/** What may become of a job. `waiting` for its next turn; `running` in a turn of some process. */
export const jobStates = ["waiting", "running", "paused", "cancelled", "done", "failed"] as const;
export type JobState = (typeof jobStates)[number];

/** What is left to do of it: such a job may be paused and cancelled. */
export const liveStates: readonly JobState[] = ["waiting", "running", "paused"];

const count = (description: string) => Type.Integer({ minimum: 0, description });

/** A job as everybody sees it. */
export const JobSchema = Type.Object(
  {
    id: IdSchema,
    kind: Type.String({ description: "such as `customers.import`" }),
    state: oneOf(jobStates),
    total: orNull(count("how many things it is about; null where that is not known before it is through")),
    done: count("how many are done"),
    refused: count("how many were refused"),
    asked_by: Type.Object({ kind: Type.String(), id: orNull(IdSchema) }),
    created_at: InstantSchema,
    started_at: orNull(InstantSchema),
    finished_at: orNull(InstantSchema),
    result: orNull(Type.Record(Type.String(), Type.Unknown(), { description: "what it left, once it is done" })),
    failure: orNull(Type.Object({ code: Type.String(), message: Type.String() })),
  },
  { title: "Job" },
);
export type Job = Static<typeof JobSchema>;

/** A job's row as a process that works on it needs it. */
export interface JobRow {
  readonly id: string;
  readonly lane: number;
  readonly organization: string;
  readonly kind: string;
  readonly parameters: unknown;
  readonly actor: Actor;
  readonly state: JobState;
  readonly cursor: Json;
  readonly slice: Json;
  readonly slice_at: string | null;
  readonly total: number | null;
  readonly done: number;
  readonly refused: number;
  readonly result: { readonly [name: string]: Json } | null;
  readonly failure: { readonly code: string; readonly message: string } | null;
  readonly failures: number;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
}

/** What is shown of a row: neither parameters nor cursor, which may hold whole selections and words of customers. */
export const shown = ({ actor, ...row }: JobRow): Job => ({
  id: row.id,
  kind: row.kind,
  state: row.state,
  total: row.total,
  done: row.done,
  refused: row.refused,
  asked_by: { kind: actor.kind, id: actor.id },
  created_at: row.created_at,
  started_at: row.started_at,
  finished_at: row.finished_at,
  result: row.result,
  failure: row.failure,
});
