import { IdSchema, InstantSchema, oneOf } from "@threadmill/core";
import { Type } from "typebox";
import { JobSchema } from "../jobs/row.ts";
import { LiveChangeSchema } from "./change.ts";

const message = (event: string, data: Parameters<typeof Type.Object>[0][string], description: string) =>
  Type.Object({ event: Type.Literal(event), data }, { description });

/** What somebody does in a conversation just now. */
export const doings = ["looking", "typing", "nothing"] as const;

export const AttentionSchema = Type.Object(
  {
    conversation: IdSchema,
    user: IdSchema,
    doing: oneOf(doings),
    until: Type.Unsafe<string>({ ...InstantSchema, description: "it is over then, unless it is told again" }),
  },
  { title: "Attention" },
);

/** Every message of `GET /live`: its name, and its data as JSON. */
export const LiveMessageSchema = Type.Union(
  [
    message(
      "ready",
      Type.Object({ seq: Type.Integer(), resumed: Type.Boolean() }),
      "the first: what happens behind `seq` will be told. Read what you show after it, not before",
    ),
    message("changes", Type.Array(LiveChangeSchema), "what happened, in the order of the log"),
    message(
      "gone",
      Type.Array(Type.Object({ noun: Type.Literal("conversation"), id: IdSchema })),
      "conversations that you may not see any more",
    ),
    message(
      "reload",
      Type.Object({
        seq: Type.Integer(),
        reason: oneOf(["too_far_behind", "unknown_place", "rights_changed"] as const),
      }),
      "read anew what you show: what happened meanwhile is not told. It goes on behind `seq`",
    ),
    message("attention", AttentionSchema, "somebody looks at a conversation, types in it, or does so no more"),
    message("job", JobSchema, "how far a job is that you asked for, or may see"),
    message("end", Type.Object({ reason: oneOf(["shutting_down", "unauthorized"] as const) }), "the last"),
  ],
  { title: "LiveMessage" },
);
