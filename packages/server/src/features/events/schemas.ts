import { IdSchema, InstantSchema, orNull } from "@threadmill/core";
import { Type } from "typebox";

/** An event as the API shows it. */
export const EventSchema = Type.Object(
  {
    seq: Type.Integer({ description: "its place in the log; grows, but not always by one" }),
    id: IdSchema,
    type: Type.String(),
    at: InstantSchema,
    actor: Type.Unknown({ description: "who did it" }),
    root: Type.String({ description: "the command or other item that set it off" }),
    cause: Type.Unknown({ description: "why: the event, run and step before it" }),
    depth: Type.Integer(),
    refs: Type.Unknown({ description: "what it is about" }),
    changes: Type.Array(
      Type.Object(
        { table: Type.String(), id: Type.String(), before: orNull(Type.Unknown()), after: Type.Unknown() },
        { title: "Change" },
      ),
      { description: "before and after of every changed field; of properties, those that changed" },
    ),
    data: Type.Optional(Type.Unknown()),
  },
  { title: "Event" },
);
