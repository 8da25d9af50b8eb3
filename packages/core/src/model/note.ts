import { Type } from "typebox";
import { type Id, IdSchema, type Instant, InstantSchema, orNull } from "./common.ts";
import { derived, personal, plain } from "./marks.ts";

/**
 * What somebody noted of a customer, for colleagues; of a conversation it is a message. The logged columns: it has no
 * others. A note that was removed stays as a row without words.
 */
export interface Note {
  readonly id: Id;
  /** of whom it was noted; a merge moves no rows */
  readonly customer: Id;
  /** the user who wrote it; the robot for workflows */
  readonly author: Id | null;
  readonly text: string;
  /** written by a workflow, not by a person */
  readonly automated: boolean;
  readonly edited_at: Instant | null;
  readonly removed_at: Instant | null;
  readonly created_at: Instant;
  readonly updated_at: Instant;
}

export const noteDefaults: Omit<Note, "id" | "customer" | "created_at" | "updated_at"> = {
  author: null,
  text: "",
  automated: false,
  edited_at: null,
  removed_at: null,
};

/** A note on a customer as the API shows it. */
export const NoteSchema = Type.Object(
  {
    id: plain(IdSchema),
    customer: plain(IdSchema),
    author: plain(orNull(IdSchema)),
    text: personal(Type.String()),
    automated: plain(Type.Boolean()),
    edited_at: plain(orNull(InstantSchema)),
    removed_at: plain(orNull(InstantSchema)),
    created_at: plain(InstantSchema),
    updated_at: derived(InstantSchema),
  },
  { title: "CustomerNote" },
);
