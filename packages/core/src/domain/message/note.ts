import { Type } from "typebox";
import { refuse, type Refusal } from "../../model/command.ts";
import { IdSchema } from "../../model/common.ts";
import { conversationInput, refsOfConversation, withConversation } from "../conversation/with-conversation.ts";
import { customerErased, isErased } from "../customer/with-customer.ts";
import { accept, defineCommand } from "../define.ts";
import { key } from "../keys.ts";
import type { SettingsIndex } from "../settings-index.ts";
import { authorOf } from "./send.ts";

/** A note is for colleagues: it leaves the conversation's facts about messages alone. */
export const noteMessage = defineCommand({
  type: "message.note",
  summary: "Leaves a note in a conversation that the customer does not see",
  permission: "messages.note",
  target: "conversation",
  action: true,
  events: ["message.noted"],
  input: Type.Object(
    {
      ...conversationInput,
      text: Type.String({ maxLength: 65_536 }),
      mentions: Type.Optional(
        Type.Array(IdSchema, { maxItems: 50, description: "the users whom the text names: they are told of it" }),
      ),
    },
    { additionalProperties: false },
  ),
  needs: (input) => [key.conversation(input.conversation)],
  decide: (input, draft) =>
    withConversation(draft, input.conversation, (conversation) => {
      if (input.text.trim() === "") return refuse("invalid", "message_empty", "A note needs a text", "/text");
      const refs = refsOfConversation(draft, conversation);
      if (isErased(draft.customer(refs.customer))) return customerErased("/conversation");
      const named = [...new Set(input.mentions)];
      const unknown = mentionProblem(named, draft.settings);
      if (unknown !== null) return unknown;
      const { row, changes } = draft.createMessage({
        conversation: conversation.id,
        customer: refs.customer,
        channel: conversation.channel,
        direction: "note",
        author: authorOf(draft),
        text: input.text,
        automated: draft.actor.kind !== "user",
      });
      const data = named.length === 0 ? undefined : { mentions: named };
      draft.emit("message.noted", { ...refs, message: row.id }, changes, data);
      return accept({ message: row.id, conversation: conversation.id });
    }),
});

function mentionProblem(named: readonly string[], settings: SettingsIndex): Refusal | null {
  const at = named.findIndex((id) => settings.user(id)?.archived_at !== null);
  return at < 0
    ? null
    : refuse("invalid", "user_not_found", "Only users who work here can be named", `/mentions/${at}`);
}
