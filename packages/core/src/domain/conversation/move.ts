import { Type } from "typebox";
import { defineCommand } from "../define.ts";
import { key } from "../keys.ts";
import { findMailbox, isRefusal, missing } from "../naming.ts";
import { change, conversationInput, withConversation } from "./with-conversation.ts";

export const moveConversation = defineCommand({
  type: "conversation.move",
  summary: "Puts a conversation into another mailbox",
  permission: "conversations.write",
  target: "conversation",
  action: true,
  events: ["conversation.moved"],
  input: Type.Object(
    { ...conversationInput, mailbox: Type.String({ maxLength: 64, description: "id or short name of the mailbox" }) },
    { additionalProperties: false },
  ),
  prepare(input, settings) {
    const mailbox = findMailbox(settings, input.mailbox);
    return isRefusal(mailbox) ? mailbox : { ...input, mailbox: mailbox.id };
  },
  needs: (input) => [key.conversation(input.conversation)],
  decide(input, draft) {
    const mailbox = findMailbox(draft.settings, input.mailbox);
    if (isRefusal(mailbox)) return mailbox;
    if (!draft.reachesMailbox(mailbox.id)) return missing("mailbox", "/mailbox");
    return withConversation(draft, input.conversation, (row) =>
      change(draft, row, "conversation.moved", { mailbox: mailbox.id }),
    );
  },
});
