import { IdSchema, InstantSchema, oneOf, orNull } from "@threadmill/core";
import { Type } from "typebox";

export const WorkflowProblemSchema = Type.Object(
  {
    code: Type.String(),
    path: Type.String({ description: "JSON pointer into the document" }),
    message: Type.String(),
    severity: oneOf(["error", "warning"] as const, "an error keeps it from being published"),
  },
  { title: "WorkflowProblem" },
);

const versionHead = {
  id: IdSchema,
  workflow: IdSchema,
  number: Type.Integer(),
  hash: Type.String({
    description: "of what it does: the same for documents that are only written or drawn differently",
  }),
  publisher: Type.Union([IdSchema], { description: "runs act with this user's current rights" }),
  published_at: InstantSchema,
};

/** A published version without its document. */
export const VersionHeadSchema = Type.Object(versionHead, { title: "WorkflowVersionHead" });

/** A published version. */
export const VersionSchema = Type.Object({ ...versionHead, document: Type.Unknown() }, { title: "WorkflowVersion" });

const workflowHead = {
  id: IdSchema,
  slug: Type.String(),
  name: Type.String(),
  position: Type.Integer({ description: "workflows that one event starts run in this order" }),
  enabled: Type.Boolean(),
  paused_reason: orNull(Type.String({ description: "why it was paused, when not by a person" })),
  published: orNull(IdSchema),
  created_at: InstantSchema,
  updated_at: InstantSchema,
  archived_at: orNull(InstantSchema),
};

/** A workflow without its draft. */
export const WorkflowHeadSchema = Type.Object(workflowHead, { title: "WorkflowHead" });

/** A workflow with its draft and what is wrong with it. */
export const WorkflowSchema = Type.Object(
  {
    ...workflowHead,
    draft: Type.Unknown({ description: "the document as it is being edited" }),
    problems: Type.Array(WorkflowProblemSchema),
    version: orNull(VersionHeadSchema),
  },
  { title: "Workflow" },
);

/** The document as a request's body: the core checks the rest, place by place. */
export const DocumentBody = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 200 }) },
  { description: "A workflow document" },
);

export const DifferenceSchema = Type.Object(
  {
    path: Type.String(),
    kind: oneOf(["added", "removed", "changed"] as const),
    before: Type.Unknown(),
    after: Type.Unknown(),
    text: Type.String(),
  },
  { title: "WorkflowDifference" },
);
