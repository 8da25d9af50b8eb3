import { type Static, Type } from "typebox";
import { IdSchema } from "./common.ts";
import { MediaSchema } from "./message.ts";

/** A line of a mail's head: nothing in it may begin another line. */
const line = (options: object) => Type.String({ pattern: String.raw`^[^\r\n\u0000]*$`, ...options });

/** Something that goes along with a message as a file. */
export const AttachmentSchema = Type.Object({
  name: line({ minLength: 1, maxLength: 255 }),
  content_type: line({ minLength: 1, maxLength: 200 }),
  url: Type.String({ pattern: "^https?://", maxLength: 2048, description: "where its bytes are" }),
});

/** What ties a message to others, where a channel knows threads: a mail's Message-ID, In-Reply-To and References. */
export const ThreadSchema = Type.Object({
  id: Type.Optional(line({ maxLength: 998 })),
  in_reply_to: Type.Optional(line({ maxLength: 998 })),
  references: Type.Optional(Type.Array(line({ maxLength: 998 }), { maxItems: 100 })),
});

/**
 * The payload of the effect `message.deliver`: a message on its way out, on any kind of channel. What a channel's provider
 * cannot carry is refused by name, not left out in silence. Fields that a worker does not know are let pass, for processes
 * of two versions may share the work.
 */
export const DeliverPayloadSchema = Type.Object({
  message: IdSchema,
  channel: IdSchema,
  to: Type.String({ minLength: 1, maxLength: 320 }),
  text: Type.String(),
  media: Type.Array(MediaSchema, { maxItems: 20 }),
  subject: Type.Optional(line({ maxLength: 998 })),
  html: Type.Optional(Type.String({ maxLength: 1_048_576 })),
  headers: Type.Optional(
    Type.Array(
      Type.Object({ name: Type.String({ pattern: "^[A-Za-z0-9-]{1,100}$" }), value: line({ maxLength: 2000 }) }),
      { maxItems: 50 },
    ),
  ),
  attachments: Type.Optional(Type.Array(AttachmentSchema, { maxItems: 50 })),
  thread: Type.Optional(ThreadSchema),
});
export type DeliverPayload = Static<typeof DeliverPayloadSchema>;
