import { Type } from "typebox";
import { orNull } from "../../model/common.ts";
import { defineCommand } from "../define.ts";
import { key } from "../keys.ts";
import { changeWords, conversationInput, withConversation } from "./with-conversation.ts";

export const setTopic = defineCommand({
  type: "conversation.set_topic",
  summary: "Says what a conversation is about; null says nothing",
  permission: "conversations.write",
  target: "conversation",
  action: true,
  events: ["conversation.topic_set"],
  input: Type.Object(
    { ...conversationInput, topic: orNull(Type.String({ maxLength: 200 })) },
    { additionalProperties: false },
  ),
  needs: (input) => [key.conversation(input.conversation)],
  decide: (input, draft) =>
    withConversation(draft, input.conversation, (row) =>
      changeWords(draft, row, "conversation.topic_set", { topic: input.topic?.trim() || null }),
    ),
});
